/**
 * Keys that move a joint while they are held: upper row more, middle row less, one column a joint; and to their right six that move the
 * fingers through the room: I K away and near, J L to the sides, U N up and down. They work only while
 * the focus is in the joints panel or on the stage, so that no letter typed elsewhere ever moves the arm. Keys are taken
 * by place on the keyboard, not by letter, so that the columns stay columns on any layout.
 */
import { useEffect, type RefObject } from 'react';
import { useSession } from '../context.ts';
import { JOINT_MARKS } from '../joint-marks.ts';

/** Degrees (gripper: percent) a second. A third of what the safety gate lets through, so that it never limits a jog. */
const UNITS_PER_SECOND = 30;
/** Half of what an arm of servos may do at first. */
const METRES_PER_SECOND = 0.05;
/** Elements that carry this attribute let the keys through; the stage does. */
export const JOG_AREA = 'data-jog';

export function useJog(panel: RefObject<HTMLElement | null>, enabled: boolean): void {
  const session = useSession();
  useEffect(() => {
    if (!enabled) return;
    const held = new Map<string, Jog>();
    let frame = 0;
    let previousMs = 0;

    const step = (nowMs: number): void => {
      const seconds = Math.min(0.1, (nowMs - previousMs) / 1000);
      previousMs = nowMs;
      for (const jog of held.values()) {
        const moved = jog.kind === 'joint' ? session.nudge(jog.joint, jog.direction * UNITS_PER_SECOND * seconds) : session.nudgeGrip([jog.way[0] * METRES_PER_SECOND * seconds, jog.way[1] * METRES_PER_SECOND * seconds, jog.way[2] * METRES_PER_SECOND * seconds]);
        moved.catch(() => held.clear());
      }
      frame = held.size > 0 ? requestAnimationFrame(step) : 0;
    };
    const down = (event: KeyboardEvent): void => {
      const key = jogKey(event.code);
      if (key === null || event.ctrlKey || event.metaKey || event.altKey || !inside(event.target, panel.current)) return;
      event.preventDefault();
      held.set(event.code, key);
      if (frame === 0) {
        previousMs = performance.now();
        frame = requestAnimationFrame(step);
      }
    };
    const up = (event: KeyboardEvent): void => void held.delete(event.code);
    // Keys let go outside the window are never heard of.
    const release = (): void => held.clear();

    window.addEventListener('keydown', down);
    window.addEventListener('keyup', up);
    window.addEventListener('blur', release);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener('keydown', down);
      window.removeEventListener('keyup', up);
      window.removeEventListener('blur', release);
    };
  }, [session, panel, enabled]);
}

type Jog = { readonly kind: 'joint'; readonly joint: number; readonly direction: 1 | -1 } | { readonly kind: 'grip'; readonly way: readonly [number, number, number] };

/** The arm looks along -y; its left hand is at +x. */
const GRIP_KEYS: Readonly<Record<string, readonly [number, number, number]>> = { KeyI: [0, -1, 0], KeyK: [0, 1, 0], KeyJ: [1, 0, 0], KeyL: [-1, 0, 0], KeyU: [0, 0, 1], KeyN: [0, 0, -1] };

function jogKey(code: string): Jog | null {
  const way = GRIP_KEYS[code];
  if (way !== undefined) return { kind: 'grip', way };
  for (const [joint, { keys }] of JOINT_MARKS.entries()) {
    if (keys[0] === code) return { kind: 'joint', joint, direction: -1 };
    if (keys[1] === code) return { kind: 'joint', joint, direction: 1 };
  }
  return null;
}

function inside(target: EventTarget | null, panel: HTMLElement | null): boolean {
  if (!(target instanceof Element)) return false;
  return panel?.contains(target) === true || target.closest(`[${JOG_AREA}]`) !== null;
}
