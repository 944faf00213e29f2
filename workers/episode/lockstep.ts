/**
 * One simulated room and one control loop on a manual clock, tick by tick:
 *
 *   tick n:   control tick (reads joints, passes the gate, sets targets)  ─►  physics to tick n + 1
 *
 * Knows how time passes and nothing of tasks or policies. Every episode gets a fresh loop and fresh slots, so that nothing
 * of the one before can be seen in it.
 */
import { CONTROL_MODES, type ControlMode, type ControlToInference, type InferenceToControl, type RunStart } from '#contracts/control.ts';
import type { Reading } from '#contracts/reading.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import { ARM_SLOT, ARM_SLOT_LENGTH, JOINTS_SLOT_LENGTH, POSES_SLOT_LENGTH, STOP_FLAG_LENGTH, TARGETS_SLOT_LENGTH } from '#contracts/slots.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { simulatedArm } from '#core/arm/simulated.ts';
import { manualClock, type ManualClock } from '#core/lib/manual-clock.ts';
import { createSlotMemory, slotField, slotReader } from '#core/lib/shared-slot.ts';
import { silentLog } from '#core/telemetry/log.ts';
import { STEP_SECONDS, type World } from '#core/world/world.ts';
import { ControlLoop } from '#workers/control/loop.ts';
import { armStateReader } from '#workers/inference/arm-state.ts';
import { createRoom, type Room } from '#workers/world/room.ts';

export const TICK_HZ = 30;

/** One tick as control published it; radians, copies. */
export interface TickRecord {
  readonly target: Float64Array;
  /** NaN where nothing was wanted. */
  readonly wanted: Float64Array;
  readonly measured: Float64Array;
  /** How many joints the gate changed. */
  readonly limitedJoints: number;
  readonly mode: ControlMode;
}

export class Lockstep {
  readonly world: World;
  readonly clock: ManualClock;
  readonly #room: Room;
  readonly #loop: ControlLoop;
  readonly #mail: { question: ControlToInference | null };
  readonly #arm: ReturnType<typeof slotReader>;
  readonly #state: () => Reading<JointUnitsVector>;
  readonly #record = new Float64Array(ARM_SLOT_LENGTH);
  #tick = 0;

  private constructor(parts: { world: World; clock: ManualClock; room: Room; loop: ControlLoop; mail: { question: ControlToInference | null }; armSlot: SharedArrayBuffer }) {
    this.world = parts.world;
    this.clock = parts.clock;
    this.#room = parts.room;
    this.#loop = parts.loop;
    this.#mail = parts.mail;
    this.#arm = slotReader(parts.armSlot);
    this.#state = armStateReader(parts.armSlot, parts.clock);
  }

  /** The scene as described, the arm put at `start` (radians) and held there by a new control loop. */
  static async begin(world: World, scene: SceneDescription, start: ArrayLike<number>): Promise<Lockstep> {
    const memory = { targets: createSlotMemory(TARGETS_SLOT_LENGTH), joints: createSlotMemory(JOINTS_SLOT_LENGTH), poses: createSlotMemory(POSES_SLOT_LENGTH) };
    const armSlot = createSlotMemory(ARM_SLOT_LENGTH);
    const clock = manualClock();
    const mail: { question: ControlToInference | null } = { question: null };
    const room = createRoom(world, memory, clock);
    room.load(scene, start);
    const loop = new ControlLoop({
      rateHz: TICK_HZ,
      armSlot,
      stopFlag: new SharedArrayBuffer(STOP_FLAG_LENGTH * Int32Array.BYTES_PER_ELEMENT),
      ask: (request) => {
        mail.question = request;
      },
      report: () => undefined,
      log: silentLog,
    });
    await loop.connect(simulatedArm(memory, scene.robot), clock.nowMs());
    const lockstep = new Lockstep({ world, clock, room, loop, mail, armSlot });
    // One tick that wants nothing: the arm's state is published before anyone asks for it.
    lockstep.control();
    lockstep.advance();
    return lockstep;
  }

  /** Ticks done. */
  get tick(): number {
    return this.#tick;
  }

  /** The joints as inference reads them: what control published last. */
  state(): Reading<JointUnitsVector> {
    return this.#state();
  }

  setManualTargets(targets: Parameters<ControlLoop['setManualTargets']>[0]): void {
    this.#loop.setManualTargets(targets);
  }

  beginRun(start: RunStart): void {
    this.#loop.beginRun(start);
  }

  endRun(): void {
    this.#loop.endRun();
  }

  answer(message: InferenceToControl): void {
    this.#loop.receive(message, this.clock.nowMs());
  }

  /** The chunk request control has sent since this was last called, or null. */
  takeQuestion(): ControlToInference | null {
    const { question } = this.#mail;
    this.#mail.question = null;
    return question;
  }

  /** The control half of a tick. */
  control(): TickRecord {
    this.#tick++;
    this.#loop.tick({ nowMs: this.clock.nowMs(), lateMs: 0, skipped: 0 });
    this.#arm.read(this.#record);
    const limited = slotField(this.#record, ARM_SLOT.limited);
    return {
      target: slotField(this.#record, ARM_SLOT.target).slice(),
      wanted: slotField(this.#record, ARM_SLOT.wanted).slice(),
      measured: slotField(this.#record, ARM_SLOT.measured).slice(),
      limitedJoints: limited.reduce((sum, one) => sum + one, 0),
      mode: CONTROL_MODES[this.#record[ARM_SLOT.mode.at] ?? 0] ?? 'disconnected',
    };
  }

  /** The physics half: up to the next tick. */
  advance(): void {
    // A 30th of a second is 16 2/3 steps of 2 ms; counted on the whole, so that it goes 17, 16, 17 and never drifts.
    const stepsBy = (ticks: number): number => Math.round(ticks / TICK_HZ / STEP_SECONDS);
    this.clock.jumpTo((this.#tick * 1000) / TICK_HZ);
    this.#room.advance(stepsBy(this.#tick) - stepsBy(this.#tick - 1));
  }

  /** Poses of this instant, for a camera. */
  poses(): Float64Array {
    return this.#room.poses();
  }
}
