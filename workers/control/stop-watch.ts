/**
 * What a Stop did: when it was acknowledged, from which tick targets were constant, how far the arm was from them then
 * and a second later. Only watches. A number is only given for a moment at which there was a fresh reading.
 */
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { StopReport } from '#contracts/control.ts';

const DRIFT_AFTER_MS = 1000;

export interface StopWatch {
  /** Once a tick, after the gate. `measured` is null unless fresh. */
  tick(now: { readonly tick: number; readonly nowMs: number; readonly frozen: boolean; readonly target: ArrayLike<number>; readonly measured: ArrayLike<number> | null }): void;
  /** Complete, or null. */
  report(): StopReport | null;
}

export function stopWatch(acknowledgedTick: number, nowMs: number): StopWatch {
  let frozen: { readonly tick: number; readonly atMs: number } | null = null;
  let settlingRad: number | null = null;
  let driftRad: number | null = null;
  return {
    tick(now) {
      if (driftRad !== null || !now.frozen) return;
      frozen ??= { tick: now.tick, atMs: now.nowMs };
      if (now.measured === null) return;
      const away = furthestOff(now.measured, now.target);
      settlingRad ??= away;
      if (now.nowMs - frozen.atMs >= DRIFT_AFTER_MS) driftRad = away;
    },
    report() {
      if (frozen === null || settlingRad === null || driftRad === null) return null;
      return { requestedAtMs: nowMs, acknowledgedAtMs: nowMs, acknowledgedTick, frozenTick: frozen.tick, settlingRad, driftRad };
    },
  };
}

/** A Stop with nothing to brake: no arm, or a limp one. */
export function stopWithoutArm(tick: number, nowMs: number): StopWatch {
  const report: StopReport = { requestedAtMs: nowMs, acknowledgedAtMs: nowMs, acknowledgedTick: tick, frozenTick: tick, settlingRad: null, driftRad: null };
  return { tick: () => undefined, report: () => report };
}

function furthestOff(measured: ArrayLike<number>, target: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < GRIPPER_INDEX; i++) most = Math.max(most, Math.abs((measured[i] as number) - (target[i] as number)));
  return most;
}
