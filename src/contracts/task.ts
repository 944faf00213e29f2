/**
 * Tasks: what a sentence asks for, exactly. Success is judged on physics state, never on pictures.
 *
 * Left and right are as the front camera (and the page's first view) shows them; see `LEFT_IN_WORLD`.
 */
import type { Vector3 } from './robot.ts';
import type { CubeColour } from './scene.ts';

export const TASK_KINDS = ['touch', 'pick-up', 'put-in-bowl', 'push-left', 'push-right', 'stack', 'wave'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

export type TaskGoal =
  | { readonly kind: 'touch' | 'pick-up' | 'put-in-bowl' | 'push-left' | 'push-right'; readonly colour: CubeColour }
  | { readonly kind: 'stack'; readonly colour: CubeColour; readonly onto: CubeColour }
  | { readonly kind: 'wave' };

/** Wordings seen in demonstrations, and wordings kept back to judge with. */
export type WordingSplit = 'train' | 'held-out';

/** What a judge may look at, once a control tick. Metres, world frame. */
export interface PhysicsView {
  readonly simSeconds: number;
  readonly cubes: readonly CubeState[];
  readonly bowl: { readonly position: Vector3; readonly radiusM: number; readonly heightM: number } | null;
  readonly gripPoint: Vector3;
  /** Radians, JOINT_NAMES order. */
  readonly joints: ArrayLike<number>;
}

export interface CubeState {
  readonly colour: CubeColour;
  readonly sizeM: number;
  readonly position: Vector3;
  /** Turn about the vertical, radians; what it means for a cube on its edge is left open. */
  readonly yawRad: number;
  readonly speedMPerS: number;
  /** In contact with the gripper link or the jaw. */
  readonly touchedByGripper: boolean;
}

export type TaskFailureReason =
  | 'time-out'
  | 'wrong-cube' // another cube was touched, lifted, pushed or binned first
  | 'knocked-off' // the cube left the table
  | 'dropped' // it was lifted, then fell
  | 'wrong-way' // pushed 5 cm, but not to the side asked for
  | 'never-touched' // time-out without any contact with the right cube
  | 'stopped-by-safety'; // the control loop latched (a stalled joint, say) and nobody is there to say go on; told by the episode, not by a judge

export type TaskVerdict =
  | { readonly kind: 'running' }
  | { readonly kind: 'success'; readonly atSeconds: number }
  | { readonly kind: 'failure'; readonly reason: TaskFailureReason; readonly atSeconds: number };
