/**
 * Servos on a wire: request bytes go in, answer bytes come out when the wire would have carried them. Half-duplex at a baud
 * rate, answers one after another in the order of a sync read, return delay, the adapter's own latency, and, when asked
 * for, an echo. Two servos with one id answer at the same time and garble each other. It is a `ByteLink`: a real port is
 * the same thing to whoever holds it.
 */
import type { Clock } from '#contracts/time.ts';
import { createDecoder, type Packet } from '../serial/feetech/decoder.ts';
import type { ByteLink } from '../serial/feetech/link.ts';
import { INSTRUCTION } from '../serial/feetech/packet.ts';
import { BAUD_BY_CODE } from '../serial/feetech/registers.ts';
import { createFaults, type Faults } from './faults.ts';
import type { JointPlant } from './plant.ts';
import type { VirtualServo } from './servo.ts';

export interface VirtualBusOptions {
  readonly clock: Clock;
  /** In the order of the chain. `joint` is what it turns, or null for a servo that turns nothing. */
  readonly servos: readonly { readonly servo: VirtualServo; readonly joint: number | null }[];
  readonly plant: JointPlant;
  readonly baud?: number;
  /** The adapter holds every answer back for this long. */
  readonly latencyMs?: number;
  readonly echo?: 'yes' | 'no';
}

export interface VirtualBus {
  /** One at a time: the bus has one wire. */
  readonly link: ByteLink;
  readonly faults: Faults;
  readonly servos: readonly VirtualServo[];
  servo(id: number): VirtualServo;
  /** Servos after the n-th in the chain have no cable: neither power nor bytes. Infinity mends it. */
  breakChainAfter(count: number): void;
  /** All servos' supply. */
  setSupply(volts: number): void;
  /** The USB cable: the link is lost, the servos keep their power. */
  unplug(): void;
  /** The cable is in again. */
  plug(): void;
  readonly plugged: boolean;
  /** The rate the other side speaks: servos set to another one hear noise. Null: they hear everything, as unless told. */
  listenAt(baud: number | null): void;
  /** The joints were put elsewhere, as a reset of the world does: servos hold where they are now. */
  yieldToPlant(): void;
  /** Firmware and plant up to now. Called by every request; call it, or `run`, when nobody asks. */
  advance(): void;
  /** Keeps time going until `stop`. */
  run(periodMs: number): { stop(): void };
  /** Every request that went over the wire, newest last; the last 4096. */
  readonly heard: readonly Packet[];
}

const MOST_STEP_S = 0.01;
/** Time nobody watched is not made up for beyond this. */
const MOST_CATCH_UP_S = 1;
const HEARD = 4096;

export function virtualBus(options: VirtualBusOptions): VirtualBus {
  const { clock, plant } = options;
  const baud = options.baud ?? 1_000_000;
  const latencyMs = options.latencyMs ?? 0;
  const faults = createFaults();
  const decoder = createDecoder('request');
  const heard: Packet[] = [];
  let attached = options.servos.length;
  let listener: (bytes: Uint8Array) => void = () => undefined;
  let lost: (reason: string) => void = () => undefined;
  let open = true;
  let lastMs = clock.nowMs();
  /** The wire carries one frame after another; what is written meanwhile waits in the adapter. */
  let freeMs = lastMs;
  /** Answers on their way, by time of arrival. */
  const coming: { readonly atMs: number; readonly bytes: Uint8Array }[] = [];
  let delivering = false;
  let hostBaud: number | null = null;

  const wireMs = (bytes: number): number => (bytes * 10_000) / (hostBaud ?? baud);

  const advance = (): void => {
    const nowMs = clock.nowMs();
    let left = Math.min(MOST_CATCH_UP_S, (nowMs - lastMs) / 1000);
    lastMs = nowMs;
    do {
      const seconds = Math.min(MOST_STEP_S, left);
      const drives = Array.from({ length: 6 }, () => ({ goal: null as number | null, strength: 0 }));
      for (const [place, { servo, joint }] of options.servos.entries()) {
        if (joint === null) continue;
        const drive = servo.step(seconds, plant.sense(joint));
        if (place < attached) drives[joint] = { ...drive };
      }
      plant.drive(drives, seconds);
      left -= seconds;
    } while (left > 1e-9);
  };

  const send = (bytes: Uint8Array, atMs: number): void => {
    coming.push({ atMs, bytes });
    coming.sort((a, b) => a.atMs - b.atMs);
    void deliver();
  };
  const deliver = async (): Promise<void> => {
    if (delivering) return;
    delivering = true;
    for (let next = coming[0]; next !== undefined; next = coming[0]) {
      await clock.sleepUntil(next.atMs);
      if (coming[0] !== next) continue; // something earlier came in
      coming.shift();
      if (open) listener(next.bytes);
    }
    delivering = false;
  };

  const answer = (request: Packet, requestEndMs: number): void => {
    heard.push(request);
    if (heard.length > HEARD) heard.shift();
    let atMs = requestEndMs;
    const live = options.servos.slice(0, attached).map((entry) => entry.servo).filter((servo) => hostBaud === null || BAUD_BY_CODE[servo.peek('baudRate')] === hostBaud);
    const ids = request.third === INSTRUCTION.syncRead ? Array.from(request.body.subarray(2)) : [...new Set(live.map((servo) => servo.id))];
    const answers = new Map<number, Uint8Array[]>();
    for (const servo of live) {
      const { id } = servo;
      const bytes = servo.handle(request);
      if (bytes !== null) answers.set(id, [...(answers.get(id) ?? []), bytes]);
    }
    for (const id of ids) {
      const [first, ...others] = answers.get(id) ?? [];
      if (first === undefined) continue;
      const clean = others.reduce(collide, first);
      atMs += wireMs(clean.length) + (live.find((servo) => servo.id === id)?.peek('returnDelayTime') ?? 0) * 0.002;
      freeMs = atMs;
      const spoilt = faults.spoil(id, clean);
      if (spoilt !== null) send(spoilt.bytes, atMs + latencyMs + spoilt.delayMs);
    }
  };

  const link: ByteLink = {
    async write(bytes) {
      if (!open) throw new Error('the virtual cable is out');
      advance();
      const endMs = Math.max(clock.nowMs(), freeMs) + wireMs(bytes.length);
      freeMs = endMs;
      if (options.echo === 'yes') send(bytes.slice(), endMs + latencyMs);
      for (const request of decoder.push(bytes)) answer(request, endMs);
    },
    onBytes(to) {
      listener = to;
    },
    onLost(to) {
      lost = to;
    },
    async close() {
      open = false;
    },
  };

  return {
    link,
    faults,
    servos: options.servos.map((entry) => entry.servo),
    servo(id) {
      const found = options.servos.find((entry) => entry.servo.id === id);
      if (found === undefined) throw new RangeError(`no servo ${id} on this bus`);
      return found.servo;
    },
    breakChainAfter(count) {
      attached = count;
      options.servos.forEach(({ servo }, place) => (place < count ? servo.powerOn() : servo.powerOff()));
    },
    setSupply(volts) {
      for (const { servo } of options.servos) servo.setSupply(volts);
    },
    unplug() {
      if (!open) return;
      open = false;
      lost('unplugged');
    },
    plug() {
      open = true;
    },
    get plugged() {
      return open;
    },
    listenAt(rate) {
      hostBaud = rate;
    },
    yieldToPlant() {
      for (const { servo, joint } of options.servos) if (joint !== null) servo.yieldTo(plant.sense(joint));
    },
    advance,
    run(periodMs) {
      let going = true;
      void (async () => {
        while (going) {
          await clock.sleepUntil(clock.nowMs() + periodMs);
          if (going) advance();
        }
      })();
      return {
        stop() {
          going = false;
        },
      };
    },
    heard,
  };
}

/** Two drivers on one wire: low wins. */
function collide(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0xff) & (b[i] ?? 0xff));
}
