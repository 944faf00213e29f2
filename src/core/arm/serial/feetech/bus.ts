/**
 * The conversation with the servos: one request on the line at a time, its answers told apart from echoes, late answers,
 * doubled answers and noise, within a deadline on the clock it is handed. Knows who was asked and what an answer to it looks
 * like; refuses to know what the registers mean. An answer that does not come is a result with a reason, not an exception.
 *
 * Five things on a real line look like an answer and are none:
 *
 *   an echo      boards that tie TX and RX send every request back; an echoed READ of two bytes is a valid status packet
 *                of the servo asked, with error bits that were the instruction. So an opened bus first asks a question whose
 *                echo cannot be an answer (a broadcast READ of one byte), and strips every request on a line that echoes.
 *   a late one   after a deadline the line is listened to until it is quiet, and what comes then is thrown away. The protocol
 *                numbers nothing, so an answer later than the deadline and that silence (28 ms in all) can be taken for the next
 *                one, if that was the same question; it is then at most one question old.
 *   a doubled one  answers to a sync read come in the order of the ids. One that steps back in that order shows that what
 *                came before belonged to an earlier request.
 *   an early one   what arrives before the request can have left the wire answers an earlier one.
 *   another's    wrong id, or another number of bytes than was asked for.
 */
import type { BusCounts } from '#contracts/serial.ts';
import type { Clock } from '#contracts/time.ts';
import { FailureError } from '#core/lib/failure.ts';
import { createDecoder, type Packet } from './decoder.ts';
import type { ByteLink } from './link.ts';
import { BROADCAST_ID, encodeFrame, encodePing, encodeRead, encodeSyncRead, encodeSyncWrite, encodeWrite, FRAME_BYTES, type SyncWriteEntry } from './packet.ts';

/** Why an attempt brought no answer. */
export type LostReason =
  | 'silent' // not a byte
  | 'short' // bytes, and no whole packet
  | 'checksum' // a whole packet with a wrong checksum
  | 'wrong-id' // a packet of somebody else
  | 'wrong-length' // a packet of this servo with other data than was asked for
  | 'no-echo' // a line that echoes did not: the request did not get out
  | 'closed'; // the line is gone

export type ServoReply =
  /** `atMs` is when the request went out: the data is no older. `errors` are the raw bits; the data beside them is valid. */
  | { readonly kind: 'ok'; readonly id: number; readonly errors: number; readonly data: Uint8Array; readonly atMs: number }
  /** One reason an attempt. */
  | { readonly kind: 'lost'; readonly id: number; readonly reasons: readonly LostReason[] };

export interface BusOptions {
  readonly clock: Clock;
  readonly baud?: number;
  /** Time for an answer beyond what its bytes need on the wire. FTDI adapters hold bytes back for up to 16 ms. */
  readonly allowanceMs?: number;
}

export interface AskOptions {
  /** Attempts in all, 2 unless told. */
  readonly attempts?: number;
  /** Ahead of everything that waits: for letting go of torque. */
  readonly urgency?: 'urgent' | 'normal';
  /** Asked when its turn has come: false, and nothing is sent. A goal that waited must not follow a torque-off. */
  readonly onlyIf?: () => boolean;
}

export interface Bus {
  /** What the line was found to do; null before it was looked at. */
  readonly echo: boolean | null;
  readonly open: boolean;
  /** Requests waiting behind the one on the line. */
  readonly waiting: number;
  ping(id: number, options?: AskOptions): Promise<ServoReply>;
  read(id: number, address: number, count: number, options?: AskOptions): Promise<ServoReply>;
  /** An acknowledged write. */
  write(id: number, address: number, data: ArrayLike<number>, options?: AskOptions): Promise<ServoReply>;
  /** To all servos at once; nobody answers. Rejects only when the line is gone. */
  broadcastWrite(address: number, data: ArrayLike<number>, options?: AskOptions): Promise<void>;
  syncWrite(address: number, entries: readonly SyncWriteEntry[], options?: AskOptions): Promise<void>;
  /**
   * One request, one answer a servo, in the order of `ids`. Servos missing after it are asked one by one, `attempts` - 1
   * times, which tells who is silent; `attempts` 1 leaves that to the caller.
   */
  syncRead(ids: readonly number[], address: number, count: number, options?: AskOptions): Promise<readonly ServoReply[]>;
  /** An instruction without a reply of its own, such as restart; see `INSTRUCTION`. */
  instruct(id: number, instruction: number, options?: AskOptions): Promise<void>;
  counts(): BusCounts;
  /** Every request that waits is answered `closed`. The link is closed too. Twice is once. */
  close(): Promise<void>;
}

/** More than this waiting means that somebody asks faster than the wire can answer. */
const MOST_WAITING = 64;
/** After a deadline the line must have been silent this long before the next request. */
const QUIET_MS = 3;
/** A line that never falls silent is not waited for longer than this. */
const MOST_QUIET_WAIT_MS = 30;
/** A frame of one start bit, eight data bits, one stop bit. */
const BITS_A_BYTE = 10;
const DEFAULT_ALLOWANCE_MS = 25;

interface Ask {
  readonly frame: Uint8Array;
  /** In the order in which they will answer; empty when nobody does. */
  readonly ids: readonly number[];
  readonly bodyBytes: number;
  readonly done: (attempt: Attempt) => void;
  readonly waitMs: number | null;
  readonly onlyIf: () => boolean;
}

interface Attempt {
  readonly replies: ReadonlyMap<number, Packet>;
  readonly reasons: ReadonlyMap<number, LostReason>;
  readonly atMs: number;
  readonly echoed: boolean;
}

export function createBus(link: ByteLink, options: BusOptions): Bus {
  const { clock } = options;
  const baud = options.baud ?? 1_000_000;
  const allowanceMs = options.allowanceMs ?? DEFAULT_ALLOWANCE_MS;
  const decoder = createDecoder('status');
  const queue: Ask[] = [];
  const tally = { requests: 0, retries: 0, lost: 0, stray: 0, bytesOut: 0, bytesIn: 0 };
  let roundTrip: { last: number; worst: number } | null = null;
  let echo: boolean | null = null;
  let lookingForEcho: Promise<void> | null = null;
  let lineOpen = true;
  let onLine: OnLine | null = null;
  let running = false;
  let lastByteMs = Number.NEGATIVE_INFINITY;
  let deadline: { readonly atMs: number; readonly wake: () => void } | null = null;
  let watching = false;

  link.onBytes((bytes) => {
    tally.bytesIn += bytes.length;
    lastByteMs = clock.nowMs();
    if (onLine === null) {
      // Nobody asked. Whole packets are counted as strays, the rest as junk.
      tally.stray += decoder.push(bytes).length;
      return;
    }
    onLine.take(bytes);
  });
  link.onLost(() => {
    lineOpen = false;
    onLine?.finish('closed');
    giveUpWaiting();
  });

  function giveUpWaiting(): void {
    for (const ask of queue.splice(0)) ask.done(nothing(ask, 'closed'));
  }

  function nothing(ask: Ask, reason: LostReason): Attempt {
    return { replies: new Map(), reasons: new Map(ask.ids.map((id) => [id, reason])), atMs: clock.nowMs(), echoed: false };
  }

  /** One sleeper for all deadlines: sleeps cannot be cancelled, and one a request would pile up. */
  async function watchDeadlines(): Promise<void> {
    if (watching) return;
    watching = true;
    while (deadline !== null) {
      await clock.sleepUntil(deadline.atMs);
      if (deadline !== null && clock.nowMs() >= deadline.atMs) {
        const { wake } = deadline;
        deadline = null;
        wake();
      }
    }
    watching = false;
  }

  function wireMs(bytes: number): number {
    return (bytes * BITS_A_BYTE * 1000) / baud;
  }

  function enqueue(ask: Omit<Ask, 'done'>, urgency: 'urgent' | 'normal'): Promise<Attempt> {
    if (queue.length >= MOST_WAITING) return Promise.reject(new FailureError('internal', { message: `${queue.length} requests wait for the servo bus` }));
    return new Promise((done) => {
      if (urgency === 'urgent') queue.unshift({ ...ask, done });
      else queue.push({ ...ask, done });
      void run();
    });
  }

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    for (let ask = queue.shift(); ask !== undefined; ask = queue.shift()) ask.done(ask.onlyIf() ? await put(ask) : nothing(ask, 'silent'));
    running = false;
  }

  /** Puts one request on the line and waits for its answers, its echo, or its deadline. */
  async function put(ask: Ask): Promise<Attempt> {
    if (!lineOpen) return nothing(ask, 'closed');
    tally.stray += decoder.flush().length;
    decoder.expect(ask.bodyBytes);
    const atMs = clock.nowMs();
    tally.requests++;
    tally.bytesOut += ask.frame.length;
    const answerBytes = ask.ids.length * (ask.bodyBytes + FRAME_BYTES) + (echo === true ? ask.frame.length : 0);
    let settle = (): void => undefined;
    const finished = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const earliestMs = atMs + wireMs(ask.frame.length);
    const line = createOnLine(ask, { echo, decoder, badChecksums: () => decoder.counts().badChecksums, tooEarly: () => clock.nowMs() < earliestMs }, () => settle());
    onLine = line;
    // Deadline first: virtual servos may answer inside write.
    deadline = { atMs: atMs + wireMs(ask.frame.length + answerBytes) + (ask.waitMs ?? allowanceMs), wake: () => line.finish('deadline') };
    void watchDeadlines();
    try {
      await link.write(ask.frame);
    } catch {
      lineOpen = false;
      line.finish('closed');
    }
    if (ask.ids.length === 0 && echo !== true && ask.waitMs === null) line.finish('sent');
    await finished;
    onLine = null;
    deadline = null;
    tally.stray += line.strays;
    if (line.end === 'all') {
      const tookMs = clock.nowMs() - atMs;
      roundTrip = { last: tookMs, worst: Math.max(roundTrip?.worst ?? 0, tookMs) };
    }
    // What comes after a deadline belongs to nobody and must not be taken for the next answer.
    if (line.end === 'deadline' && ask.waitMs === null) await quiet();
    decoder.expect(Number.POSITIVE_INFINITY);
    return { replies: line.replies, reasons: line.reasons(), atMs, echoed: line.echoed };
  }

  async function quiet(): Promise<void> {
    const fromMs = clock.nowMs();
    const limitMs = fromMs + MOST_QUIET_WAIT_MS;
    for (;;) {
      const quietAtMs = Math.min(limitMs, Math.max(fromMs, lastByteMs) + QUIET_MS);
      if (!lineOpen || clock.nowMs() >= quietAtMs) return;
      await clock.sleepUntil(quietAtMs);
    }
  }

  /** A READ to everybody of one byte: nobody answers it, and its echo (length 4) could not be an answer to it (length 3). */
  function lookForEcho(): Promise<void> {
    lookingForEcho ??= enqueue({ frame: encodeRead(BROADCAST_ID, 5, 1), ids: [], bodyBytes: 2, waitMs: allowanceMs, onlyIf: () => true }, 'urgent').then((attempt) => {
      echo = attempt.echoed;
    });
    return lookingForEcho;
  }

  async function ask(request: Omit<Ask, 'done' | 'waitMs' | 'onlyIf'>, askOptions: AskOptions): Promise<Attempt> {
    if (echo === null) await lookForEcho();
    return await enqueue({ ...request, waitMs: null, onlyIf: askOptions.onlyIf ?? (() => true) }, askOptions.urgency ?? 'normal');
  }

  async function one(id: number, frame: Uint8Array, bodyBytes: number, askOptions: AskOptions): Promise<ServoReply> {
    const reasons: LostReason[] = [];
    for (let attempt = 0; attempt < (askOptions.attempts ?? 2); attempt++) {
      if (attempt > 0) tally.retries++;
      const { replies, reasons: why, atMs } = await ask({ frame, ids: [id], bodyBytes }, askOptions);
      const packet = replies.get(id);
      if (packet !== undefined) return { kind: 'ok', id, errors: packet.third, data: packet.body, atMs };
      const reason = why.get(id) ?? 'silent';
      reasons.push(reason);
      if (reason === 'closed') break;
    }
    tally.lost++;
    return { kind: 'lost', id, reasons };
  }

  async function tell(frame: Uint8Array, askOptions: AskOptions): Promise<void> {
    await ask({ frame, ids: [], bodyBytes: 0 }, askOptions);
    if (!lineOpen) throw new FailureError('arm/port-lost', { reason: 'write' });
  }

  return {
    get echo() {
      return echo;
    },
    get open() {
      return lineOpen;
    },
    get waiting() {
      return queue.length;
    },
    ping: (id, askOptions = {}) => one(id, encodePing(id), 0, askOptions),
    read: (id, address, count, askOptions = {}) => one(id, encodeRead(id, address, count), count, askOptions),
    write: (id, address, data, askOptions = {}) => one(id, encodeWrite(id, address, data), 0, askOptions),
    broadcastWrite: (address, data, askOptions = {}) => tell(encodeWrite(BROADCAST_ID, address, data), askOptions),
    syncWrite: (address, entries, askOptions = {}) => tell(encodeSyncWrite(address, entries), askOptions),
    instruct: (id, instruction, askOptions = {}) => tell(encodeFrame(id, instruction, []), askOptions),
    async syncRead(ids, address, count, askOptions = {}) {
      const { replies, reasons, atMs } = await ask({ frame: encodeSyncRead(ids, address, count), ids, bodyBytes: count }, askOptions);
      const attempts = (askOptions.attempts ?? 2) - 1;
      const all: ServoReply[] = [];
      for (const id of ids) {
        const packet = replies.get(id);
        if (packet !== undefined) {
          all.push({ kind: 'ok', id, errors: packet.third, data: packet.body, atMs });
          continue;
        }
        const first = reasons.get(id) ?? 'silent';
        if (attempts < 1 || first === 'closed') {
          tally.lost++;
          all.push({ kind: 'lost', id, reasons: [first] });
          continue;
        }
        tally.retries++;
        const again = await one(id, encodeRead(id, address, count), count, { ...askOptions, attempts });
        all.push(again.kind === 'ok' ? again : { ...again, reasons: [first, ...again.reasons] });
      }
      return all;
    },
    counts() {
      const { junkBytes, badChecksums } = decoder.counts();
      return {
        requests: tally.requests,
        retries: tally.retries,
        lost: tally.lost,
        badChecksums,
        junkBytes,
        strayPackets: tally.stray,
        bytesOut: tally.bytesOut,
        bytesIn: tally.bytesIn,
        lastRoundTripMs: roundTrip?.last ?? null,
        worstRoundTripMs: roundTrip?.worst ?? null,
      };
    },
    async close() {
      lineOpen = false;
      onLine?.finish('closed');
      giveUpWaiting();
      await link.close();
    },
  };
}

type End = 'all' | 'sent' | 'deadline' | 'closed';

/** The request on the line: what has come for it so far. */
interface OnLine {
  take(bytes: Uint8Array): void;
  finish(end: End): void;
  readonly replies: ReadonlyMap<number, Packet>;
  readonly strays: number;
  readonly echoed: boolean;
  readonly end: End | null;
  reasons(): ReadonlyMap<number, LostReason>;
}

interface LineState {
  readonly echo: boolean | null;
  readonly decoder: ReturnType<typeof createDecoder>;
  readonly badChecksums: () => number;
  /** The request itself is still on the wire: nothing can answer it yet. */
  readonly tooEarly: () => boolean;
}

function createOnLine(ask: Ask, { echo, decoder, badChecksums, tooEarly }: LineState, done: () => void): OnLine {
  const replies = new Map<number, Packet>();
  const wrongLength = new Set<number>();
  const badAtFirst = badChecksums();
  /** Bytes before our own echo was seen; only on a line that echoes or may. */
  let raw: number[] = [];
  let echoed = false;
  let bytes = 0;
  let strays = 0;
  let othersSeen = false;
  let newest = -1;
  let end: End | null = null;

  const finish = (how: End): void => {
    if (end !== null) return;
    if (how === 'deadline') accept(decoder.flush());
    if (end !== null) return; // the flush brought the last answer
    end = how;
    done();
  };
  const accept = (packets: readonly Packet[]): void => {
    for (const packet of packets) {
      const order = ask.ids.indexOf(packet.id);
      if (order < 0) {
        othersSeen = true;
        strays++;
      } else if (packet.body.length !== ask.bodyBytes) {
        wrongLength.add(packet.id);
        strays++;
      } else {
        // Stepping back in the order of the ids: what came before was for an earlier request.
        if (order <= newest) {
          for (const id of ask.ids.slice(order, newest + 1)) if (replies.delete(id)) strays++;
        }
        newest = order;
        replies.set(packet.id, packet);
      }
    }
    if (ask.ids.length > 0 && replies.size === ask.ids.length && end === null) {
      end = 'all';
      done();
    }
  };

  return {
    take(portion) {
      bytes += portion.length;
      if (echo === false || echoed) {
        const packets = decoder.push(portion);
        // Without this a bus that once fell one answer behind would stay behind for ever.
        if (echo === false && tooEarly()) strays += packets.length;
        else accept(packets);
        return;
      }
      for (const byte of portion) raw.push(byte);
      const at = indexOfBytes(raw, ask.frame);
      if (at < 0) return;
      echoed = true;
      const rest = raw.slice(at + ask.frame.length);
      raw = [];
      if (ask.ids.length === 0) finish('all');
      else accept(decoder.push(rest));
    },
    finish,
    replies,
    get strays() {
      return strays;
    },
    get echoed() {
      return echoed;
    },
    get end() {
      return end;
    },
    reasons() {
      const why = new Map<number, LostReason>();
      for (const id of ask.ids) {
        if (replies.has(id)) continue;
        if (end === 'closed') why.set(id, 'closed');
        else if (echo === true && !echoed) why.set(id, bytes === 0 ? 'silent' : 'no-echo');
        else if (wrongLength.has(id)) why.set(id, 'wrong-length');
        else if (badChecksums() > badAtFirst) why.set(id, 'checksum');
        else if (othersSeen) why.set(id, 'wrong-id');
        else why.set(id, bytes === 0 || replies.size > 0 ? 'silent' : 'short');
      }
      return why;
    },
  };
}

function indexOfBytes(bytes: readonly number[], wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= bytes.length; at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
