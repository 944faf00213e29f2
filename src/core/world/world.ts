/**
 * The simulated room: an arm, a table, cubes and a bowl under physics, stepped by whoever owns it. Knows the scene it
 * simulates and speaks its names and units; refuses to know clocks, workers, pictures and tasks.
 *
 * Repeatable bit for bit on one machine: a reset compiles the model anew, so nothing of the last run is left, and a step
 * depends on nothing but the state, the targets and the torque switch.
 *
 *   reset(request) -> [setTargets -> step(n) -> read]* -> dispose
 */
import { JOINT_NAMES, JOINT_COUNT } from '#contracts/joints.ts';
import type { BodyPose, BodyTable, ResetRequest, SceneDescription } from '#contracts/scene.ts';
import type { Vector3 } from '#contracts/robot.ts';
import type { JointRadians } from '#contracts/units.ts';
import { FailureError } from '#core/lib/failure.ts';
import { sceneFor } from '#core/scene/description.ts';
import { sceneMjcf, TIMESTEP_S } from '#core/scene/mjcf.ts';
import { loadPhysics, type JointAddress, type Physics, type PhysicsContact, type PhysicsEngine } from './mujoco.ts';

/** Everything the next step depends on; opaque, for the world it was taken from (until its next reset). */
export interface WorldSnapshot {
  readonly epoch: number;
  readonly state: Float64Array;
  readonly torque: Torque;
}

export type Torque = 'on' | 'off';

/** What exists only after a reset. */
interface Loaded {
  readonly scene: SceneDescription;
  readonly bodies: BodyTable;
  readonly physics: Physics;
  readonly joints: readonly JointAddress[];
  readonly bodyIds: readonly number[];
}

export class World {
  readonly #engine: PhysicsEngine;
  #loaded: Loaded | null = null;
  #epoch = 0;
  #torque: Torque = 'on';

  private constructor(engine: PhysicsEngine) {
    this.#engine = engine;
  }

  /** Loads MuJoCo. Throws FailureError `world/physics`. */
  static async open(): Promise<World> {
    return new World(await loadPhysics());
  }

  /** A fresh scene; arm in its home pose, targets there too, torque on, time zero. Throws what `sceneFor` throws. */
  reset(request: ResetRequest): SceneDescription {
    return this.load(sceneFor(request));
  }

  /** As `reset`, for a scene described by the caller. On a failure the world is empty. */
  load(scene: SceneDescription): SceneDescription {
    this.dispose();
    const physics = this.#engine.compile(sceneMjcf(scene));
    const names = [scene.robot.base.name, ...scene.robot.links.map((l) => l.name), ...scene.objects.map((o) => o.name)];
    this.#loaded = {
      scene,
      bodies: { names },
      physics,
      joints: JOINT_NAMES.map((name) => physics.jointAddress(name)),
      bodyIds: names.map((name) => physics.bodyId(name)),
    };
    this.#epoch++;
    this.#torque = 'on';
    this.placeArm(scene.robot.homePose);
    return scene;
  }

  /** Counts resets, from 1. */
  get epoch(): number {
    return this.#epoch;
  }

  get scene(): SceneDescription {
    return this.#now().scene;
  }

  get bodies(): BodyTable {
    return this.#now().bodies;
  }

  get simSeconds(): number {
    return this.#now().physics.simSeconds();
  }

  get torque(): Torque {
    return this.#torque;
  }

  /** `count` steps of 2 ms. Throws FailureError `world/physics` when the simulation is no longer sound. */
  step(count: number): void {
    this.#now().physics.step(count);
  }

  /** Radians, JOINT_NAMES order; the motors go there within their own speed and torque. Six finite numbers, else a failure. */
  setTargets(radians: ArrayLike<number>): void {
    requireSix(radians);
    const { physics, joints } = this.#now();
    const controls = physics.controls();
    joints.forEach(({ actuator }, i) => {
      controls[actuator] = radians[i] ?? 0;
    });
  }

  targets(): JointRadians {
    return this.#gather((physics) => physics.controls(), 'actuator');
  }

  /** `off`: the motors are free, the arm sinks against the friction of its gears. */
  setTorque(torque: Torque): void {
    if (torque === this.#torque) return;
    this.#torque = torque;
    this.#now().physics.setActuation(torque);
  }

  /** Radians. */
  positions(): JointRadians {
    return this.#gather((physics) => physics.positions(), 'position');
  }

  /** Radians per second. */
  velocities(): JointRadians {
    return this.#gather((physics) => physics.velocities(), 'velocity');
  }

  /** Newton metres of each motor, after its limit. */
  torques(): Float64Array {
    return this.#gather((physics) => physics.actuatorForces(), 'actuator');
  }

  /** Sets the arm there at rest, at once, with its targets: for tests and for starting an episode elsewhere. */
  placeArm(radians: ArrayLike<number>): void {
    requireSix(radians);
    const { physics, joints } = this.#now();
    const positions = physics.positions();
    const velocities = physics.velocities();
    joints.forEach(({ position, velocity }, i) => {
      positions[position] = radians[i] ?? 0;
      velocities[velocity] = 0;
    });
    this.setTargets(radians);
    physics.forward();
  }

  /** Poses of all bodies, BodyTable order, 7 numbers each: x y z, then w x y z. `into` must have room; `at` is where to start. */
  readPoses(into: Float64Array, at = 0): void {
    const { physics, bodyIds } = this.#now();
    if (into.length < at + 7 * bodyIds.length) throw new RangeError(`poses of ${bodyIds.length} bodies do not fit into ${into.length} numbers`);
    const positions = physics.bodyPositions();
    const rotations = physics.bodyRotations();
    bodyIds.forEach((id, i) => {
      into.set(positions.subarray(3 * id, 3 * id + 3), at + 7 * i);
      into.set(rotations.subarray(4 * id, 4 * id + 4), at + 7 * i + 3);
    });
  }

  /** World frame. Throws for a name that is not in the body table. */
  pose(body: string): BodyPose {
    const { physics } = this.#now();
    const id = physics.bodyId(body);
    const [x, y, z] = physics.bodyPositions().subarray(3 * id, 3 * id + 3) as unknown as Vector3;
    const [w, a, b, c] = physics.bodyRotations().subarray(4 * id, 4 * id + 4) as unknown as BodyPose['rotation'];
    return { position: [x, y, z], rotation: [w, a, b, c] };
  }

  /** Linear velocity of a body's centre of mass, world frame, m/s. */
  velocity(body: string): Vector3 {
    const { physics } = this.#now();
    return physics.bodyVelocity(physics.bodyId(body));
  }

  /** Every pair that touches now. Body names are the body table's; the table itself belongs to the body `world`. */
  contacts(): readonly PhysicsContact[] {
    return this.#now().physics.contacts();
  }

  /** The names of all bodies that press on this one. */
  touching(body: string): ReadonlySet<string> {
    const others = new Set<string>();
    for (const { bodyA, bodyB, normalForce } of this.contacts()) {
      if (normalForce <= 0) continue;
      if (bodyA === body) others.add(bodyB);
      if (bodyB === body) others.add(bodyA);
    }
    return others;
  }

  snapshot(): WorldSnapshot {
    return { epoch: this.#epoch, state: this.#now().physics.state(), torque: this.#torque };
  }

  /** Goes on from a snapshot exactly as the world did then. A snapshot from before a reset is refused. */
  restore(snapshot: WorldSnapshot): void {
    if (snapshot.epoch !== this.#epoch) throw new FailureError('world/physics', { message: `snapshot of epoch ${snapshot.epoch}, world in epoch ${this.#epoch}` });
    const { physics } = this.#now();
    this.setTorque(snapshot.torque);
    physics.setState(snapshot.state);
    physics.forward();
    // Computing the poses also warms the solver; the state is written again so that the next step starts from the same guess.
    physics.setState(snapshot.state);
  }

  /** Frees the model; the engine stays loaded and the next reset works. */
  dispose(): void {
    this.#loaded?.physics.dispose();
    this.#loaded = null;
  }

  #now(): Loaded {
    if (this.#loaded === null) throw new FailureError('world/physics', { message: 'the world is empty: reset it first' });
    return this.#loaded;
  }

  #gather(view: (physics: Physics) => Float64Array, address: keyof JointAddress): JointRadians {
    const { physics, joints } = this.#now();
    const values = view(physics);
    return Float64Array.from(joints, (joint) => values[joint[address]] ?? 0) as JointRadians;
  }
}

export const STEP_SECONDS = TIMESTEP_S;

function requireSix(radians: ArrayLike<number>): void {
  if (radians.length !== JOINT_COUNT) throw new RangeError(`expected ${JOINT_COUNT} joint angles, found ${radians.length}`);
  for (let i = 0; i < JOINT_COUNT; i++) {
    if (!Number.isFinite(radians[i])) throw new FailureError('control/not-finite', { joint: JOINT_NAMES[i] ?? '' });
  }
}
