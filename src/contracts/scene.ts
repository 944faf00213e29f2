/**
 * One description of everything in the simulated room. From it follow the MJCF that MuJoCo runs, the three.js objects
 * that the page's view and the policy's cameras draw, and the hash that is stored with every run and checkpoint card.
 *
 * World frame: metres, right-handed, z up, table top at z = 0, the arm's base at the origin, looking along -y.
 */
import type { Pose, Quaternion, RobotDescription, RobotName, Vector3 } from './robot.ts';

export const CUBE_COLOURS = ['red', 'green', 'blue', 'yellow'] as const;
export type CubeColour = (typeof CUBE_COLOURS)[number];

export type SceneObject =
  | { readonly kind: 'cube'; readonly name: string; readonly colour: CubeColour; readonly sizeM: number; readonly massKg: number; readonly pose: Pose }
  | { readonly kind: 'bowl'; readonly name: string; readonly radiusM: number; readonly heightM: number; readonly massKg: number; readonly pose: Pose }
  /** A distractor: a plain box no sentence names. sRGB 0..1; the pose is its centre's. */
  | { readonly kind: 'block'; readonly name: string; readonly colour: Vector3; readonly halfExtents: Vector3; readonly massKg: number; readonly pose: Pose };

export interface CameraDescription {
  /** As the robot names it: `observation.images.front`, `observation.images.wrist`. */
  readonly key: string;
  /** 'world' or the name of the link it is screwed to. */
  readonly mount: string;
  /** Camera frame in the mount's frame: looks along its -z, +y is up in the picture (three.js and OpenGL). */
  readonly pose: Pose;
  readonly verticalFovRadians: number;
}

export interface LightDescription {
  /** 1 = the laboratory as shipped, 0 = lights off. */
  readonly level: number;
  readonly keyPosition: Vector3;
  readonly keyIntensity: number;
  readonly ambientIntensity: number;
}

export interface TableDescription {
  readonly halfExtents: Vector3;
  readonly centre: Vector3;
  /** sRGB 0..1. */
  readonly colour: Vector3;
}

export interface SceneDescription {
  readonly robot: RobotDescription;
  readonly table: TableDescription;
  readonly objects: readonly SceneObject[];
  readonly cameras: readonly CameraDescription[];
  readonly lights: LightDescription;
}

/** Name and pose of every moving body, the order of the shared poses slot. */
export interface BodyTable {
  /** Links of the robot first (base, then JOINT_NAMES order), then the scene's objects. */
  readonly names: readonly string[];
}

export interface BodyPose {
  readonly position: Vector3;
  readonly rotation: Quaternion;
}

/** What `world.reset` is asked for. The same request gives the same scene and trajectory, bit for bit in lockstep. */
export interface ResetRequest {
  readonly task: string;
  readonly seed: number;
  /** 0..1, 1 when absent. Part of the scene: it changes the hash. */
  readonly lightLevel?: number;
  /** One to four different colours; red, green and blue when absent. */
  readonly cubes?: readonly CubeColour[];
  /** The arm on the table; the SO-100 when absent. Policies that come with the page are trained on that one's scene. */
  readonly robot?: RobotName;
}

export interface SceneInfo {
  readonly request: ResetRequest;
  readonly description: SceneDescription;
  /** sha-256 over the description, the drawing revision and the renderer's version; hex. */
  readonly hash: string;
  readonly bodies: BodyTable;
}
