/**
 * Moving by hand: sliders and keys. Both want more messages than the control worker needs, so only the newest target
 * travels and only one call is under way. It remembers what was asked for last, so that two nudges in one tick add up.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import { solveGrip, type GripGoal } from '#core/robots/inverse-kinematics.ts';
import { gripPose } from '#core/robots/kinematics.ts';
import { rotate } from '#core/robots/transforms.ts';
import { radiansVectorToUnits, unitsVectorToRadians } from '#core/robots/units.ts';
import type { SessionContext } from './context.ts';

export interface ManualVerbs {
  /** Six targets, LeRobot joint units, clamped to the joints' limits. Rejects with `control/busy` while a policy runs. */
  setTargets(targets: readonly number[]): Promise<void>;
  /** Moves the target of one joint; joint units. */
  nudge(joint: number, by: number): Promise<void>;
  setTarget(joint: number, value: number): Promise<void>;
  /** Moves the grip point, metres, the arm looking along -y; the fingers keep their direction where they can. Out of reach nothing moves. */
  nudgeGrip(by: readonly [x: number, y: number, z: number]): Promise<void>;
}

/** Off by more than this is not there. A key asks for a millimetre and a half at a time. */
const REACHED = { positionM: 0.0002, directionRad: 0.05 } as const;

export function manualVerbs(context: SessionContext): ManualVerbs {
  const { house, stores } = context;
  let asked: readonly number[] | null = null;
  let waiting: readonly number[] | null = null;
  let pump: Promise<void> | null = null;

  // What was asked for by hand is history once something else moved the arm.
  context.events.on('mode', ({ mode }) => {
    if (mode !== 'manual') asked = null;
  });
  context.events.on('world', () => {
    asked = null;
  });

  const send = async (): Promise<void> => {
    try {
      while (waiting !== null) {
        const next = Float64Array.from(waiting) as JointUnitsVector;
        waiting = null;
        unwrap(await house.control.api.setManualTargets(next));
      }
    } catch (thrown) {
      waiting = null;
      asked = null;
      throw thrown;
    } finally {
      pump = null;
    }
  };

  const setTargets = (targets: readonly number[]): Promise<void> => {
    if (targets.length !== JOINT_COUNT || !targets.every((value) => Number.isFinite(value))) {
      return Promise.reject(new FailureError('control/out-of-range', { what: 'targets', found: targets.join(', '), least: null, most: null }));
    }
    const { limits } = stores.arm.getState();
    asked = targets.map((value, joint) => {
      const limit = limits[joint];
      return limit === undefined ? value : Math.min(limit.most, Math.max(limit.least, value));
    });
    waiting = asked;
    pump ??= send();
    return pump;
  };

  /** Where a movement by hand starts from: what was asked last, else the target the arm holds. */
  const base = (): readonly number[] => {
    const from = asked ?? context.readArm()?.target ?? null;
    if (from === null) throw new FailureError('arm/not-connected');
    return from;
  };

  return {
    setTargets,
    nudge: async (joint, by) => setTargets(base().map((value, i) => (i === joint ? value + by : value))),
    nudgeGrip: async (by) => {
      const { scene } = stores.world.getState();
      if (scene === null) throw new FailureError('arm/not-connected');
      const { robot } = scene.description;
      const from = unitsVectorToRadians(Float64Array.from(base()) as JointUnitsVector);
      const grip = gripPose(robot, from);
      const position: [number, number, number] = [grip.position[0] + by[0], grip.position[1] + by[1], grip.position[2] + by[2]];
      const approach = rotate(grip.rotation, [0, 0, 1]);
      // Five joints and their stops cannot keep every direction: first the turn about the fingers is given up, then their lean.
      const goals: readonly GripGoal[] = [{ position, approach, closing: rotate(grip.rotation, [1, 0, 0]) }, { position, approach }, { position }];
      for (const goal of goals) {
        const found = solveGrip(robot, goal, from);
        if (found.positionErrorM <= REACHED.positionM && found.directionErrorRad <= REACHED.directionRad) return setTargets([...radiansVectorToUnits(found.angles)]);
      }
    },
    setTarget: async (joint, value) => setTargets(base().map((old, i) => (i === joint ? value : old))),
  };
}
