import { describe, expect, it } from 'vitest';
import { seededRandom, type Random } from '#core/lib/random.ts';
import { createDecoder, type Packet } from './decoder.ts';
import { checksum, encodeFrame } from './packet.ts';
import { bytes, REPLIES, REQUESTS } from './testing/vectors.ts';

const frame = (id: number, errors: number, data: readonly number[]): Uint8Array => encodeFrame(id, errors, data);
const join = (...parts: readonly ArrayLike<number>[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => Array.from(part)));
const show = (packet: Packet): string => `${packet.id} ${packet.third} [${[...packet.body].join(' ')}]`;
const decodeAll = (stream: ArrayLike<number>): Packet[] => {
  const decoder = createDecoder('status');
  return [...decoder.push(stream), ...decoder.flush()];
};

describe('the decoder', () => {
  it.each(REPLIES)('reads $what', ({ hex, id, errors, data }) => expect(decodeAll(bytes(hex)).map(show)).toEqual([`${id} ${errors} [${data.join(' ')}]`]));

  it('reads every published request when it listens as a servo', () => {
    for (const { hex } of REQUESTS) {
      const decoder = createDecoder('request');
      const [packet] = decoder.push(bytes(hex));
      expect([...encodeFrame(packet?.id ?? 0, packet?.third ?? 0, packet?.body ?? [])]).toEqual([...bytes(hex)]);
    }
  });

  it('finds both of two packets at every split point', () => {
    const stream = join(bytes('FF FF 01 11 00 02 08 14 80 96 04 49 22 00 00 01 34 08 25 00 E8'), frame(2, 0x20, [0xff, 0xff]));
    for (let a = 0; a <= stream.length; a++) {
      for (let b = a; b <= stream.length; b++) {
        const decoder = createDecoder('status');
        const found = [stream.slice(0, a), stream.slice(a, b), stream.slice(b)].flatMap((part) => decoder.push(part));
        expect(found.map((packet) => packet.id), `split at ${a} and ${b}`).toEqual([1, 2]);
        expect(decoder.counts()).toEqual({ junkBytes: 0, badChecksums: 0, packets: 2 });
      }
    }
  });

  it('steps over noise before, between and after, byte by byte', () => {
    const good = frame(3, 0, [1, 2]);
    for (const noise of [[0], [0xff], [0xff, 0xff], [0xff, 0xff, 0xff, 0xff], [0xff, 0xff, 3], [0xff, 0xff, 3, 4], [0xff, 0xff, 3, 4, 0], [0x55, 0xaa, 0xff, 0xff, 9, 60, 0, 1, 2]]) {
      const decoder = createDecoder('status');
      const found: Packet[] = [];
      for (const byte of join(noise, good, noise, good, noise)) found.push(...decoder.push([byte]));
      found.push(...decoder.flush());
      expect(found.map(show), `noise ${noise.join(' ')}`).toEqual(['3 0 [1 2]', '3 0 [1 2]']);
      expect(decoder.counts().junkBytes).toBe(3 * noise.length);
      expect(decoder.waiting).toBe(0);
    }
  });

  it('keeps a true packet when noise breaks the one around it', () => {
    // A header that claims 20 bytes of data, cut off by the true packet.
    const cut = join([0xff, 0xff, 5, 22, 0, 7, 7], frame(4, 0, [9]), new Uint8Array(30));
    expect(decodeAll(cut).map(show)).toEqual(['4 0 [9]']);
    // A byte lost inside, so that its last byte is the next packet's first.
    const short = frame(5, 0, [1, 2, 3]);
    expect(decodeAll(join(short.slice(0, 6), short.slice(7), frame(6, 0, [4]))).map(show)).toEqual(['6 0 [4]']);
    // A byte put in.
    expect(decodeAll(join(short.slice(0, 6), [77], short.slice(6), frame(6, 0, [4]))).map(show)).toEqual(['6 0 [4]']);
  });

  it('takes header bytes in a payload for payload', () => {
    const inner = frame(2, 0, [1]);
    expect(decodeAll(frame(1, 0, [...inner])).map(show)).toEqual([`1 0 [${[...inner].join(' ')}]`]);
    expect(decodeAll(frame(1, 0, [0xff, 0xff, 0xff, 0xff])).map(show)).toEqual(['1 0 [255 255 255 255]']);
  });

  it('refuses bad ids, lengths, error bytes and checksums, and counts them', () => {
    const wrong = (patch: Readonly<Record<number, number>>): Uint8Array => {
      const made = frame(1, 0, [1, 2]);
      for (const [at, value] of Object.entries(patch)) made[Number(at)] = value;
      made[made.length - 1] = checksum(made, 2, made.length - 1);
      return made;
    };
    const patches: readonly Readonly<Record<number, number>>[] = [{ 2: 254 }, { 2: 255 }, { 3: 0 }, { 3: 1 }, { 3: 251 }, { 4: 0x80 }];
    for (const patch of patches) {
      expect(decodeAll(join(wrong(patch), frame(7, 0, []))).map(show), JSON.stringify(patch)).toEqual(['7 0 []']);
    }
    const broken = frame(1, 0, [1, 2]);
    for (let at = 2; at < broken.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = broken.slice();
        flipped[at] = (flipped[at] as number) ^ (1 << bit);
        // The zero between: a length that is one too large would else end on the next header's FF, which here is right by chance.
        expect(decodeAll(join(flipped, [0], frame(7, 0, []))).map(show), `byte ${at} bit ${bit}`).toEqual(['7 0 []']);
      }
    }
    const decoder = createDecoder('status');
    decoder.push(join(broken.slice(0, 7), [0]));
    expect(decoder.counts()).toEqual({ junkBytes: 8, badChecksums: 1, packets: 0 });
  });

  it('does not wait for an answer longer than can come', () => {
    const decoder = createDecoder('status');
    decoder.expect(2);
    expect(decoder.push(join([0xff, 0xff, 1, 200, 0], frame(1, 0, [8, 7]))).map(show)).toEqual(['1 0 [8 7]']);
    expect(decoder.waiting).toBe(0);
  });
});

describe('a million fuzzed bytes', () => {
  /** Noise that looks like frames: headers, half headers, plausible ids and lengths. */
  function noise(random: Random): number[] {
    switch (random.index(4)) {
      case 0:
        return Array.from({ length: random.index(12) }, () => random.index(256));
      case 1:
        return [0xff, 0xff, random.index(7), random.index(24), random.index(4)].slice(0, 1 + random.index(5));
      case 2:
        return Array.from({ length: random.index(5) }, () => 0xff);
      default: {
        const made = frame(random.index(7), 0, Array.from({ length: random.index(8) }, () => random.index(256)));
        return Array.from(made.subarray(0, random.index(made.length)));
      }
    }
  }

  it('no stall, no packet lost that is not inside another, and the same however they are cut', () => {
    const seed = 20_260_921;
    const random = seededRandom(seed);
    const stream: number[] = [];
    const placed: { readonly at: number; readonly end: number; readonly text: string }[] = [];
    while (stream.length < 1_000_000) {
      for (const byte of noise(random)) stream.push(byte);
      const made = frame(random.index(254), random.index(128), Array.from({ length: random.index(random.index(10) === 0 ? 120 : 16) }, () => (random.index(4) === 0 ? 255 : random.index(256))));
      placed.push({ at: stream.length, end: stream.length + made.length, text: show({ id: made[2] as number, third: made[4] as number, body: made.slice(5, -1) }) });
      for (const byte of made) stream.push(byte);
    }
    const whole = decodeAll(stream);
    const decoder = createDecoder('status');
    const found: Packet[] = [];
    let longestWait = 0;
    for (let at = 0; at < stream.length; ) {
      const next = at + 1 + random.index(200);
      found.push(...decoder.push(stream.slice(at, next)));
      longestWait = Math.max(longestWait, decoder.waiting);
      at = next;
    }
    found.push(...decoder.flush());
    expect(found.map(show)).toEqual(whole.map(show));
    expect(longestWait).toBeLessThanOrEqual(254);

    // Where each found packet sits: packets come in order and their bytes are known, so the stream can be walked again.
    const bytesFound = found.reduce((sum, packet) => sum + packet.body.length + 6, 0);
    expect(bytesFound + decoder.counts().junkBytes).toBe(stream.length);
    const spans = spansOf(stream);
    let hidden = 0;
    let index = 0;
    for (const one of placed) {
      while (index < spans.length && (spans[index]?.end ?? 0) <= one.at) index++;
      const span = spans[index];
      if (span !== undefined && span.at === one.at && span.text === one.text) continue;
      // Only a frame of noise whose checksum is right by chance may hide a placed one.
      expect(span !== undefined && span.at < one.end, `seed ${seed}: packet at ${one.at} lost`).toBe(true);
      hidden++;
    }
    console.info(`decoder fuzz: seed ${seed}, ${stream.length} bytes, ${placed.length} placed, ${whole.length} found, ${hidden} hidden in noise with a right checksum, longest wait ${longestWait} bytes`);
    expect(hidden / placed.length).toBeLessThan(0.01);
  });

  /** A second reading of the stream, slow and plain: at each byte, is there a frame? */
  function spansOf(stream: readonly number[]): { readonly at: number; readonly end: number; readonly text: string }[] {
    const spans: { at: number; end: number; text: string }[] = [];
    for (let at = 0; at < stream.length; ) {
      const length = stream[at + 3] ?? 0;
      const end = at + length + 4;
      const fits = stream[at] === 255 && stream[at + 1] === 255 && (stream[at + 2] ?? 255) <= 253 && length >= 2 && length <= 246 && (stream[at + 4] ?? 255) <= 127 && end <= stream.length;
      if (fits && stream[end - 1] === (~stream.slice(at + 2, end - 1).reduce((a, b) => a + b, 0) & 255)) {
        spans.push({ at, end, text: show({ id: stream[at + 2] as number, third: stream[at + 4] as number, body: Uint8Array.from(stream.slice(at + 5, end - 1)) }) });
        at = end;
      } else at++;
    }
    return spans;
  }
});
