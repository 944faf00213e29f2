/**
 * What a judge may look at, read out of the world: cubes with their speed and whether the gripper touches them, the bowl,
 * the grip point, the joints. Knows the names of the gripper's two links and nothing of any task.
 */
import type { Quaternion } from '#contracts/robot.ts';
import type { CubeState, PhysicsView } from '#contracts/task.ts';
import { gripPose } from '#core/robots/kinematics.ts';
import { norm } from '#core/robots/transforms.ts';
import type { World } from './world.ts';

/** The links that hold things. */
const FINGERS: ReadonlySet<string> = new Set(['gripper', 'jaw']);

export function physicsView(world: World): PhysicsView {
  const { objects, robot } = world.scene;
  const touched = new Set<string>();
  for (const { bodyA, bodyB, normalForce } of world.contacts()) {
    if (normalForce <= 0) continue;
    if (FINGERS.has(bodyA)) touched.add(bodyB);
    if (FINGERS.has(bodyB)) touched.add(bodyA);
  }
  const cubes = objects.flatMap((object): CubeState[] => {
    if (object.kind !== 'cube') return [];
    const pose = world.pose(object.name);
    return [
      {
        colour: object.colour,
        sizeM: object.sizeM,
        position: pose.position,
        yawRad: yawOf(pose.rotation),
        speedMPerS: norm(world.velocity(object.name)),
        touchedByGripper: touched.has(object.name),
      },
    ];
  });
  const bowl = objects.find((object) => object.kind === 'bowl');
  const joints = world.positions();
  return {
    simSeconds: world.simSeconds,
    cubes,
    bowl: bowl === undefined ? null : { position: world.pose(bowl.name).position, radiusM: bowl.radiusM, heightM: bowl.heightM },
    gripPoint: gripPose(robot, joints).position,
    joints,
  };
}

function yawOf([w, x, y, z]: Quaternion): number {
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}
