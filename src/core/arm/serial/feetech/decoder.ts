/**
 * Bytes in, packets out. Knows only what a frame looks like; refuses to know who asked for what.
 *
 * A bus carries noise, half frames and frames inside frames, so nothing is read at a fixed place. The decoder looks for
 * FF FF; what follows is a candidate until its checksum proves it. A candidate that cannot be one (an id, a length or an
 * error byte out of range) or whose checksum is wrong costs one byte, not its whole supposed length: the true packet may begin
 * inside it. Header bytes in a payload are payload, because the packet around them was proved first.
 *
 * A false header with a large length could make true packets wait for bytes that never come. Two things prevent that: the
 * caller says how long an answer can be (`mostBodyBytes`), and `flush`, which the caller uses when the line has gone
 * quiet, gives up unfinished candidates one by one and returns what was hidden behind them.
 */
import { BROADCAST_ID, checksum, FRAME_BYTES, MOST_ID, MOST_PACKET_BYTES } from './packet.ts';

export interface Packet {
  readonly id: number;
  /** The error byte of a status packet, the instruction of a request. */
  readonly third: number;
  /** Data of a status packet, parameters of a request. A copy. */
  readonly body: Uint8Array;
}

export interface DecoderCounts {
  /** Bytes that belonged to no packet. */
  readonly junkBytes: number;
  /** Candidates that were complete and whose checksum was wrong. */
  readonly badChecksums: number;
  readonly packets: number;
}

export interface Decoder {
  /** Every packet that these bytes complete, in order. */
  push(bytes: ArrayLike<number>): Packet[];
  /** No more bytes are coming for now: what is unfinished is given up, and packets that began inside it come out. */
  flush(): Packet[];
  /** Longest body a packet may have from now on; a candidate that claims more is none. */
  expect(mostBodyBytes: number): void;
  counts(): DecoderCounts;
  /** Bytes held back because they may be the start of a packet. */
  readonly waiting: number;
}

const MOST_BODY_BYTES = MOST_PACKET_BYTES - FRAME_BYTES;

/**
 * `speaks`: status packets come from a servo (id up to 253, error byte up to 0x7F, as in Feetech's SDK), requests from a
 * host (id up to 254, any instruction). A virtual servo listens with the same machine.
 */
export function createDecoder(speaks: 'status' | 'request'): Decoder {
  const mostId = speaks === 'status' ? MOST_ID : BROADCAST_ID;
  const mostThird = speaks === 'status' ? 0x7f : 0xff;
  let mostBody = MOST_BODY_BYTES;
  let held: number[] = [];
  let junkBytes = 0;
  let badChecksums = 0;
  let packets = 0;

  const scan = (more: 'may-come' | 'will-not-come'): Packet[] => {
    const found: Packet[] = [];
    let at = 0;
    for (;;) {
      const looked = candidate(held, at, { mostId, mostThird, mostBody });
      if (looked === 'none' || looked === 'bad-checksum') {
        if (at >= held.length) break;
        if (looked === 'bad-checksum') badChecksums++;
        junkBytes++;
        at++;
      } else if (looked === 'unfinished') {
        if (more === 'may-come') break;
        junkBytes++;
        at++;
      } else {
        packets++;
        found.push(looked);
        at += looked.body.length + FRAME_BYTES;
      }
    }
    held = held.slice(at);
    return found;
  };

  return {
    push(bytes) {
      for (let i = 0; i < bytes.length; i++) held.push(bytes[i] as number);
      return scan('may-come');
    },
    flush: () => scan('will-not-come'),
    expect(mostBodyBytes) {
      mostBody = Math.min(MOST_BODY_BYTES, mostBodyBytes);
    },
    counts: () => ({ junkBytes, badChecksums, packets }),
    get waiting() {
      return held.length;
    },
  };
}

interface Bounds {
  readonly mostId: number;
  readonly mostThird: number;
  readonly mostBody: number;
}

/** What begins at `at`: a packet, possibly one, surely none. Every byte is looked at as soon as it is there. */
function candidate(bytes: readonly number[], at: number, bounds: Bounds): Packet | 'none' | 'unfinished' | 'bad-checksum' {
  const have = bytes.length - at;
  if (have <= 0) return 'none';
  if (bytes[at] !== 0xff) return 'none';
  if (have >= 2 && bytes[at + 1] !== 0xff) return 'none';
  // FF FF FF id: the first FF is noise, because no id is 255.
  if (have >= 3 && (bytes[at + 2] as number) > bounds.mostId) return 'none';
  if (have < 4) return 'unfinished';
  const length = bytes[at + 3] as number;
  if (length < 2 || length - 2 > bounds.mostBody) return 'none';
  if (have < 5) return 'unfinished';
  if ((bytes[at + 4] as number) > bounds.mostThird) return 'none';
  const end = at + length + 3;
  if (bytes.length <= end) return 'unfinished';
  if (checksum(bytes, at + 2, end) !== bytes[end]) return 'bad-checksum';
  return { id: bytes[at + 2] as number, third: bytes[at + 4] as number, body: Uint8Array.from(bytes.slice(at + 5, end)) };
}
