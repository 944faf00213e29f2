/** A scene by hand: two cubes, a bowl, two cameras. The robot plays no part in perturbations and stays bare. */
import type { RobotDescription } from '#contracts/robot.ts';
import type { SceneDescription } from '#contracts/scene.ts';

const ROBOT: RobotDescription = {
  name: 'so100',
  base: { name: 'base', massKg: 1, centreOfMass: [0, 0, 0], inertia: { diagonal: [1, 1, 1], rotation: [1, 0, 0, 0] }, collision: [] },
  joints: [],
  links: [],
  gripPoint: { position: [0, 0, 0], rotation: [1, 0, 0, 0] },
  homePose: [0, 0, 0, 0, 0, 0],
  restPose: [0, 0, 0, 0, 0, 0],
};

export function smallScene(): SceneDescription {
  const level = [1, 0, 0, 0] as const;
  return {
    robot: ROBOT,
    table: { halfExtents: [0.5, 0.45, 0.02], centre: [0, -0.18, -0.02], colour: [0.1, 0.1, 0.1] },
    objects: [
      { kind: 'cube', name: 'red_cube', colour: 'red', sizeM: 0.03, massKg: 0.02, pose: { position: [0.05, -0.22, 0.015], rotation: level } },
      { kind: 'cube', name: 'blue_cube', colour: 'blue', sizeM: 0.03, massKg: 0.02, pose: { position: [-0.06, -0.2, 0.015], rotation: level } },
      { kind: 'bowl', name: 'bowl', radiusM: 0.06, heightM: 0.035, massKg: 0.12, pose: { position: [0.17, -0.15, 0], rotation: level } },
    ],
    cameras: [
      { key: 'observation.images.front', mount: 'world', pose: { position: [0, -0.62, 0.42], rotation: [0.9, 0.4, 0, 0] }, verticalFovRadians: 0.87 },
      { key: 'observation.images.wrist', mount: 'gripper', pose: { position: [0, 0, 0.06], rotation: level }, verticalFovRadians: 1.2 },
    ].map((camera) => {
      const length = Math.hypot(...camera.pose.rotation);
      const [w, x, y, z] = camera.pose.rotation;
      return { ...camera, pose: { position: camera.pose.position as [number, number, number], rotation: [w / length, x / length, y / length, z / length] as const } };
    }),
    lights: { level: 1, keyPosition: [-0.55, -0.75, 1.3], keyIntensity: 2.4, ambientIntensity: 0.9 },
  };
}
