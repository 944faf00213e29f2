/**
 * The chunk queue: action chunks in, one row per tick out. Newest wins; there is never more in it than one chunk.
 *
 *   tick        7   8   9  10  11  12  13  14  15
 *   in queue            o   o   o   o               next row to play is for tick 9
 *   arrives     n   n   n   n   n   n   n   n       observed at tick 7
 *   in queue            a   a   a   a   n   n       7 and 8 have passed; a = aggregate(o, n)
 *
 * The queue is replaced by exactly this list, as in LeRobot: old rows beyond the new chunk vanish. Ticks count rows
 * played (`contracts/chunk.ts`), so a dry queue stands still and the next chunk goes on where the last one ended.
 *
 * It knows no joints, no radians and no clock: the time is handed in.
 */
import type { ActionChunk, ChunkReduction } from '#contracts/chunk.ts';
import type { Aggregate, PlanDisagreement } from '#contracts/control.ts';
import { aggregateRows } from './aggregate.ts';
import { disagreement } from './disagreement.ts';

export interface QueueSettings {
  readonly runId: number;
  /** Numbers a row must have. */
  readonly columns: number;
  /** A chunk whose observation is older than this when it arrives is refused. */
  readonly expiryMs: number;
  /** Milliseconds a row plays for. */
  readonly tickMs: number;
  readonly aggregate: Aggregate;
}

export type Offer =
  | { readonly kind: 'accepted'; readonly rowsDropped: number; readonly rowsQueued: number; readonly disagreement: PlanDisagreement | null }
  /** Of another run, or not newer than the chunk in hand. Nobody's fault: messages cross. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'expired'; readonly ageMs: number }
  /** Every row's tick has passed. */
  | { readonly kind: 'passed' }
  | { readonly kind: 'wrong-size'; readonly found: number }
  | { readonly kind: 'not-finite'; readonly row: number; readonly column: number };

/** What is being played, for reports. */
export interface PlayedChunk {
  readonly index: number;
  readonly rows: number;
  readonly observedAtMs: number;
  readonly computedAtMs: number;
  readonly reduction?: ChunkReduction;
}

export interface ChunkQueue {
  /** Takes a chunk or says why not; a refused chunk leaves the queue as it was. The chunk's array is copied. */
  offer(chunk: ActionChunk, nowMs: number): Offer;
  /** The row for the next tick, and counts that tick as played; null when dry or expired. */
  take(nowMs: number): Float32Array | null;
  /** The next `count` rows at most, without playing them. */
  coming(count: number): readonly Float32Array[];
  clear(): void;
  /** Tick of the next row to play. */
  readonly tick: number;
  readonly rowsLeft: number;
  /** The newest accepted chunk, also when it is played out; null before the first and after `clear`. */
  readonly current: PlayedChunk | null;
  /** Rows thrown away by `take` because they were too old to play. */
  readonly rowsExpired: number;
}

/** Two threads' clocks agree within a few milliseconds. */
const FUTURE_MS = 1000;

export function chunkQueue(settings: QueueSettings): ChunkQueue {
  let rows: Float32Array[] = [];
  let tick = 0;
  let current: PlayedChunk | null = null;
  let lastIndex = -1;
  let playUntilMs = Number.NEGATIVE_INFINITY;
  let rowsExpired = 0;

  return {
    offer(chunk, nowMs) {
      if (chunk.runId !== settings.runId || chunk.index <= lastIndex) return { kind: 'outdated' };
      if (chunk.columns !== settings.columns) return { kind: 'wrong-size', found: chunk.columns };
      if (chunk.actions.length !== chunk.rows * chunk.columns) return { kind: 'wrong-size', found: chunk.actions.length };
      const ageMs = nowMs - chunk.observedAtMs;
      // From the future: a clock has jumped, and its age is anybody's guess.
      if (!(ageMs <= settings.expiryMs && ageMs >= -FUTURE_MS)) return { kind: 'expired', ageMs };
      const bad = chunk.actions.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) return { kind: 'not-finite', row: Math.floor(bad / chunk.columns), column: bad % chunk.columns };
      const rowsDropped = Math.max(0, tick - chunk.observedTick);
      if (rowsDropped >= chunk.rows) return { kind: 'passed' };

      const next: Float32Array[] = [];
      const fresh: Float32Array[] = [];
      for (let row = rowsDropped; row < chunk.rows; row++) {
        const newer = chunk.actions.slice(row * chunk.columns, (row + 1) * chunk.columns);
        fresh.push(newer);
        const older = rows[chunk.observedTick + row - tick];
        next.push(older === undefined ? newer : aggregateRows(settings.aggregate, older, newer));
      }
      const compared = disagreement(rows, fresh);
      const played = disagreement(rows, next);
      // An observation from the future of this run cannot be; it would only mean that row 0 is due now.
      rows = next;
      lastIndex = chunk.index;
      current = { index: chunk.index, rows: chunk.rows, observedAtMs: chunk.observedAtMs, computedAtMs: chunk.computedAtMs, ...(chunk.reduction === undefined ? {} : { reduction: chunk.reduction }) };
      // The last moment a row can still be due: the chunk came as late as allowed and was played without a pause.
      playUntilMs = chunk.observedAtMs + settings.expiryMs + chunk.rows * settings.tickMs;
      return { kind: 'accepted', rowsDropped, rowsQueued: rows.length, disagreement: compared === null || played === null ? null : { ...compared, seamPlayed: played.seam } };
    },
    take(nowMs) {
      if (rows.length > 0 && nowMs > playUntilMs) {
        rowsExpired += rows.length;
        rows = [];
      }
      const row = rows.shift();
      if (row === undefined) return null;
      tick++;
      return row;
    },
    coming: (count) => rows.slice(0, count),
    clear() {
      rows = [];
      current = null;
    },
    get tick() {
      return tick;
    },
    get rowsLeft() {
      return rows.length;
    },
    get current() {
      return current;
    },
    get rowsExpired() {
      return rowsExpired;
    },
  };
}
