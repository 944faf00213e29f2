/**
 * One tick of the control loop, and the states it can be in. A plain class: no thread, no timer, no message port, no
 * time but what it is handed, so that a test or the lockstep worker runs it on a manual clock, tick by tick.
 *
 *   stop? ─► read the arm ─► anything against moving? ─► what is wanted ─► gate ─► send ─► publish     every tick, at once
 *
 * The states are one tagged union. Stop is looked at before anything else and is acknowledged in the tick that sees it,
 * whatever the state. What is wanted comes from the state alone; the gate decides what becomes of it; without a wanted
 * pose the gate brakes and then holds, bit for bit.
 */
import type { ArmKind, ControlMode, ControlReport, ControlToInference, InferenceToControl, RunControlReport, RunStart, StopReport, TickReport } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { Reading } from '#contracts/reading.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { SafetyFault, SafetyProfile } from '#contracts/safety.ts';
import { STOP_FLAG } from '#contracts/slots.ts';
import type { JointRadians, Radians } from '#contracts/units.ts';
import { FRESH_FOR_MS, type Arm, type JointReadings } from '#core/arm/arm.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { ring } from '#core/lib/ring.ts';
import { awayFromRest, AT_REST_RAD } from '#core/robots/rest.ts';
import { createGate, type Gate, type Passed, type Wanted } from '#core/safety/gate.ts';
import { jointLimits, PROFILES, shapeLimits } from '#core/safety/profile.ts';
import { createBody, type Body } from '#core/safety/shape/body.ts';
import { createWatch, type Watch, type WatchResult } from '#core/safety/watch.ts';
import { jitterMeter } from '#core/telemetry/jitter.ts';
import type { Log } from '#core/telemetry/log.ts';
import { armRecordWriter } from './arm-record.ts';
import { loweringPath } from './lowering.ts';
import { pageSigns, type PageSigns } from './page-signs.ts';
import { PolicyRun } from './policy-run.ts';
import type { TickTime } from './schedule.ts';
import { stopWatch, stopWithoutArm, type StopWatch } from './stop-watch.ts';

export interface LoopParts {
  /** Absent: `first-motion`. */
  readonly profile?: SafetyProfile;
  readonly rateHz: number;
  /** `ARM_SLOT`. */
  readonly armSlot: SharedArrayBuffer;
  /** `STOP_FLAG`. */
  readonly stopFlag: SharedArrayBuffer;
  readonly ask: (request: ControlToInference) => void;
  /** About ten a second. */
  readonly report: (report: ControlReport) => void;
  readonly log: Log;
}

type State =
  | { readonly mode: 'disconnected' }
  | { readonly mode: 'idle' }
  /** A slider, a key, or a leader arm that a hand moves. */
  | { readonly mode: 'manual'; target: JointRadians; readonly lead: Lead | null }
  | { readonly mode: 'policy'; readonly run: PolicyRun }
  | { readonly mode: 'stopping' }
  | { readonly mode: 'stopped' }
  /** `path` is null until the arm stands still; `next` counts along it. */
  | { readonly mode: 'lowering'; readonly path: readonly Float64Array[] | null; readonly next: number }
  | { readonly mode: 'released' }
  /** Only the gripper is sent anywhere; `after` is what comes back. */
  | { readonly mode: 'opening'; readonly after: 'stopped' | 'idle'; readonly sinceTick: number };

/** A leader's poses, and whether the follower has come to where it stands. */
interface Lead {
  readonly read: (nowMs: number) => Reading<JointRadians>;
  caughtUp: 'yes' | 'no';
}

/** The arm and what belongs to it from connecting to closing. */
interface Connected {
  readonly arm: Arm;
  readonly gate: Gate;
  readonly watch: Watch;
  readonly epoch: number;
}

const CALM: WatchResult = { refusedBy: [], latched: null, slow: null };
const REPORT_EVERY_MS = 100;
/** Ten reports at 100 Hz; more than this without a reader is not kept. */
const TICKS_PER_REPORT = 100;
/** A start further outside a joint's range than this is another robot or a broken calibration, not a soft stop. */
const START_TOLERANCE_RAD = 0.15;
/** A lowered arm is let go when it has come after its target, or after this long, whichever is first. */
const REST_WAIT_MS = 1000;
/** A jaw opens by 110 degrees, 1.9 rad. */
const OPEN_WITHIN_RAD = 0.1;
/** At 1 rad/s it takes two seconds; an arm whose readings do not come back is not waited for. */
const OPENING_SECONDS = 10;
/** A follower far from its leader goes to it at this pace: 20 degrees a second, slow enough to let go of the leader and press Stop. */
const APPROACH_RAD_PER_S = 0.35;
/** A leader that pauses holds its follower at once, and after this long leads no more. */
const LEADER_LOST_MS = 1500;
/** Two ticks of it. */
const MOST_AHEAD_RAD = 0.025;
/** Three degrees: from here on it goes with the leader. */
const CAUGHT_UP_RAD = 0.05;
/** Under a servo's step. */
const ARRIVED_RAD = 0.001;

export class ControlLoop {
  readonly #parts: LoopParts;
  readonly #stop: Int32Array;
  readonly #publish: ReturnType<typeof armRecordWriter>;
  readonly #jitter = jitterMeter();
  readonly #recent = ring<TickReport>(TICKS_PER_REPORT);
  #rateHz: number;
  #state: State = { mode: 'disconnected' };
  #connected: Connected | null = null;
  #run: PolicyRun | null = null;
  #watch: StopWatch | null = null;
  #tick = 0;
  #lastTickMs: number | null = null;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #failure: Failure | null = null;
  #stale = false;
  #profile: SafetyProfile;
  /** Made once an arm; the gate of an arm is made of its own. */
  readonly #bodies = new Map<RobotDescription, Body>();
  #seen: WatchResult = CALM;
  /** Whether the last target waited for the arm. */
  #waiting: 'yes' | 'no' = 'no';
  readonly #page: PageSigns;
  #arrivedMs: number | null = null;
  /** Torque is being switched on: nothing is sent meanwhile. */
  #engaging: 'yes' | 'no' = 'no';
  /** What is to happen when the arm stands still after a Stop. */
  #thenOpen: 'yes' | 'no' = 'no';

  constructor(parts: LoopParts) {
    this.#parts = parts;
    this.#rateHz = parts.rateHz;
    this.#stop = new Int32Array(parts.stopFlag);
    this.#page = pageSigns(parts.stopFlag);
    this.#profile = parts.profile ?? PROFILES['first-motion'];
    this.#publish = armRecordWriter(parts.armSlot);
  }

  get mode(): ControlMode {
    return this.#state.mode;
  }

  get rateHz(): number {
    return this.#rateHz;
  }

  get kind(): ArmKind | null {
    return this.#connected?.arm.kind ?? null;
  }

  /** True when the next command is the last one, bit for bit, unless something is wanted; also without an arm. */
  get still(): boolean {
    return this.#connected === null || this.#connected.gate.still;
  }

  /**
   * Everything that happens in one tick; what happened, or null without an arm. Never throws for anything the outside
   * did: that becomes a failure in the report.
   */
  tick(time: TickTime): TickReport | null {
    this.#tick++;
    const { nowMs } = time;
    this.#obeyStop(nowMs);
    const reading = this.#connected === null ? null : this.#connected.arm.read(nowMs);
    if (reading !== null) this.#noticeReset(reading);
    this.#noticeStale(reading, nowMs);
    this.#noticeFaults(nowMs);
    this.#lookAround(reading, nowMs);
    const wanted = this.#wanted(reading, nowMs);
    const passed = this.#command(this.#isShadow() ? null : wanted, reading, nowMs);
    this.#settle(passed, reading, nowMs);
    this.#askAhead(nowMs);
    return this.#tell(time, reading, wanted, passed);
  }

  /** Takes an arm that can be read now, and holds it where it is. Throws when it cannot be, or is somewhere impossible. */
  async connect(arm: Arm, nowMs: number): Promise<void> {
    this.#refuseIn(['policy', 'stopping', 'lowering', 'manual', 'opening']);
    const old = this.#connected;
    this.#connected = null;
    this.#enter({ mode: 'disconnected' });
    await old?.arm.close();
    const connected = this.#holdWhereItIs(arm, nowMs);
    await arm.engage(connected.gate.pass(null, { stateAgeMs: 0 }).command, { tick: this.#tick, atMs: nowMs });
    this.#failure = null;
    this.#connected = connected;
    this.#enter({ mode: 'idle' });
  }

  /** Ticks a second from now on. Only at rest. */
  setRate(rateHz: number): void {
    this.#refuseIn(['policy', 'manual', 'stopping', 'lowering', 'opening']);
    if (!this.still) throw this.#busy();
    this.#rateHz = rateHz;
    if (this.#connected !== null) this.#connected = { ...this.#connected, gate: this.#connected.gate.withTick(1 / rateHz) };
    this.#jitter.reset();
  }

  get profile(): SafetyProfile {
    return this.#profile;
  }

  /** Other limits from now on. Only at rest. A latched fault stays latched. */
  setProfile(profile: SafetyProfile): void {
    this.#refuseIn(['policy', 'manual', 'stopping', 'lowering', 'opening']);
    if (!this.still) throw this.#busy();
    if ((this.#connected?.watch.faults.length ?? 0) > 0) throw this.#busy();
    this.#profile = profile;
    const connected = this.#connected;
    if (connected === null) return;
    this.#connected = { ...connected, gate: this.#gateAt(connected.gate.positions(), connected.arm), watch: this.#newWatch(connected.arm) };
  }

  setManualTargets(target: JointRadians): void {
    this.#refuseIn(['disconnected', 'policy', 'stopping', 'stopped', 'lowering', 'released', 'opening']);
    this.#enter({ mode: 'manual', target: target.slice() as JointRadians, lead: null });
  }

  /**
   * From now on goes where `read` says, as a hand on a slider would have it: slowly until it is there, then at once, all of it through the gate. A
   * leader whose readings grow old holds the arm; one that stays silent leads nobody any more, and a person begins again.
   */
  follow(read: Lead['read']): void {
    this.#refuseIn(['disconnected', 'policy', 'stopping', 'stopped', 'lowering', 'released', 'opening']);
    const connected = this.#connected;
    if (connected === null) throw this.#busy();
    this.#enter({ mode: 'manual', target: Float64Array.from(connected.gate.positions()) as JointRadians, lead: { read, caughtUp: 'no' } });
  }

  /** Ends following: the arm brakes and holds. */
  unfollow(): void {
    if (this.#state.mode === 'manual' && this.#state.lead !== null) this.#enter({ mode: 'idle' });
  }

  get leads(): 'none' | 'approaching' | 'following' {
    if (this.#state.mode !== 'manual' || this.#state.lead === null) return 'none';
    return this.#state.lead.caughtUp === 'yes' ? 'following' : 'approaching';
  }

  beginRun(start: RunStart): void {
    this.#refuseIn(['disconnected', 'policy', 'stopping', 'stopped', 'lowering', 'released', 'opening']);
    const run = new PolicyRun(start, this.#rateHz);
    this.#run = run;
    this.#failure = null;
    this.#enter({ mode: 'policy', run });
  }

  /** The report of the run begun last; ends it when it still goes on. */
  endRun(): RunControlReport {
    const run = this.#run;
    if (run === null) throw this.#busy();
    run.halt();
    this.#run = null;
    if (this.#state.mode === 'policy') this.#enter({ mode: 'idle' });
    return run.report();
  }

  lowerAndRelease(): void {
    this.#refuseIn(['disconnected', 'stopping', 'opening']);
    if (this.#state.mode === 'released' || this.#state.mode === 'lowering') return;
    this.#run?.halt();
    this.#arrivedMs = null;
    this.#enter({ mode: 'lowering', path: null, next: 0 });
  }

  /** Out of `stopped` or `released`. A released arm is taken hold of where it is now. */
  async resume(nowMs: number): Promise<void> {
    this.#refuseIn(['disconnected', 'stopping', 'lowering', 'opening']);
    const connected = this.#connected;
    if (connected === null) throw this.#busy();
    const standing = connected.watch.reset();
    if (standing !== null) throw new FailureError('safety/latched', { rule: standing });
    // Motors that were without power for a moment are limp, and look well until they are asked.
    await connected.arm.examine?.();
    const wrong = connected.arm.faults?.() ?? [];
    const lost = wrong.find((fault) => fault.code === 'arm/port-lost');
    if (lost !== undefined) throw new FailureError(lost.code, lost.facts);
    if (this.#state.mode !== 'released' && wrong.length === 0) {
      this.#failure = null;
      if (this.#state.mode === 'stopped') this.#enter({ mode: 'idle' });
      return;
    }
    // Limp, or a motor that protects itself: taken hold of where it is now, as at the start.
    this.#engaging = 'yes';
    try {
      const held = this.#holdWhereItIs(connected.arm, nowMs);
      await held.arm.engage(held.gate.pass(null, { stateAgeMs: 0 }).command, { tick: this.#tick, atMs: nowMs });
      this.#connected = held;
      this.#failure = null;
      this.#enter({ mode: 'idle' });
    } finally {
      this.#engaging = 'no';
    }
  }

  /**
   * Only the gripper moves, and only open; whatever else went on is stopped first. A latched fault does not forbid it: the hand in
   * the gripper cannot wait for its cause to be found. Throws `arm/not-connected`; a limp gripper opens by hand.
   */
  openGripper(): void {
    this.#refuseIn(['disconnected']);
    const { mode } = this.#state;
    if (mode === 'released' || mode === 'opening') return;
    this.#run?.halt();
    this.#connected?.arm.relieve?.(GRIPPER_INDEX);
    if (mode === 'idle' && this.still) this.#enter({ mode: 'opening', after: 'idle', sinceTick: this.#tick });
    else if (mode === 'stopped') this.#enter({ mode: 'opening', after: 'stopped', sinceTick: this.#tick });
    else {
      this.#thenOpen = 'yes';
      if (mode !== 'stopping') this.#enter({ mode: 'stopping' });
    }
  }

  /** The last Stop, once complete. */
  lastStop(): StopReport | null {
    return this.#watch?.report() ?? null;
  }

  /** A message from inference. */
  receive(message: InferenceToControl, nowMs: number): void {
    if (this.#state.mode !== 'policy') return; // crossed with a Stop or an end
    const { run } = this.#state;
    switch (message.kind) {
      case 'chunk':
        run.receive(message.requestId, message.chunk, nowMs);
        return;
      case 'chunk-failed':
        if (message.runId === run.runId) run.chunkFailed(message.requestId, message.failure, nowMs);
        return;
      default:
        unreachable(message);
    }
  }

  /** Nobody is at the other end any more, or somebody new is. */
  inferenceLost(failure: Failure): void {
    if (this.#state.mode === 'policy') this.#state.run.inferenceLost(failure);
  }

  async close(): Promise<void> {
    const connected = this.#connected;
    this.#connected = null;
    this.#enter({ mode: 'disconnected' });
    await connected?.arm.close();
  }

  /** First thing in every tick. Acknowledged always; something to brake or not. */
  #obeyStop(nowMs: number): void {
    const requested = Atomics.load(this.#stop, STOP_FLAG.requested);
    if (requested === Atomics.load(this.#stop, STOP_FLAG.acknowledged)) return;
    this.#run?.halt();
    this.#thenOpen = 'no';
    switch (this.#state.mode) {
      case 'disconnected':
      case 'released':
        this.#watch = stopWithoutArm(this.#tick, nowMs);
        break;
      case 'stopped':
        // Frozen stays frozen.
        this.#watch = stopWatch(this.#tick, nowMs);
        break;
      case 'idle':
      case 'manual':
      case 'policy':
      case 'stopping':
      case 'lowering':
      case 'opening':
        this.#watch = stopWatch(this.#tick, nowMs);
        this.#enter({ mode: 'stopping' });
        break;
      default:
        unreachable(this.#state);
    }
    Atomics.store(this.#stop, STOP_FLAG.acknowledged, requested);
  }

  /** The world put the arm elsewhere: what we last commanded is of another world, so hold where it is now. */
  #noticeReset(reading: Reading<JointReadings>): void {
    const connected = this.#connected;
    if (connected === null || reading.kind === 'failed' || reading.value.epoch === connected.epoch) return;
    this.#connected = { ...connected, gate: this.#gateAt(reading.value.position, connected.arm), epoch: reading.value.epoch };
    if (this.#state.mode === 'manual' || this.#state.mode === 'lowering' || this.#state.mode === 'opening') this.#enter({ mode: 'idle' });
    if (this.#state.mode === 'policy') this.#state.run.dropRows();
    this.#parts.log.write('info', 'arm-elsewhere', { epoch: reading.value.epoch });
  }

  /** What the arm says is wrong with it latches like any other fault; a limp arm has nothing to stop, and is told about all the same. */
  #noticeFaults(nowMs: number): void {
    const connected = this.#connected;
    const [wrong] = connected?.arm.faults?.() ?? [];
    if (connected === null || wrong === undefined || this.#engaging === 'yes') return;
    if (this.#state.mode === 'released') {
      this.#failure = wrong;
      return;
    }
    if (connected.watch.faults.some((fault) => fault.rule === 'motor-fault')) return;
    const fault: SafetyFault = { rule: 'motor-fault', atMs: nowMs, tick: this.#tick, facts: { ...wrong.facts, code: wrong.code } };
    connected.watch.latch(fault);
    this.#latch(fault, nowMs, wrong);
  }

  #noticeStale(reading: Reading<JointReadings> | null, nowMs: number): void {
    const stale = reading !== null && reading.kind !== 'fresh';
    const onset = stale && !this.#stale;
    this.#stale = stale;
    const moving = this.#state.mode === 'manual' || this.#state.mode === 'policy' || this.#state.mode === 'lowering';
    if (!stale || !moving) {
      if (this.#failure?.code === 'control/state-stale' || this.#failure?.code === 'arm/reading-failed') this.#failure = null;
      return;
    }
    this.#failure = reading.kind === 'failed' ? reading.failure : { code: 'control/state-stale', facts: { ageMs: Math.round(nowMs - reading.atMs), limitMs: FRESH_FOR_MS } };
    if (onset && this.#state.mode === 'policy') this.#state.run.note(this.#failure);
  }

  /** Everything that may speak against moving, whatever the target is. What latches is a Stop that nobody pressed. */
  #lookAround(reading: Reading<JointReadings> | null, nowMs: number): void {
    const connected = this.#connected;
    if (connected === null || this.#state.mode === 'released') {
      this.#seen = CALM;
      return;
    }
    const page = this.#page.look(nowMs);
    this.#seen = connected.watch.look({
      nowMs,
      tick: this.#tick,
      tickSeconds: 1 / this.#rateHz,
      pageSilentMs: page.silentMs,
      page: page.shown,
      holdKey: page.holdKey,
      stateAgeMs: reading === null || reading.kind === 'failed' ? null : nowMs - reading.atMs,
      readings: reading?.kind === 'fresh' ? reading.value : null,
      target: connected.gate.positions(),
      waiting: this.#waiting,
      motion: this.#motion(),
    });
    if (this.#seen.latched !== null) this.#latch(this.#seen.latched, nowMs);
    const run = this.#state.mode === 'policy' ? this.#state.run : null;
    if (run?.doubt === 'slow') this.#seen = { ...this.#seen, slow: { share: Math.min(0.5, this.#seen.slow?.share ?? 1), by: 'disagreement' } };
    if (run?.doubt === 'ask') {
      const fault: SafetyFault = { rule: 'disagreement', atMs: nowMs, tick: this.#tick, facts: { mean: run.disagreement?.mean ?? null } };
      connected.watch.latch(fault);
      this.#latch(fault, nowMs);
    }
  }

  /** An arm that has arrived where a hand wanted it moves no more than an idle one, and nobody has to watch it hold. */
  #motion(): 'policy' | 'manual' | 'none' {
    const state = this.#state;
    if (state.mode === 'policy') return this.#isShadow() ? 'none' : 'policy';
    if (state.mode !== 'manual' || this.#connected === null) return 'none';
    const positions = this.#connected.gate.positions();
    const arrived = this.#connected.gate.still && state.target.every((p, i) => Math.abs(p - (positions[i] as number)) < ARRIVED_RAD);
    return arrived ? 'none' : 'manual';
  }

  #latch(fault: SafetyFault, nowMs: number, failure: Failure = { code: 'safety/latched', facts: { ...fault.facts, rule: fault.rule } }): void {
    this.#fail(failure);
    this.#run?.halt();
    if (this.#state.mode === 'stopped' || this.#state.mode === 'stopping') return;
    this.#watch = stopWatch(this.#tick, nowMs);
    this.#enter({ mode: 'stopping' });
  }

  /** The one place that says what each state wants. Null brakes and holds. */
  #wanted(reading: Reading<JointReadings> | null, nowMs: number): Wanted | null {
    const state = this.#state;
    switch (state.mode) {
      case 'disconnected':
      case 'idle':
      case 'stopping':
      case 'stopped':
      case 'released':
        return null;
      case 'manual':
        return state.lead === null ? { positions: state.target, velocities: null } : this.#wantedByLeader(state, state.lead, nowMs);
      case 'opening':
        return this.#openGripperOnly();
      case 'policy':
        if (reading?.kind === 'fresh' && this.#seen.refusedBy.length === 0) return state.run.next(nowMs);
        // Rows wait; the last target is offered again so that the gate refuses it by name.
        state.run.held();
        return this.#holding();
      case 'lowering':
        return this.#wantedLowering(state, reading);
      default:
        return unreachable(state);
    }
  }

  #wantedByLeader(state: State & { readonly mode: 'manual' }, lead: Lead, nowMs: number): Wanted | null {
    const reading = lead.read(nowMs);
    const silentMs = reading.kind === 'stale' ? reading.ageMs : reading.kind === 'failed' ? Number.POSITIVE_INFINITY : 0;
    if (reading.kind === 'failed' || silentMs > LEADER_LOST_MS) {
      this.#enter({ mode: 'idle' });
      this.#fail({ code: 'arm/leader-lost', facts: { reason: reading.kind === 'failed' ? reading.failure.code : `${Math.round(silentMs)} ms without an answer` } });
      return null;
    }
    if (reading.kind === 'stale' || this.#seen.refusedBy.length > 0) {
      // Held by a rule, or by a leader that pauses: what it does meanwhile is not run after in one go. The rule is told by name.
      lead.caughtUp = 'no';
      state.target = Float64Array.from(this.#connected?.gate.positions() ?? state.target) as JointRadians;
      return reading.kind === 'stale' ? null : { positions: state.target, velocities: null };
    }
    const { value } = reading;
    if (lead.caughtUp === 'no') {
      const step = APPROACH_RAD_PER_S / this.#rateHz;
      const before = state.target;
      const allowed = this.#connected?.gate.positions() ?? before;
      // Never far ahead of what the gate allowed, or the arm would make up for lost time at full speed.
      state.target = before.map((from, i) => {
        const at = allowed[i] as number;
        const to = from + clamp((value[i] as number) - from, step);
        return at + clamp(to - at, MOST_AHEAD_RAD);
      }) as JointRadians;
      if (value.every((p, i) => Math.abs((allowed[i] as number) - this.#within(i, p)) < CAUGHT_UP_RAD)) lead.caughtUp = 'yes';
      return { positions: state.target, velocities: state.target.map((to, i) => (to - (before[i] as number)) * this.#rateHz) };
    }
    state.target = value;
    return { positions: value, velocities: null };
  }

  /** A leader may reach further than the drawn joint. */
  #within(joint: number, angle: number): number {
    const { least, most } = this.#connected?.arm.robot.joints[joint] ?? { least: angle, most: angle };
    return Math.min(most, Math.max(least, angle));
  }

  #wantedLowering(state: State & { readonly mode: 'lowering' }, reading: Reading<JointReadings> | null): Wanted | null {
    const connected = this.#connected;
    if (connected === null) return null;
    if (reading?.kind !== 'fresh') return this.#holding();
    let { path } = state;
    if (path === null) {
      if (!connected.gate.still) return null;
      path = loweringPath(connected.gate.positions(), connected.gate.within(connected.arm.robot.restPose), 1 / this.#rateHz);
    }
    const pose = path[Math.min(state.next, path.length - 1)] as Float64Array;
    const after = path[state.next + 1];
    this.#state = { mode: 'lowering', path, next: state.next + 1 };
    return { positions: pose, velocities: after === undefined ? null : after.map((p, i) => (p - (pose[i] as number)) * this.#rateHz) };
  }

  #openGripperOnly(): Wanted | null {
    const connected = this.#connected;
    if (connected === null) return null;
    const positions = connected.gate.positions().slice();
    positions[GRIPPER_INDEX] = connected.arm.robot.joints[GRIPPER_INDEX]?.most ?? 0;
    return { positions, velocities: null };
  }

  #holding(): Wanted | null {
    return this.#connected === null ? null : { positions: this.#connected.gate.positions(), velocities: null };
  }

  #command(wanted: Wanted | null, reading: Reading<JointReadings> | null, nowMs: number): Passed | null {
    const connected = this.#connected;
    if (connected === null || this.#state.mode === 'released' || this.#engaging === 'yes') return null;
    const stateAgeMs = reading === null || reading.kind === 'failed' ? null : nowMs - reading.atMs;
    const { slow } = this.#seen;
    // Opening is never refused for a fault; range, speed and the rest hold for it as for everything.
    const refusedBy = this.#state.mode === 'opening' ? [] : this.#seen.refusedBy;
    // Not fresh is stale, and for that there is a rule; a joint that was seen long ago holds nothing back.
    const measured = reading?.kind === 'fresh' ? reading.value.position : null;
    const passed = connected.gate.pass(wanted, { stateAgeMs, measured, refusedBy, ...(slow === null ? {} : { slow }) });
    this.#waiting = passed.rules.includes('lead') ? 'yes' : 'no';
    if (passed.rules.includes('finite') && this.#state.mode === 'policy') {
      this.#state.run.fail({ code: 'control/not-finite', facts: { joint: passed.limitedJoints[0] ?? 0 } });
    }
    try {
      connected.arm.send(passed.command, { tick: this.#tick, atMs: nowMs });
    } catch (thrown) {
      const failure = asFailure(thrown);
      // Said once, not thirty times a second.
      if (failure.code !== this.#failure?.code) this.#fail(failure);
    }
    return passed;
  }

  /** What follows from this tick's command: braking has ended, rest has been reached. */
  #settle(passed: Passed | null, reading: Reading<JointReadings> | null, nowMs: number): void {
    const connected = this.#connected;
    if (connected === null || passed === null) return;
    const target = passed.command.positions;
    const measured = reading?.kind === 'fresh' ? reading.value.position : null;
    const { mode } = this.#state;
    if (mode === 'stopping' && connected.gate.still) this.#enter(this.#thenOpen === 'yes' ? { mode: 'opening', after: 'stopped', sinceTick: this.#tick } : { mode: 'stopped' });
    if (this.#state.mode === 'stopped' || this.#state.mode === 'opening') this.#thenOpen = 'no';
    if (mode === 'opening' && this.#state.mode === 'opening' && connected.gate.still && (this.#isOpen(connected) || this.#tick - this.#state.sinceTick > OPENING_SECONDS * this.#rateHz)) this.#enter({ mode: this.#state.after });
    if (mode === 'stopping' || mode === 'stopped') this.#watch?.tick({ tick: this.#tick, nowMs, frozen: connected.gate.still, target, measured });
    if (this.#state.mode === 'lowering') this.#finishLowering(this.#state, connected, target, measured, nowMs);
  }

  /** As far as the gate lets it: a margin may be kept free at the end of the range. */
  #isOpen(connected: Connected): boolean {
    const joint = connected.arm.robot.joints[GRIPPER_INDEX];
    return joint === undefined || (connected.gate.positions()[GRIPPER_INDEX] as number) > joint.most - OPEN_WITHIN_RAD;
  }

  #finishLowering(state: State & { readonly mode: 'lowering' }, connected: Connected, target: readonly number[], measured: Float64Array | null, nowMs: number): void {
    if (state.path === null || state.next < state.path.length || !connected.gate.still || measured === null) return;
    this.#arrivedMs ??= nowMs;
    // A range, or the margin kept free at its end, may stop short of rest: it lies there all the same.
    const away = awayFromRest(connected.gate.within(connected.arm.robot.restPose), target);
    if (away !== null) {
      // Torque is cut where the arm lies, never where something keeps it in the air.
      this.#enter({ mode: 'idle' });
      this.#fail({ code: 'control/rest-not-reached', facts: away });
      return;
    }
    const close = measured.every((p, i) => i === GRIPPER_INDEX || Math.abs(p - (target[i] as number)) <= AT_REST_RAD);
    if (!close && nowMs - this.#arrivedMs < REST_WAIT_MS) return;
    this.#enter({ mode: 'released' });
    connected.arm.release({ tick: this.#tick, atMs: nowMs }).catch((thrown: unknown) => this.#fail(asFailure(thrown)));
  }

  #askAhead(nowMs: number): void {
    if (this.#state.mode !== 'policy') return;
    const request = this.#state.run.ask(nowMs);
    if (request !== null) this.#parts.ask(request);
  }

  #tell(time: TickTime, reading: Reading<JointReadings> | null, wanted: Wanted | null, passed: Passed | null): TickReport | null {
    const { nowMs } = time;
    const target = this.#connected === null ? null : this.#connected.gate.positions();
    const rowsLeft = this.#state.mode === 'policy' ? this.#state.run.rowsLeft : 0;
    this.#jitter.tick(time.lateMs, time.skipped);
    this.#publish({ tick: this.#tick, nowMs, mode: this.mode, reading, wanted: wanted?.positions ?? null, target, limitedJoints: passed?.limitedJoints ?? [], rowsLeft, epoch: this.#connected?.epoch ?? null });
    const report: TickReport | null =
      target === null
        ? null
        : {
            tick: this.#tick,
            atMs: nowMs,
            periodMs: this.#lastTickMs === null ? 0 : nowMs - this.#lastTickMs,
            mode: this.mode,
            wanted: wanted === null ? null : Array.from(wanted.positions),
            target: Array.from(target),
            measured: reading === null || reading.kind === 'failed' ? null : Array.from(reading.value.position),
            rules: passed?.rules ?? [],
          };
    if (report !== null) {
      this.#recent.push(report);
      this.#run?.record(report, time);
    }
    this.#lastTickMs = nowMs;
    // A clock that went back must not silence the reports until it has caught up.
    if (Math.abs(nowMs - this.#reportedMs) >= REPORT_EVERY_MS - REPORT_SLACK_MS) {
      this.#reportedMs = nowMs;
      this.#parts.report(this.#controlReport());
    }
    return report;
  }

  #controlReport(): ControlReport {
    const run = this.#state.mode === 'policy' ? this.#state.run : null;
    const coming = run === null ? [] : run.coming();
    const preview = coming.length === 0 || this.#connected === null ? null : this.#connected.gate.preview(coming);
    return {
      ticks: this.#recent.drain(),
      mode: this.mode,
      rateHz: this.#rateHz,
      jitter: this.#jitter.summary(),
      chunk: run?.playing ?? null,
      comingPath: preview === null ? null : preview.map((pose) => pose.positions),
      comingRules: preview === null ? null : preview.map((pose) => pose.rules),
      failure: this.#failure ?? run?.failure ?? null,
      safety: {
        profile: this.#profile.name,
        revision: this.#profile.revision,
        locked: this.#profile.lock,
        holding: this.#seen.refusedBy,
        faults: this.#connected?.watch.faults ?? [],
        slowShare: this.#seen.slow?.share ?? 1,
      },
    };
  }

  #holdWhereItIs(arm: Arm, nowMs: number): Connected {
    const reading = arm.read(nowMs);
    if (reading.kind === 'failed') throw new FailureError(reading.failure.code, reading.failure.facts);
    if (reading.kind === 'stale') throw new FailureError('control/state-stale', { ageMs: Math.round(reading.ageMs), limitMs: FRESH_FOR_MS });
    arm.robot.joints.forEach((joint, i) => {
      const found = reading.value.position[i] as number;
      if (found < joint.least - START_TOLERANCE_RAD || found > joint.most + START_TOLERANCE_RAD) {
        throw new FailureError('control/out-of-range', { what: joint.name, found, least: joint.least, most: joint.most });
      }
    });
    return { arm, gate: this.#gateAt(reading.value.position, arm), watch: this.#newWatch(arm), epoch: reading.value.epoch };
  }

  /** Limits inside what this very arm was calibrated for: a clamp behind the gate would be a stop without a ramp. */
  #gateAt(start: ArrayLike<number>, arm: Arm): Gate {
    const { robot } = arm;
    const side = sideOf(arm.kind);
    const motion = this.#profile[side];
    const ranges = arm.ranges?.();
    const joints = robot.joints.map((joint, i) => ({ ...joint, least: Math.max(joint.least, ranges?.[i]?.least ?? joint.least) as Radians, most: Math.min(joint.most, ranges?.[i]?.most ?? joint.most) as Radians }));
    const body = this.#bodies.get(robot) ?? createBody(robot);
    this.#bodies.set(robot, body);
    const limits = jointLimits({ ...robot, joints }, motion);
    // A recording follows nobody: that it is elsewhere does not say that something holds it.
    const shape = { ...shapeLimits(robot, body, this.#profile, side), ...(arm.kind === 'replay' ? { servo: null } : {}) };
    return createGate({ limits, tickSeconds: 1 / this.#rateHz, staleAfterMs: FRESH_FOR_MS, rampSeconds: motion.rampSeconds, shape }, start);
  }

  #newWatch({ kind, robot }: Arm): Watch {
    return createWatch(robot, this.#profile, this.#profile[sideOf(kind)]);
  }

  /** A run that wants everything and is given nothing. */
  #isShadow(): boolean {
    return this.#state.mode === 'policy' && this.#state.run.drive === 'shadow';
  }

  #enter(state: State): void {
    if (state.mode !== this.#state.mode) this.#parts.log.write('info', 'mode', { from: this.#state.mode, to: state.mode, tick: this.#tick });
    this.#state = state;
  }

  #fail(failure: Failure): void {
    this.#failure = failure;
    if (this.#state.mode === 'policy') this.#state.run.note(failure);
    this.#parts.log.write('error', failure.code, failure.facts);
  }

  #refuseIn(modes: readonly ControlMode[]): void {
    if (this.#state.mode === 'disconnected' && modes.includes('disconnected')) throw new FailureError('arm/not-connected');
    if (modes.includes(this.#state.mode)) throw this.#busy();
  }

  #busy(): FailureError {
    return new FailureError('control/busy', { mode: this.#state.mode });
  }
}

/** A virtual serial arm stands in for a real one, so it is treated as one. */
function sideOf(kind: ArmKind): 'simulated' | 'real' {
  return kind === 'simulated' || kind === 'replay' ? 'simulated' : 'real';
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value));
}

/** Ten reports a second of a 30 Hz loop fall on every third tick, also when that tick is a little early. */
const REPORT_SLACK_MS = 5;
