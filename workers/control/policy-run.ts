/**
 * One run of a policy, as control sees it: chunks come in, a wanted pose goes out each tick, the next chunk is asked for
 * in time, and everything is counted for the report. It knows rows and radians; it knows no gate, no arm and no thread.
 *
 * Rows are `fps` a second, ticks `rateHz`. Where they differ, a tick is a point on the line from the last row to the
 * current one (LeRobot's ActionInterpolator), or several rows pass in a tick. Where they are equal a tick is a row.
 *
 *   share of the current row covered     rate 60, fps 30:  .5  1  .5  1      wanted = previous + share (current - previous)
 */
import type { ActionChunk } from '#contracts/chunk.ts';
import type { ControlToInference, PlanDisagreement, RunControlReport, RunStart, SafetyRule, TickReport } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { asking, type Asking } from '#core/chunks/asking.ts';
import { chunkQueue, type ChunkQueue, type PlayedChunk } from '#core/chunks/queue.ts';
import { ring } from '#core/lib/ring.ts';
import { unreachable } from '#core/lib/never.ts';
import { unitsVectorToRadians } from '#core/robots/units.ts';
import type { Wanted } from '#core/safety/gate.ts';
import { jitterMeter } from '#core/telemetry/jitter.ts';
import type { TickTime } from './schedule.ts';

const TRACE_TICKS = 36_000;
const MOST_FAULTS = 100;
const MOST_DISAGREEMENTS = 10_000;
/** Pause between a failed chunk and the next request. */
const RETRY_AFTER_MS = 500;
/** Share of a row below which a sum of shares counts as whole: 1/3 + 1/3 + 1/3 rows are one row. */
const ROUNDING = 1e-9;

export class PolicyRun {
  readonly #start: RunStart;
  readonly #queue: ChunkQueue;
  readonly #asking: Asking;
  readonly #rowsPerTick: number;
  readonly #fps: number;
  readonly #trace = ring<TickReport>(TRACE_TICKS);
  readonly #jitter = jitterMeter();
  readonly #clamps: Partial<Record<SafetyRule, number>> = {};
  readonly #faults: Failure[] = [];
  readonly #disagreements: PlanDisagreement[] = [];
  #disagreement: PlanDisagreement | null = null;
  #ticks = 0;
  #chunksPlayed = 0;
  #chunksExpired = 0;
  #heldTicks = 0;
  #failure: Failure | null = null;
  #previous: Float64Array | null = null;
  #current: Float64Array | null = null;
  /** Share of the current row already covered; 1 wants the next row. */
  #covered = 1;
  #halted = false;

  constructor(start: RunStart, rateHz: number) {
    this.#start = start;
    this.#fps = start.fps ?? rateHz;
    this.#rowsPerTick = this.#fps / rateHz;
    this.#queue = chunkQueue({ runId: start.runId, columns: JOINT_COUNT, expiryMs: start.chunkExpiryMs, tickMs: 1000 / this.#fps, aggregate: start.aggregate ?? 'latest_only' });
    // An answer that takes longer than a chunk may be old would be refused anyway.
    this.#asking = asking({ askAtShare: start.askAtShare, timeoutMs: start.chunkExpiryMs, retryAfterMs: RETRY_AFTER_MS });
  }

  get runId(): number {
    return this.#start.runId;
  }

  get drive(): 'arm' | 'shadow' {
    return this.#start.drive ?? 'arm';
  }

  /** What stands in the way now; null when chunks flow. */
  get failure(): Failure | null {
    return this.#failure;
  }

  get playing(): (PlayedChunk & { readonly rowsLeft: number; readonly disagreement: PlanDisagreement | null }) | null {
    const current = this.#queue.current;
    return current === null ? null : { ...current, rowsLeft: this.#queue.rowsLeft, disagreement: this.#disagreement };
  }

  get disagreement(): PlanDisagreement | null {
    return this.#disagreement;
  }

  /** What the newest plan's disagreement with the one before asks for; null when they agree, or nobody calibrated it. */
  get doubt(): 'slow' | 'ask' | null {
    const rule = this.#start.disagreement;
    return rule === undefined || this.#disagreement === null || this.#disagreement.mean <= rule.limit ? null : rule.reaction;
  }

  get rowsLeft(): number {
    return this.#queue.rowsLeft;
  }

  /** A chunk from inference. A refused one that anybody should hear of becomes the run's failure. */
  receive(requestId: number, chunk: ActionChunk, nowMs: number): void {
    if (this.#halted) return;
    this.#asking.answered(requestId);
    const offer = this.#queue.offer(chunk, nowMs);
    switch (offer.kind) {
      case 'accepted':
        this.#chunksPlayed++;
        this.#failure = null;
        this.#disagreement = offer.disagreement;
        if (offer.disagreement !== null && this.#disagreements.length < MOST_DISAGREEMENTS) this.#disagreements.push(offer.disagreement);
        return;
      case 'outdated':
        return;
      case 'passed':
        this.#chunksExpired++;
        return;
      case 'expired':
        this.#chunksExpired++;
        this.fail({ code: 'policy/timeout', facts: { limitMs: this.#start.chunkExpiryMs, ageMs: Math.round(offer.ageMs) } });
        return;
      case 'wrong-size':
        this.fail({ code: 'control/out-of-range', facts: { what: 'numbers in an action chunk', found: offer.found, least: JOINT_COUNT, most: JOINT_COUNT } });
        return;
      case 'not-finite':
        this.fail({ code: 'policy/output-not-finite', facts: { row: offer.row, column: offer.column } });
        return;
      default:
        unreachable(offer);
    }
  }

  /** Inference could not make a chunk: what it still holds was planned for another moment, so the arm holds at once. */
  chunkFailed(requestId: number, failure: Failure, nowMs: number): void {
    if (this.#halted || !this.#asking.failed(requestId, nowMs)) return;
    this.fail(failure);
  }

  /** Whoever answered is gone; a new one may come. */
  inferenceLost(failure: Failure): void {
    this.#asking.forget();
    this.fail(failure);
  }

  /** Holds, and says why. The run goes on: the next good chunk clears it. */
  fail(failure: Failure): void {
    this.dropRows();
    this.note(failure);
    this.#failure = failure;
  }

  /** For the report, once per onset. */
  note(failure: Failure): void {
    if (this.#faults.length < MOST_FAULTS) this.#faults.push(failure);
  }

  /** What was planned means nothing any more. */
  dropRows(): void {
    this.#queue.clear();
    this.#forgetRow();
  }

  /** Stop, or the end: no row is played any more and none is asked for. */
  halt(): void {
    this.#halted = true;
    this.dropRows();
  }

  /** Where the next tick is wanted, radians; null when dry, and the tick counts as held. */
  next(nowMs: number): Wanted | null {
    const waitedMs = this.#asking.overdue(nowMs);
    if (waitedMs !== null) this.fail({ code: 'policy/timeout', facts: { limitMs: this.#start.chunkExpiryMs, waitedMs: Math.round(waitedMs) } });
    let taken = 0;
    while (this.#covered >= 1 - ROUNDING) {
      const row = this.#queue.take(nowMs);
      if (row === null && taken === 0) {
        this.#heldTicks++;
        this.#forgetRow();
        return null;
      }
      // The last rows of a chunk may be fewer than a tick takes.
      if (row === null) break;
      taken++;
      this.#previous = this.#current;
      this.#current = unitsVectorToRadians(row);
      this.#covered -= 1;
    }
    this.#covered = Math.min(1, Math.max(0, this.#covered));
    this.#covered += this.#rowsPerTick;
    return this.#current === null ? null : { positions: between(this.#previous, this.#current, this.#covered), velocities: this.#velocities() };
  }

  /** A tick that could not be played because the arm's state is unknown: it counts as held. */
  held(): void {
    this.#heldTicks++;
  }

  /** The request to send now, or null. `observedTick` is the row that is due next. */
  ask(nowMs: number): ControlToInference | null {
    if (this.#halted) return null;
    const requestId = this.#asking.next({ nowMs, rowsLeft: this.#queue.rowsLeft, chunkRows: this.#queue.current?.rows ?? 0 });
    return requestId === null ? null : { kind: 'want-chunk', runId: this.#start.runId, requestId, tick: this.#queue.tick };
  }

  /** The rest of the chunk, one pose a tick. */
  coming(): Wanted[] {
    const rows = this.#queue.coming(Number.POSITIVE_INFINITY).map((row) => unitsVectorToRadians(row));
    const count = Math.floor(rows.length / this.#rowsPerTick + ROUNDING);
    const poseAt = (k: number): Float64Array | null => {
      const x = k * this.#rowsPerTick - 1;
      const row = Math.max(0, Math.ceil(x - ROUNDING));
      const to = rows[row];
      return to === undefined ? null : between(rows[row - 1] ?? this.#current, to, 1 - (row - x));
    };
    return Array.from({ length: count }, (_, i): Wanted | null => {
      const pose = poseAt(i + 1);
      if (pose === null) return null;
      const after = poseAt(i + 2);
      const rate = this.#fps / this.#rowsPerTick;
      return { positions: pose, velocities: after === null ? null : after.map((p, j) => (p - (pose[j] as number)) * rate) };
    }).filter((wanted) => wanted !== null);
  }

  record(report: TickReport, time: TickTime): void {
    this.#ticks++;
    this.#trace.push(report);
    this.#jitter.tick(time.lateMs, time.skipped);
    for (const rule of report.rules) this.#clamps[rule] = (this.#clamps[rule] ?? 0) + 1;
  }

  report(): RunControlReport {
    return {
      ticks: this.#ticks,
      chunksPlayed: this.#chunksPlayed,
      chunksExpired: this.#chunksExpired,
      heldTicks: this.#heldTicks,
      clamps: { ...this.#clamps },
      faults: [...this.#faults],
      disagreements: [...this.#disagreements],
      jitter: this.#jitter.summary(),
      trace: this.#trace.toArray(),
    };
  }

  /** After a hold the arm is where it came to rest, so the next row is played as it is, from nowhere. */
  #forgetRow(): void {
    this.#previous = null;
    this.#current = null;
    this.#covered = 1;
  }

  /** How fast the wanted pose moves on after this tick, so that the gate need not brake before each row. */
  #velocities(): Float64Array | null {
    const current = this.#current;
    if (current === null) return null;
    if (this.#covered < 1 - ROUNDING) {
      const previous = this.#previous;
      return previous === null ? null : current.map((to, i) => (to - (previous[i] as number)) * this.#fps);
    }
    const row = this.#queue.coming(1)[0];
    return row === undefined ? null : unitsVectorToRadians(row).map((to, i) => (to - (current[i] as number)) * this.#fps);
  }
}

function between(from: Float64Array | null, to: Float64Array, share: number): Float64Array {
  if (from === null || share >= 1 - ROUNDING) return to.slice();
  return to.map((value, i) => (from[i] as number) + (value - (from[i] as number)) * share);
}
