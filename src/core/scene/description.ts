/**
 * The laboratory: a table, an arm, one to four cubes, a bowl, two cameras and a lamp. `sceneFor` turns a reset request
 * into one description; the same request always gives the same one. Knows where things stand, not how they are drawn or
 * simulated.
 *
 *                 +y  behind the arm
 *                  |
 *        -x  ------+------ +x      the arm looks along -y, towards the front camera
 *                 /|\
 *          cubes in a fan before the arm, the bowl beside it
 *
 * An object's pose: a cube's at its centre, a bowl's at the middle of its foot.
 */
import { CUBE_COLOURS, type CameraDescription, type CubeColour, type ResetRequest, type SceneDescription, type SceneObject } from '#contracts/scene.ts';
import { ROBOT_NAMES, type RobotName, type Vector3 } from '#contracts/robot.ts';
import { FailureError } from '#core/lib/failure.ts';
import { seededRandom, type Random } from '#core/lib/random.ts';
import { robotNamed } from '#core/robots/known.ts';
import { SO101_DRAWN } from '#core/robots/so101.ts';
import { aboutAxis, lookAt, NO_ROTATION, placed } from '#core/robots/transforms.ts';

export const FRONT_CAMERA = 'observation.images.front';
export const WRIST_CAMERA = 'observation.images.wrist';

export const CUBE_SIZE_M = 0.03;
/** Hard foam, 0.74 g/cm^3. */
const CUBE_MASS_KG = 0.02;
const BOWL_RADIUS_M = 0.06;
const BOWL_HEIGHT_M = 0.035;
const BOWL_MASS_KG = 0.12;

/** Every pose in the fan can be grasped from above and lifted 10 cm (tested). Measured from the pan axis. */
const FAN = { centre: [0, -0.0452] as const, nearM: 0.15, farM: 0.225, halfAngle: radians(42) };
const BOWL_PLACE = { distanceM: [0.185, 0.205] as const, angle: [radians(52), radians(62)] as const };
/** Centre to centre: two 3 cm cubes and the 3 cm an open finger needs between them. */
const CUBE_GAP_M = 0.065;
const BOWL_GAP_M = BOWL_RADIUS_M + 0.04;

export const DEFAULT_CUBES: readonly CubeColour[] = ['red', 'green', 'blue'];

const FRONT: CameraDescription = {
  key: FRONT_CAMERA,
  mount: 'world',
  // Opposite the arm, above it, tilted down: in a square picture just the bowl on either side, the fan and the arm at home.
  pose: lookAt([0, -0.56, 0.4], [0, -0.13, 0.115], [0, 0, 1]),
  verticalFovRadians: radians(50),
};
/** On a bracket beside the gripper's housing, looking at the fingertips and what lies beyond them; in the frame of an SO-100's gripper. */
const WRIST: CameraDescription = {
  key: WRIST_CAMERA,
  mount: 'gripper',
  pose: lookAt([-0.004, -0.01, 0.062], [-0.006, -0.108, 0], [0, 0, 1]),
  verticalFovRadians: radians(72),
};
const CAMERAS: Readonly<Record<RobotName, readonly CameraDescription[]>> = {
  so100: [FRONT, WRIST],
  // The same place on the same housing.
  so101: [FRONT, { ...WRIST, pose: placed(SO101_DRAWN.gripper, WRIST.pose) }],
};

/**
 * The scene a reset asks for.
 * Throws FailureError `control/out-of-range` for a seed that is no whole number, a light level outside 0..1, an arm that is not
 * described, or cubes that are not one to four different colours.
 */
export function sceneFor(request: ResetRequest): SceneDescription {
  const colours = request.cubes ?? DEFAULT_CUBES;
  const lightLevel = request.lightLevel ?? 1;
  const robot = request.robot ?? 'so100';
  requireRange('seed', request.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (!Number.isInteger(request.seed)) throw new FailureError('control/out-of-range', { what: 'seed', found: request.seed, least: 0, most: 2 ** 32 });
  requireRange('lightLevel', lightLevel, 0, 1);
  requireRange('cubes', colours.length, 1, CUBE_COLOURS.length);
  if (!ROBOT_NAMES.includes(robot)) throw new FailureError('control/out-of-range', { what: 'robot', found: String(robot), least: ROBOT_NAMES[0], most: ROBOT_NAMES.at(-1) ?? '' });
  requireRange('differentCubes', new Set(colours).size, colours.length, colours.length);
  return {
    robot: robotNamed(robot),
    table: { halfExtents: [0.5, 0.45, 0.02], centre: [0, -0.18, -0.02], colour: [0.82, 0.8, 0.76] },
    objects: placedObjects(colours, seededRandom(request.seed).fork('placement')),
    cameras: CAMERAS[robot],
    lights: { level: lightLevel, keyPosition: [-0.55, -0.75, 1.3], keyIntensity: 2.4, ambientIntensity: 0.9 },
  };
}

function placedObjects(colours: readonly CubeColour[], random: Random): readonly SceneObject[] {
  const bowl = bowlPlace(random);
  const spots: Vector3[] = [];
  // A fan without room left is rare (four cubes, unlucky draws): start over rather than squeeze one in.
  for (let draws = 0; spots.length < colours.length; draws++) {
    if (draws % 100 === 99) spots.length = 0;
    if (draws > 10_000) throw new Error('no room for the cubes');
    const spot = cubePlace(random);
    if (distance(spot, bowl) >= BOWL_GAP_M && spots.every((other) => distance(spot, other) >= CUBE_GAP_M)) spots.push(spot);
  }
  const cubes = colours.map((colour, i): SceneObject => {
    const rotation = aboutAxis([0, 0, 1], random.between(-Math.PI / 4, Math.PI / 4));
    return { kind: 'cube', name: `${colour}_cube`, colour, sizeM: CUBE_SIZE_M, massKg: CUBE_MASS_KG, pose: { position: spots[i] ?? [0, 0, 0], rotation } };
  });
  return [
    ...cubes,
    { kind: 'bowl', name: 'bowl', radiusM: BOWL_RADIUS_M, heightM: BOWL_HEIGHT_M, massKg: BOWL_MASS_KG, pose: { position: bowl, rotation: NO_ROTATION } },
  ];
}

function cubePlace(random: Random): Vector3 {
  // The square root spreads spots evenly over the fan's area.
  const reach = Math.sqrt(random.between(FAN.nearM ** 2, FAN.farM ** 2));
  return around(reach, random.between(-FAN.halfAngle, FAN.halfAngle), CUBE_SIZE_M / 2);
}

function bowlPlace(random: Random): Vector3 {
  const side = random.uniform() < 0.5 ? -1 : 1;
  return around(random.between(...BOWL_PLACE.distanceM), side * random.between(...BOWL_PLACE.angle), 0);
}

/** A point at `reach` from the pan axis; angle 0 is straight ahead, positive to +x. */
function around(reach: number, angle: number, z: number): Vector3 {
  return [FAN.centre[0] + reach * Math.sin(angle), FAN.centre[1] - reach * Math.cos(angle), z];
}

function distance(a: Vector3, b: Vector3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function requireRange(what: string, found: number, least: number, most: number): void {
  if (!(found >= least && found <= most)) throw new FailureError('control/out-of-range', { what, found, least, most });
}
