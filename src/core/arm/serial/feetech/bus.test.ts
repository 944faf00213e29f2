import { describe, expect, it } from 'vitest';
import { manualClock } from '#core/lib/manual-clock.ts';
import { seededRandom } from '#core/lib/random.ts';
import { busRig } from '../testing/rig.ts';
import { createBus } from './bus.ts';
import type { ByteLink } from './link.ts';
import { encodeFrame } from './packet.ts';
import { decodeRegister, encodeRegister } from './registers.ts';
import { bytes } from './testing/vectors.ts';

const IDS = [1, 2, 3, 4, 5, 6];

/** A line whose answers the test writes itself: `answers` gets each request and returns what comes back and when. */
function scripted(answers: (request: Uint8Array, n: number) => readonly { readonly afterMs: number; readonly bytes: Uint8Array }[]) {
  const clock = manualClock(1000);
  let listener: (data: Uint8Array) => void = () => undefined;
  const sent: Uint8Array[] = [];
  const link: ByteLink = {
    async write(data) {
      sent.push(data);
      for (const { afterMs, bytes: coming } of answers(data, sent.length)) void clock.sleepUntil(clock.nowMs() + afterMs).then(() => listener(coming));
    },
    onBytes: (to) => void (listener = to),
    onLost: () => undefined,
    close: async () => undefined,
  };
  const bus = createBus(link, { clock, allowanceMs: 20 });
  const drive = async <T>(work: Promise<T>): Promise<T> => {
    let settled = false;
    void work.finally(() => (settled = true)).catch(() => undefined);
    while (!settled) await clock.advanceBy(0.5);
    return work;
  };
  return { bus, clock, sent, drive };
}
const position = (id: number, value: number): Uint8Array => encodeFrame(id, 0, encodeRegister('presentPosition', value));

describe('the bus with servos on it', () => {
  it('pings, reads, writes and reads back', async () => {
    const { bus, drive, servos } = busRig();
    expect(await drive(bus.ping(3))).toMatchObject({ kind: 'ok', id: 3, errors: 0 });
    const model = await drive(bus.read(1, 3, 2));
    expect(model.kind === 'ok' && decodeRegister('modelNumber', model.data)).toBe(777);
    expect(await drive(bus.write(4, 48, encodeRegister('torqueLimit', 432)))).toMatchObject({ kind: 'ok' });
    expect(servos.servo(4).peek('torqueLimit')).toBe(432);
    await drive(bus.syncWrite(48, [1, 2].map((id) => ({ id, data: encodeRegister('torqueLimit', 100 * id) }))));
    expect(IDS.map((id) => servos.servo(id).peek('torqueLimit'))).toEqual([100, 200, 1000, 432, 1000, 1000]);
    const all = await drive(bus.syncRead(IDS, 56, 15));
    expect(all.map((reply) => reply.kind === 'ok' && reply.data.length)).toEqual([15, 15, 15, 15, 15, 15]);
    expect(bus.counts()).toMatchObject({ lost: 0, retries: 0, strayPackets: 0, junkBytes: 0, badChecksums: 0 });
  });

  it('takes no longer than the wire: a sync read of six servos at 1 Mbaud', async () => {
    const { bus, drive } = busRig();
    await drive(bus.ping(1));
    await drive(bus.syncRead(IDS, 56, 15));
    // 14 bytes out and 6 x 21 in, ten bits each: 1.40 ms, and nothing is added to it.
    expect(bus.counts().lastRoundTripMs).toBeCloseTo(1.4, 6);
  });

  it('keeps the data of an answer with error bits', async () => {
    const { bus, drive, servos } = busRig();
    servos.servo(2).setTemperature(80);
    const reply = await drive(bus.read(2, 63, 1));
    expect(reply).toMatchObject({ kind: 'ok', errors: 4 });
    expect(reply.kind === 'ok' && reply.data[0]).toBe(80);
  });

  it.each(['drop', 'corrupt'] as const)('asks again after: %s', async (kind) => {
    const { bus, drive, servos } = busRig();
    await drive(bus.ping(1));
    servos.faults.add({ fault: { kind }, id: 5, times: 1 });
    const all = await drive(bus.syncRead(IDS, 56, 2));
    expect(all.map((reply) => reply.kind)).toEqual(Array(6).fill('ok'));
    expect(bus.counts()).toMatchObject({ retries: 1, lost: 0 });
    // The servo's fault used up, the next request is clean.
    expect((await drive(bus.syncRead(IDS, 56, 2))).every((reply) => reply.kind === 'ok')).toBe(true);
  });

  it('says why nobody answered, once an attempt', async () => {
    const { bus, drive, servos } = busRig();
    await drive(bus.ping(1));
    expect(await drive(bus.ping(9, { attempts: 3 }))).toEqual({ kind: 'lost', id: 9, reasons: ['silent', 'silent', 'silent'] });
    const spoil = async (fault: Parameters<typeof servos.faults.add>[0]['fault']): Promise<unknown> => {
      servos.faults.add({ fault, id: 2, times: 1 });
      const reply = await drive(bus.read(2, 56, 2, { attempts: 1 }));
      return reply.kind === 'lost' ? reply.reasons[0] : reply.kind;
    };
    expect(await spoil({ kind: 'corrupt' })).toBe('checksum');
    expect(await spoil({ kind: 'wrong-id', id: 4 })).toBe('wrong-id');
    expect(await spoil({ kind: 'cut', bytes: 5 })).toBe('short');
    expect(await spoil({ kind: 'drop' })).toBe('silent');
    expect(await spoil({ kind: 'noise', bytes: [0xff, 0xff, 2, 200, 0] })).toBe('ok');
    expect(await spoil({ kind: 'duplicate' })).toBe('ok');
    servos.unplug();
    expect(await drive(bus.read(2, 56, 2))).toMatchObject({ kind: 'lost', reasons: ['closed'] });
    await expect(drive(bus.broadcastWrite(40, [0]))).rejects.toThrow('arm/port-lost');
  });

  it('never gives a late answer to the next question', async () => {
    const { bus, drive, servos, plant, clock } = busRig();
    await drive(bus.ping(1));
    const positions: number[] = [];
    for (const lateMs of [26, 30, 45]) {
      servos.faults.add({ fault: { kind: 'delay', ms: lateMs }, id: 1, times: 1 });
      expect((await drive(bus.read(1, 56, 2, { attempts: 1 }))).kind).toBe('lost');
      plant.put(0, plant.angles[0] === 0.5 ? -0.5 : 0.5);
      await clock.advanceBy(20);
      const reply = await drive(bus.read(1, 56, 2));
      positions.push(reply.kind === 'ok' ? decodeRegister('presentPosition', reply.data) - servos.servo(1).peek('presentPosition') : Number.NaN);
    }
    expect(positions).toEqual([0, 0, 0]);
  });

  it('lets one request out at a time, urgent ones first, and no more than it can hold', async () => {
    const { bus, drive, servos } = busRig();
    await drive(bus.ping(1));
    const before = servos.heard.length;
    const work = [bus.ping(1), bus.ping(2), bus.ping(3), bus.ping(4, { urgency: 'urgent' })];
    await drive(Promise.all(work));
    expect(servos.heard.slice(before).map((request) => request.id)).toEqual([1, 4, 2, 3]);
    const many = Array.from({ length: 70 }, () => bus.ping(1));
    const settled = await drive(Promise.allSettled(many));
    expect(settled.filter((one) => one.status === 'rejected').length).toBe(5);
    await drive(bus.close());
    expect(await drive(bus.ping(1))).toMatchObject({ kind: 'lost', reasons: ['closed'] });
  });

  it('drops a goal whose time has passed while it waited', async () => {
    const { bus, drive, servos } = busRig();
    await drive(bus.ping(1));
    let engaged = true;
    const reading = bus.syncRead(IDS, 56, 2);
    const goal = bus.syncWrite(42, [{ id: 1, data: [0, 8] }], { onlyIf: () => engaged });
    engaged = false;
    await drive(Promise.all([reading, goal]));
    expect(servos.heard.filter((request) => request.third === 0x83)).toEqual([]);
  });
});

describe('echo', () => {
  it('is found and stripped, and an echoed read is not taken for an answer', async () => {
    const { bus, drive, servos } = busRig({ echo: 'yes' });
    const reply = await drive(bus.read(1, 56, 2));
    expect(bus.echo).toBe(true);
    expect(reply.kind === 'ok' && decodeRegister('presentPosition', reply.data)).toBe(servos.servo(1).peek('presentPosition'));
    await drive(bus.syncWrite(48, IDS.map((id) => ({ id, data: encodeRegister('torqueLimit', 300) }))));
    expect((await drive(bus.syncRead(IDS, 48, 2))).every((one) => one.kind === 'ok' && decodeRegister('torqueLimit', one.data) === 300)).toBe(true);
    // A servo that is away: its echo alone would read as id 9, encoder error, position 568.
    expect(await drive(bus.read(9, 56, 2))).toMatchObject({ kind: 'lost' });
  });

  it('is not seen where there is none, even when an answer has the bytes of its question', async () => {
    // A ping answered with voltage error is byte for byte the ping: FF FF 01 02 01 FB.
    const { bus, drive } = scripted((request, n) => (n === 1 ? [] : [{ afterMs: 1, bytes: request.slice() }]));
    expect(await drive(bus.ping(1))).toMatchObject({ kind: 'ok', errors: 1 });
    expect(bus.echo).toBe(false);
  });
});

describe('answers out of order', () => {
  it('a doubled last answer is not taken for the next one, and the bus does not stay one behind', async () => {
    let value = 100;
    let strayMs = 0.3;
    const { bus, drive } = scripted((request) => {
      if (request[4] !== 0x82) return [];
      value++;
      // The doubled answer of id 6 comes first, then six true ones.
      const stray = { afterMs: strayMs, bytes: position(6, 7) };
      return [stray, ...IDS.map((id) => ({ afterMs: 1 + id * 0.1, bytes: position(id, value) }))];
    });
    const read = async (): Promise<unknown[]> => (await drive(bus.syncRead(IDS, 56, 2))).map((reply) => (reply.kind === 'ok' ? decodeRegister('presentPosition', reply.data) : reply.reasons[0]));
    expect(await read()).toEqual(Array(6).fill(101));
    strayMs = 0.05; // before the request can have left
    expect(await read()).toEqual(Array(6).fill(102));
    expect(bus.counts().strayPackets).toBe(2);
  });

  it('answers of another length are nobody\'s', async () => {
    const { bus, drive } = scripted((request) => (request[4] === 2 && request[2] === 1 ? [{ afterMs: 1, bytes: encodeFrame(1, 0, [1]) }] : []));
    expect(await drive(bus.read(1, 56, 2, { attempts: 2 }))).toEqual({ kind: 'lost', id: 1, reasons: ['wrong-length', 'wrong-length'] });
  });
});

it('under random faults every answer given is a true one', async () => {
  const seed = 77;
  const random = seededRandom(seed);
  const { bus, drive, servos } = busRig();
  await drive(bus.ping(1));
  let lost = 0;
  for (let n = 0; n < 300; n++) {
    for (const id of IDS) {
      const kinds = [
        { kind: 'drop' },
        { kind: 'corrupt' },
        { kind: 'delay', ms: random.between(0, 27) },
        { kind: 'duplicate' },
        { kind: 'wrong-id', id: 20 },
        { kind: 'noise', bytes: Array.from({ length: random.index(9) }, () => (random.index(3) === 0 ? 255 : random.index(256))) },
        { kind: 'cut', bytes: random.index(8) },
      ] as const;
      if (random.index(6) === 0) servos.faults.add({ fault: kinds[random.index(kinds.length)] ?? { kind: 'drop' }, id, times: 1 });
    }
    // A register that says who is speaking, and which changes every round: a late answer would show.
    for (const id of IDS) servos.servo(id).handle({ id, third: 3, body: Uint8Array.of(44, ...encodeRegister('goalTime', id * 1000 + n)) });
    for (const reply of await drive(bus.syncRead(IDS, 44, 2))) {
      if (reply.kind === 'lost') lost++;
      else expect(decodeRegister('goalTime', reply.data), `seed ${seed}, round ${n}, id ${reply.id}`).toBe(reply.id * 1000 + n);
    }
    servos.faults.clear();
  }
  console.info(`bus under faults: seed ${seed}, 1800 answers wanted, ${lost} lost`, bus.counts());
  expect(lost).toBeLessThan(180);
});

it('reads the published telemetry through the whole bus', async () => {
  const { bus, drive } = scripted((request) => (request[4] === 0x82 ? [{ afterMs: 1, bytes: bytes('FF FF 01 11 00 02 08 14 80 96 04 49 22 00 00 01 34 08 25 00 E8') }] : []));
  const [reply] = await drive(bus.syncRead([1], 56, 15));
  expect(reply?.kind === 'ok' && decodeRegister('presentLoad', reply.data, 56)).toBe(-150);
});
