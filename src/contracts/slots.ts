/**
 * Shared slots: fixed records of numbers in shared memory, one writer, many readers, newest wins (a seqlock; see
 * `core/lib/shared-slot.ts`). This file says what the numbers mean; it holds no code that touches memory.
 */

/** Control writes, the world reads before every physics step. */
export const TARGETS_SLOT = {
  /** Joint targets, radians, JOINT_NAMES order. */
  targets: { at: 0, count: 6 },
  writtenAtMs: { at: 6, count: 1 },
  /** 1 = motors hold, 0 = motors free. */
  torque: { at: 7, count: 1 },
  /** Control tick that made it. */
  tick: { at: 8, count: 1 },
  /** `JOINTS_SLOT.epoch` of the reading it was made after; the world ignores a target of another epoch than its own. */
  epoch: { at: 9, count: 1 },
} as const;
export const TARGETS_SLOT_LENGTH = 10;

/** The world writes after every physics batch, control reads every tick. */
export const JOINTS_SLOT = {
  /** Radians, JOINT_NAMES order. */
  position: { at: 0, count: 6 },
  /** Radians per second. */
  velocity: { at: 6, count: 6 },
  /** Newton metres at the actuator. */
  torque: { at: 12, count: 6 },
  measuredAtMs: { at: 18, count: 1 },
  simSeconds: { at: 19, count: 1 },
  /** Counts resets: a target from before a reset is not for this world. */
  epoch: { at: 20, count: 1 },
  /** Index in ROBOT_NAMES: whose joints these are. A command made for another arm's body is not for this one. */
  robot: { at: 21, count: 1 },
} as const;
export const JOINTS_SLOT_LENGTH = 22;

/** The world writes, the page draws. Followed by 7 numbers a body: x y z, then w x y z. */
export const POSES_SLOT_HEADER = {
  writtenAtMs: { at: 0, count: 1 },
  simSeconds: { at: 1, count: 1 },
  epoch: { at: 2, count: 1 },
  bodyCount: { at: 3, count: 1 },
} as const;
export const POSES_SLOT_HEADER_LENGTH = 4;
export const POSES_SLOT_MAX_BODIES = 24;
export const POSES_SLOT_LENGTH = POSES_SLOT_HEADER_LENGTH + 7 * POSES_SLOT_MAX_BODIES;

/** Control writes every tick; inference and page read. */
export const ARM_SLOT = {
  /** Measured, radians; NaN unless readingKind is 1 or 2. */
  measured: { at: 0, count: 6 },
  /** What the gate let through last, radians; NaN before an arm was connected. */
  target: { at: 6, count: 6 },
  /** What was asked for before the gate, radians; NaN when nothing was. */
  wanted: { at: 12, count: 6 },
  readingAtMs: { at: 18, count: 1 },
  /** 0 failed, 1 fresh, 2 stale. */
  readingKind: { at: 19, count: 1 },
  tick: { at: 20, count: 1 },
  tickAtMs: { at: 21, count: 1 },
  /** Index in CONTROL_MODES. */
  mode: { at: 22, count: 1 },
  /** Rows of the current chunk not yet played. */
  rowsLeft: { at: 23, count: 1 },
  /** 1 where the gate changed the target this tick, per joint. */
  limited: { at: 24, count: 6 },
  /** `JOINTS_SLOT.epoch` of the world that this tick's command was made for; NaN without an arm. */
  epoch: { at: 30, count: 1 },
} as const;
export const ARM_SLOT_LENGTH = 31;

/**
 * The one shortcut: page to control. An Int32Array over its own shared memory, so that Stop passes no store, no React,
 * no queue. The page adds one to `requested`; control, first thing in every tick, copies it to `acknowledged`.
 *
 * Beside it, for the same reason, what else must never wait in a queue: the page adds one to `beat` five times a second
 * for as long as its thread runs, and says in `page` (a sum of PAGE_BITS) whether it is hidden and whether the person
 * holds the key that lets a policy move.
 */
export const STOP_FLAG = { requested: 0, acknowledged: 1, beat: 2, page: 3 } as const;
export const STOP_FLAG_LENGTH = 4;
export const PAGE_BITS = { hidden: 1, holding: 2 } as const;
export const BEAT_EVERY_MS = 200;
/** No acknowledgement within this many milliseconds shows "Stop not confirmed. Switch off the power." */
export const STOP_CONFIRM_MS = 250;
