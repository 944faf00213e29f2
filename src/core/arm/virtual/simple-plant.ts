/**
 * A plant for tests and for the command line: six joints that follow their servos at a speed limit, sag when limp, and can
 * be blocked or moved by hand. No physics beyond that; the arm with physics is `world-plant.ts`.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { JointPlant } from './plant.ts';

export interface SimplePlant extends JointPlant {
  readonly angles: readonly number[];
  /** As a hand would, or a calibration sweep; the joint stays where it is put only while limp. */
  put(joint: number, angle: number): void;
  /** Something solid at `angle`: the joint stays on the side where it is now. Null takes it away. */
  block(joint: number, angle: number | null): void;
  /** Radians a second that a limp joint falls towards its `least`. 0 unless told: a table. */
  sag(radiansPerS: number): void;
}

export interface SimplePlantOptions {
  readonly start: ArrayLike<number>;
  /** Mechanical stops, radians. */
  readonly least: ArrayLike<number>;
  readonly most: ArrayLike<number>;
}

const SPEED_RAD_PER_S = 5;
/** Full load at this much position error: P gain 16 over 12 bits, roughly. */
const FULL_LOAD_RAD = 0.15;
/** Turning the gears costs this much. */
const FRICTION_LOAD = 0.04;

export function simplePlant({ start, least, most }: SimplePlantOptions): SimplePlant {
  const angle = Float64Array.from(start);
  const speed = new Float64Array(JOINT_COUNT);
  const load = new Float64Array(JOINT_COUNT);
  const blocks: ({ readonly at: number; readonly side: 'above' | 'below' } | null)[] = Array.from({ length: JOINT_COUNT }, () => null);
  let sagging = 0;

  const clampMove = (joint: number, to: number): number => {
    const bounded = Math.min(most[joint] as number, Math.max(least[joint] as number, to));
    const wall = blocks[joint];
    if (wall === null || wall === undefined) return bounded;
    return wall.side === 'below' ? Math.min(bounded, wall.at) : Math.max(bounded, wall.at);
  };

  return {
    get angles() {
      return Array.from(angle);
    },
    put(joint, to) {
      angle[joint] = to;
      speed[joint] = 0;
    },
    block(joint, at) {
      blocks[joint] = at === null ? null : { at, side: (angle[joint] as number) >= at ? 'above' : 'below' };
    },
    sag(radiansPerS) {
      sagging = radiansPerS;
    },
    drive(drives, seconds) {
      for (let i = 0; i < JOINT_COUNT; i++) {
        const from = angle[i] as number;
        const drive = drives[i] ?? { goal: null, strength: 0 };
        const aim = drive.goal ?? from - sagging * seconds;
        const step = SPEED_RAD_PER_S * seconds * (drive.goal === null ? 1 : Math.min(1, drive.strength * 4));
        const to = clampMove(i, from + Math.min(step, Math.max(-step, aim - from)));
        angle[i] = to;
        speed[i] = seconds > 0 ? (to - from) / seconds : 0;
        const left = drive.goal === null ? 0 : aim - to;
        const moving = to === from ? 0 : Math.sign(to - from) * FRICTION_LOAD;
        load[i] = drive.goal === null ? 0 : Math.min(drive.strength, Math.max(-drive.strength, left / FULL_LOAD_RAD + moving));
      }
    },
    sense: (joint) => ({ angle: angle[joint] as number, speed: speed[joint] as number, load: load[joint] as number }),
  };
}
