/**
 * The only file that names MuJoCo. Knows its loader, its C++ objects and its traps; gives the rest of the room a small
 * typed `Physics`. Refuses to know what is simulated.
 *
 * Traps handled here (all measured with @mujoco/mujoco 3.14.0): views into WASM memory become empty when the memory
 * grows, so none is kept between calls; every C++ object, each contact read included, must be deleted or the memory
 * grows until the page dies; a simulation that blows up resets itself silently, so that is switched off and looked for.
 */
import load, { type MainModule, type MjData, type MjModel } from '@mujoco/mujoco';
import { FailureError } from '#core/lib/failure.ts';

export interface PhysicsContact {
  readonly bodyA: string;
  readonly bodyB: string;
  readonly geomA: string;
  readonly geomB: string;
  /** Newton, along the normal; 0 while two bodies only come near. */
  readonly normalForce: number;
  /** Metres; negative where the bodies overlap. */
  readonly distance: number;
}

/** One compiled model with its state. Every method throws FailureError `world/physics` when the simulation is not sound. */
export interface Physics {
  /** Poses are those of the new state afterwards, contacts and forces those of the last step's beginning. */
  step(count: number): void;
  /** Recomputes poses and contacts after the state was written. */
  forward(): void;
  simSeconds(): number;
  jointAddress(name: string): JointAddress;
  bodyId(name: string): number;
  /** Live views into WASM memory: use at once, never keep. */
  positions(): Float64Array;
  velocities(): Float64Array;
  controls(): Float64Array;
  actuatorForces(): Float64Array;
  /** 3 numbers a body. */
  bodyPositions(): Float64Array;
  /** 4 numbers a body, w x y z. */
  bodyRotations(): Float64Array;
  /** Linear velocity of a body's centre of mass in the world frame, m/s. */
  bodyVelocity(bodyId: number): readonly [number, number, number];
  contacts(): readonly PhysicsContact[];
  setActuation(state: 'on' | 'off'): void;
  /** Everything the next step depends on. */
  state(): Float64Array;
  setState(state: Float64Array): void;
  dispose(): void;
}

export interface JointAddress {
  /** Index in `positions()`, `velocities()` and `controls()`. */
  readonly position: number;
  readonly velocity: number;
  readonly actuator: number;
}

export interface PhysicsEngine {
  /** Throws FailureError `world/physics` with MuJoCo's own words when the model is wrong. */
  compile(mjcf: string): Physics;
}

/** Loads the WASM, about 0.3 s. In Node and in a worker; the .wasm is found beside the package's script. */
export async function loadPhysics(): Promise<PhysicsEngine> {
  const said: string[] = [];
  const hear = (line: string): void => {
    said.push(line);
    if (said.length > 5) said.shift();
  };
  const mujoco = await sound(said, () => load({ print: hear, printErr: hear }));
  return { compile: (mjcf) => compile(mujoco, mjcf, said) };
}

function compile(mujoco: MainModule, mjcf: string, said: string[]): Physics {
  const model = soundNow(said, () => mujoco.MjModel.from_xml_string(mjcf));
  const data = soundNow(said, () => new mujoco.MjData(model));
  const stateKind = mujoco.mjtState.mjSTATE_INTEGRATION.value;
  const stateBuffer = new mujoco.DoubleBuffer(mujoco.mj_stateSize(model, stateKind));
  const forceBuffer = new mujoco.DoubleBuffer(6);
  const velocityBuffer = new mujoco.DoubleBuffer(6);
  const actuationBit = mujoco.mjtDisableBit.mjDSBL_ACTUATION.value;
  setDisabled(model, mujoco.mjtDisableBit.mjDSBL_AUTORESET.value, 'on');

  const id = (kind: number, name: string): number => {
    const found = mujoco.mj_name2id(model, kind, name);
    if (found < 0) throw new FailureError('world/physics', { message: `no such name in the model: ${name}` });
    return found;
  };
  const nameOf = (kind: number, which: number): string => mujoco.mj_id2name(model, kind, which);
  const { mjOBJ_BODY, mjOBJ_JOINT, mjOBJ_GEOM, mjOBJ_ACTUATOR } = mujoco.mjtObj;

  return {
    step(count) {
      soundNow(said, () => {
        for (let i = 0; i < count; i++) mujoco.mj_step(model, data);
        requireSound(data);
        // A step leaves the poses of before it; this brings them to the new joint positions and touches nothing else.
        mujoco.mj_kinematics(model, data);
      });
    },
    forward: () => soundNow(said, () => mujoco.mj_forward(model, data)),
    simSeconds: () => data.time,
    jointAddress: (name) => {
      const joint = id(mjOBJ_JOINT.value, name);
      return {
        position: ints(model.jnt_qposadr)[joint] ?? 0,
        velocity: ints(model.jnt_dofadr)[joint] ?? 0,
        actuator: id(mjOBJ_ACTUATOR.value, name),
      };
    },
    bodyId: (name) => id(mjOBJ_BODY.value, name),
    positions: () => doubles(data.qpos),
    velocities: () => doubles(data.qvel),
    controls: () => doubles(data.ctrl),
    actuatorForces: () => doubles(data.actuator_force),
    bodyPositions: () => doubles(data.xpos),
    bodyRotations: () => doubles(data.xquat),
    bodyVelocity(bodyId) {
      mujoco.mj_objectVelocity(model, data, mjOBJ_BODY.value, bodyId, velocityBuffer, 0);
      // Three of turning, then three of moving.
      const v = doubles(velocityBuffer.GetView());
      return [v[3] ?? 0, v[4] ?? 0, v[5] ?? 0];
    },
    contacts() {
      const bodies = ints(model.geom_bodyid);
      const list = data.contact;
      const found: PhysicsContact[] = [];
      for (let i = 0; i < list.size(); i++) {
        const contact = list.get(i);
        if (contact === undefined) continue;
        const { geom1, geom2, dist } = contact;
        contact.delete();
        mujoco.mj_contactForce(model, data, i, forceBuffer);
        found.push({
          bodyA: nameOf(mjOBJ_BODY.value, bodies[geom1] ?? 0),
          bodyB: nameOf(mjOBJ_BODY.value, bodies[geom2] ?? 0),
          geomA: nameOf(mjOBJ_GEOM.value, geom1),
          geomB: nameOf(mjOBJ_GEOM.value, geom2),
          normalForce: doubles(forceBuffer.GetView())[0] ?? 0,
          distance: dist,
        });
      }
      list.delete();
      return found;
    },
    setActuation: (state) => setDisabled(model, actuationBit, state === 'on' ? 'off' : 'on'),
    state() {
      mujoco.mj_getState(model, data, stateBuffer, stateKind);
      return doubles(stateBuffer.GetView()).slice();
    },
    setState(state) {
      soundNow(said, () => mujoco.mj_setState(model, data, Array.from(state), stateKind));
    },
    dispose() {
      for (const object of [forceBuffer, stateBuffer, velocityBuffer, data, model]) object.delete();
    },
  };
}

/** Sets or clears one of the model's disable bits. */
function setDisabled(model: MjModel, bit: number, disabled: 'on' | 'off'): void {
  const option = model.opt;
  option.disableflags = disabled === 'on' ? option.disableflags | bit : option.disableflags & ~bit;
  option.delete();
}

/** No arm and no cube here ever moves at 100 rad/s or m/s; a simulation that blows up passes it within a few steps. */
const FASTEST = 100;

function requireSound(data: MjData): void {
  const velocities = doubles(data.qvel);
  for (let i = 0; i < velocities.length; i++) {
    const speed = Math.abs(velocities[i] ?? 0);
    // Written so that NaN fails too.
    if (!(speed < FASTEST)) throw new FailureError('world/physics', { message: `velocity ${i} is ${speed}`, simSeconds: data.time });
  }
}

// The package types its arrays as `any`; these two say what they are, once.
function doubles(view: unknown): Float64Array {
  return view as Float64Array;
}

function ints(view: unknown): Int32Array {
  return view as Int32Array;
}

async function sound<T>(said: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw physicsFailure(thrown, said);
  }
}

function soundNow<T>(said: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw physicsFailure(thrown, said);
  }
}

function physicsFailure(thrown: unknown, said: readonly string[]): FailureError {
  if (thrown instanceof FailureError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new FailureError('world/physics', { message: [text, ...said].join('; ').slice(0, 500) });
}
