/**
 * The virtual hand: carries the limp virtual arm to the middle, then each joint from stop to stop, in poses in which nothing hits the
 * table. It does what a person's hand does and presses no button that writes.
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { Session } from '#page/session/session.ts';

type Pose = readonly number[];

/** While one joint is swept the others stand so that there is room: the elbow folded up for the shoulder, the shoulder back for the elbow. */
const ROOM: Readonly<Record<number, readonly (readonly [joint: number, angle: number])[]>> = {
  1: [[2, -1.65]],
  2: [[1, -1.05]],
  3: [[1, -0.5]],
};
const ROLL = JOINT_NAMES.indexOf('wrist_roll');
/** The hand carries 3.5 rad/s. */
const HAND_RAD_PER_S = 3.2;
const SETTLE_MS = 250;

export async function sweepByHand(session: Session): Promise<void> {
  const { robot, world } = session.stores;
  const joints = world.getState().scene?.description.robot.joints;
  if (joints === undefined) return;
  /** The drawn arm's stops, radians, and the middle between them. */
  const stops = joints.map(({ least, most }) => [least, most] as const);
  const middle: Pose = stops.map(([least, most]) => (least + most) / 2);
  let at: Pose = middle.map(() => 0);
  const carry = async (pose: Pose): Promise<void> => {
    if (robot.getState().calibrating === null) return;
    const way = Math.max(...pose.map((angle, i) => Math.abs(angle - (at[i] ?? 0))));
    await session.virtualHand(pose);
    at = pose;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS + (1000 * way) / HAND_RAD_PER_S));
  };
  await carry(middle);
  // Up from wherever it lay: twice the time.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  if (robot.getState().calibrating?.step === 'homing') await session.calibrationHome();
  for (const [joint, ends] of stops.entries()) {
    if (joint === ROLL) continue;
    const room = middle.map((angle, i) => ROOM[joint]?.find(([other]) => other === i)?.[1] ?? angle);
    await carry(room);
    for (const stop of ends) await carry(room.map((angle, i) => (i === joint ? stop : angle)));
    await carry(room);
  }
  await carry(middle);
}
