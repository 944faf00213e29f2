/**
 * An action chunk: what the policy wants the joints to do for the next rows x (1 / fps) seconds.
 *
 *   row        0        1        2      ...   rows-1
 *   for tick   t0       t0+1     t0+2         t0+rows-1        t0 = `observedTick`
 *
 * Rows whose tick has passed when the chunk arrives are dropped (LeRobot's async client drops timesteps <= latest).
 *
 * These ticks count the rows that a run has played, from 0. A tick on which a dry queue held the pose does not count,
 * as in LeRobot: counted by the wall clock, a machine slower than its own chunks would drop every row as passed.
 */
export interface ActionChunk {
  /** Counts up within a run, from 0. */
  readonly index: number;
  readonly runId: number;
  /** Tick of the run at which the observation was asked for; row 0 belongs to it. */
  readonly observedTick: number;
  readonly rows: number;
  /** Action dimensions a row, 6 for our arms. */
  readonly columns: number;
  /** rows x columns, LeRobot joint units, row-major. Moved, never shared. */
  readonly actions: Float32Array;
  /** Time of the oldest thing it was computed from. */
  readonly observedAtMs: number;
  readonly computedAtMs: number;
  /** What it was computed without; absent: nothing. */
  readonly reduction?: ChunkReduction;
}

/** What a chunk was computed without, because the machine was too slow for all of it (`core/chunks/ladder.ts`). */
export interface ChunkReduction {
  /** From 1; each gives up more. */
  readonly rung: number;
  /** Denoising steps it was computed in. */
  readonly steps: number;
  /** The cameras it looked through, as the robot names them. */
  readonly cameras: readonly string[];
}

/** Where the milliseconds of one chunk went. */
export interface ChunkTimings {
  readonly observeMs: number;
  readonly preprocessMs: number;
  readonly visionMs: number;
  readonly prefixMs: number;
  readonly denoiseMs: number;
  readonly totalMs: number;
}
