/**
 * The bench beside the loop: one port, and everything that is done to an arm of servos while nothing moves it by itself. It opens the
 * port, looks, writes what was shown before, calibrates, names motors, and hands an arm to the loop. It commands no motion; what it
 * is handed is checked here, once.
 */
import { JOINT_COUNT, JOINT_NAMES } from '#contracts/joints.ts';
import type { CalibrationProposal, CalibrationView, FoundMotor, HealthReport, LookReport, LookScope, SerialPlace, ServosConnected, ServosRequest, VirtualFault } from '#contracts/robot-setup.ts';
import type { LeaderView } from '#contracts/leader.ts';
import type { Reading } from '#contracts/reading.ts';
import type { RobotDescription } from '#contracts/robot.ts';
import type { ArmCalibration, BusScan, Finding, RegisterChange, ServoScan } from '#contracts/serial.ts';
import type { Clock } from '#contracts/time.ts';
import type { JointRadians } from '#contracts/units.ts';
import type { Arm } from '#core/arm/arm.ts';
import { mirrored } from '#core/arm/mirror.ts';
import { beginCalibrating, calibrationInServos, type Calibrating } from '#core/arm/serial/calibrate.ts';
import { formatCalibration, parseCalibration } from '#core/arm/serial/calibration.ts';
import { applyChanges, calibrationChanges, readRegister } from '#core/arm/serial/configure.ts';
import { connectSerialArm, type ConnectedArm } from '#core/arm/serial/connect.ts';
import { diagnose } from '#core/arm/serial/doctor.ts';
import { createBus, type Bus } from '#core/arm/serial/feetech/bus.ts';
import { BAUD_BY_CODE, REGISTERS } from '#core/arm/serial/feetech/registers.ts';
import { findMotor, nameMotor } from '#core/arm/serial/find-motor.ts';
import { scanBus } from '#core/arm/serial/scan.ts';
import { FailureError } from '#core/lib/failure.ts';
import { robotNamed } from '#core/robots/known.ts';
import { LeaderBench } from './leader-bench.ts';
import type { OpenedPort, PortHost } from './serial-port.ts';
import { LEADER_ROBOT, type VirtualBench } from './virtual-bench.ts';

export interface BenchParts {
  readonly clock: Clock;
  readonly serial: PortHost;
  readonly virtual: VirtualBench;
}

const BAUD = BAUD_BY_CODE[0] as number;
const EXPECTED_IDS = JOINT_NAMES.map((_, i) => i + 1);
const EVERY_ID = Array.from({ length: 254 }, (_, id) => id);
/** A hand moves a joint by a few steps in this time. */
const SAMPLE_MS = 20;
/** More than half a turn of trim is another robot. */
const MOST_TRIM_RAD = 0.6;
const TORQUE_OFF_FRAMES = 3;

interface Line {
  readonly place: SerialPlace['kind'];
  readonly baud: number;
  readonly bus: Bus;
}

export class Bench {
  readonly #parts: BenchParts;
  #line: Line | null = null;
  #arm: (ConnectedArm & { readonly place: SerialPlace['kind']; readonly trimRad: readonly number[] | null }) | null = null;
  readonly leader: LeaderBench;
  #calibrating: { readonly session: Calibrating; failure: FailureError | null; going: 'yes' | 'no' } | null = null;

  constructor(parts: BenchParts) {
    this.#parts = parts;
    this.leader = new LeaderBench(parts.clock);
  }

  get virtual(): VirtualBench {
    return this.#parts.virtual;
  }

  /** The arm is looked at and set up, and limp or held as it was found; the loop takes hold of it. Rejects as `connectServos`. */
  async open(request: ServosRequest): Promise<{ readonly arm: Arm; readonly report: ServosConnected }> {
    const { clock, virtual } = this.#parts;
    const robot = robotAt(request.place);
    const calibration = request.calibration === 'in-servos' ? request.calibration : checked(request.calibration);
    const trimRad = checkedTrim(request.trimRad);
    await this.#leaveLine();
    const link = await this.#openPort(request.place, BAUD);
    const kind = request.place.kind;
    const connected = await connectSerialArm({ link, clock, robot, calibration, kind, configure: 'write', ...(trimRad === null ? {} : { trimRad }) });
    this.#arm = { ...connected, place: kind, trimRad };
    if (kind === 'virtual') virtual.hand(null);
    const mirror = kind === 'virtual' || request.mirror === 'on' ? 'on' : 'off';
    const moved = kind === 'serial' && mirror === 'on' ? mirrored(connected.arm, virtual.simulated(robot)) : connected.arm;
    const closing: Arm = {
      ...moved,
      close: async () => {
        if (this.#arm?.arm === connected.arm) this.#arm = null;
        await moved.close();
      },
    };
    return {
      arm: kind === 'virtual' ? virtual.watching(closing) : closing,
      report: { calibration: connected.calibration, findings: connected.findings, changed: connected.changed, mirror, adapter: link.adapter },
    };
  }

  health(): HealthReport | null {
    const connected = this.#arm;
    return connected === null ? null : { ...connected.arm.health(), nowMs: this.#parts.clock.nowMs(), faults: connected.arm.faults() };
  }

  async look(place: SerialPlace, scope: LookScope): Promise<LookReport> {
    const scan = scope === 'arm' ? await this.#scan(await this.#bus(place)) : await this.#scanEverything(place);
    const report = this.#examined(scan, place);
    await this.#leaveUnused();
    return report;
  }

  async planCalibration(place: SerialPlace, calibration: ArmCalibration): Promise<readonly RegisterChange[]> {
    const plan = calibrationChanges(await this.#scan(await this.#bus(place)), checked(calibration));
    await this.#leaveUnused();
    return plan;
  }

  async writeCalibration(place: SerialPlace, calibration: ArmCalibration): Promise<LookReport> {
    this.#requireNoArm();
    const bus = await this.#bus(place);
    this.#endCalibrating();
    await applyChanges(bus, calibrationChanges(await this.#scan(bus), checked(calibration)));
    const report = this.#examined(await this.#scan(bus), place);
    await this.#leaveUnused();
    return report;
  }

  async calibrationBegin(place: SerialPlace): Promise<CalibrationView> {
    this.#requireNoArm();
    this.#endCalibrating();
    const { clock } = this.#parts;
    const robot = robotAt(place);
    const bus = await this.#openLine(place, BAUD);
    const scan = await this.#scan(bus);
    const refusal = diagnose(scan, { calibration: null, robot, expectedBaud: BAUD }).find((finding) => finding.weight === 'refuse' && !MENDED_BY_CALIBRATING.includes(finding.code));
    if (refusal !== undefined) {
      await this.#leaveLine();
      throw new FailureError('arm/refused', { finding: refusal.code, ...refusal.facts });
    }
    for (let n = 0; n < TORQUE_OFF_FRAMES; n++) await bus.broadcastWrite(REGISTERS.torqueEnable.address, [0]);
    const holding: number[] = [];
    for (const id of EXPECTED_IDS) if ((await readRegister(bus, id, 'torqueEnable')) !== 0) holding.push(id);
    if (holding.length > 0) throw new FailureError('arm/torque-still-on', { ids: holding.join(', ') });
    const session = beginCalibrating(bus, scan, robot);
    const mine = { session, failure: null as FailureError | null, going: 'yes' as 'yes' | 'no' };
    this.#calibrating = mine;
    await session.sample();
    void (async () => {
      while (mine.going === 'yes') {
        await clock.sleepUntil(clock.nowMs() + SAMPLE_MS);
        if (mine.going !== 'yes') return;
        await session.sample().catch((thrown: unknown) => {
          mine.failure = thrown instanceof FailureError ? thrown : new FailureError('arm/port-lost', { reason: 'read' });
          mine.going = 'no';
        });
      }
    })();
    return session.view();
  }

  async calibrationHome(): Promise<CalibrationView> {
    const session = this.#session();
    session.home();
    return session.view();
  }

  calibrationView(): CalibrationView {
    return this.#session().view();
  }

  calibrationPropose(): CalibrationProposal {
    return this.#session().propose();
  }

  async calibrationEnd(): Promise<void> {
    this.#endCalibrating();
    this.#parts.virtual.hand(null);
    await this.#leaveUnused();
  }

  async findMotor(place: SerialPlace): Promise<FoundMotor> {
    this.#requireNoArm();
    return findMotor((baud) => this.#openLine(place, baud)).finally(() => this.#leaveLine());
  }

  async nameMotor(place: SerialPlace, id: number): Promise<FoundMotor> {
    this.#requireNoArm();
    return nameMotor((baud) => this.#openLine(place, baud), id).finally(() => this.#leaveLine());
  }

  /** Looks for a leader at every port that no arm uses. Rejects with `arm/leader-missing`, `control/busy` while somebody calibrates. */
  async findLeader(kind: SerialPlace['kind']): Promise<LeaderView> {
    if (this.#calibrating !== null) throw new FailureError('control/busy', { mode: 'idle' });
    await this.leader.end();
    await this.#leaveLine();
    const { serial, virtual } = this.#parts;
    return this.leader.find(await (kind === 'virtual' ? virtual.leader.ports.free() : serial.free()));
  }

  /** Where the leader stands, as the follower's joints are measured: LeRobot's units are one for both, the trim is the follower's own. */
  leading(): (nowMs: number) => Reading<JointRadians> {
    const read = this.leader.source();
    const trim = this.#arm?.trimRad ?? null;
    return (nowMs) => {
      const reading = read(nowMs);
      return trim === null || reading.kind === 'failed' ? reading : { ...reading, value: reading.value.map((angle, i) => angle + (trim[i] ?? 0)) as JointRadians };
    };
  }

  /** Radians; the drawn joints' stops are the virtual ones'. */
  virtualLeader(pose: readonly number[]): void {
    this.#parts.virtual.leader.put(checkedPose(pose, LEADER_ROBOT));
  }

  /** Joint poses for the hand, radians. */
  virtualHand(pose: readonly number[] | null): void {
    const { virtual } = this.#parts;
    virtual.hand(pose === null ? null : checkedPose(pose, virtual.robot));
  }

  virtualFault(fault: VirtualFault): void {
    this.#parts.virtual.fault(fault);
  }

  /** The virtual servos drive the simulated arm. */
  get usesVirtual(): boolean {
    return this.#parts.virtual.on;
  }

  /** Somebody else drives the simulated arm. */
  async leaveVirtual(): Promise<void> {
    this.#endCalibrating();
    if (this.#line?.place === 'virtual') await this.#leaveLine();
    this.#parts.virtual.switchOff();
  }

  #examined(scan: BusScan, place: SerialPlace): LookReport {
    const calibration = calibrationInServos(scan);
    const findings: readonly Finding[] = diagnose(scan, { calibration: this.#arm?.calibration ?? calibration, robot: robotAt(place), expectedBaud: BAUD });
    return { scan, findings, calibration };
  }

  #scan(bus: Bus): Promise<BusScan> {
    return scanBus(bus, { clock: this.#parts.clock, baud: BAUD, expectedIds: EXPECTED_IDS });
  }

  async #scanEverything(place: SerialPlace): Promise<BusScan> {
    const { clock } = this.#parts;
    const first = await scanBus(await this.#bus(place), { clock, baud: BAUD, expectedIds: EXPECTED_IDS, otherIds: EVERY_ID });
    // A connected arm speaks 1 Mbaud; leaving that rate would leave the loop without readings.
    if (this.#arm !== null) return first;
    const servos = new Map<number, ServoScan>(first.servos.map((servo) => [servo.id, servo]));
    for (const baud of BAUD_BY_CODE.slice(1)) {
      const found = await scanBus(await this.#openLine(place, baud), { clock, baud, expectedIds: [], otherIds: EVERY_ID });
      for (const servo of found.servos) if (servos.get(servo.id)?.answer !== 'ok') servos.set(servo.id, servo);
    }
    await this.#leaveLine();
    return { ...first, servos: [...servos.values()] };
  }

  #session(): Calibrating {
    const calibrating = this.#calibrating;
    if (calibrating === null) throw new FailureError('arm/not-connected');
    if (calibrating.failure !== null) throw calibrating.failure;
    return calibrating.session;
  }

  #endCalibrating(): void {
    if (this.#calibrating !== null) this.#calibrating.going = 'no';
    this.#calibrating = null;
  }

  #requireNoArm(): void {
    if (this.#arm !== null) throw new FailureError('control/busy', { mode: 'idle' });
  }

  /** The line that is there, or a new one. */
  async #bus(place: SerialPlace): Promise<Bus> {
    if (this.#arm !== null) {
      if (this.#arm.place !== place.kind) throw new FailureError('control/busy', { mode: 'idle' });
      return this.#arm.bus;
    }
    const line = this.#line;
    if (line !== null && line.place === place.kind && line.baud === BAUD && line.bus.open) return line.bus;
    return this.#openLine(place, BAUD);
  }

  async #openLine(place: SerialPlace, baud: number): Promise<Bus> {
    await this.#leaveLine();
    const bus = createBus(await this.#openPort(place, baud), { clock: this.#parts.clock, baud });
    this.#line = { place: place.kind, baud, bus };
    return bus;
  }

  async #openPort(place: SerialPlace, baud: number): Promise<OpenedPort> {
    const { virtual, serial } = this.#parts;
    await this.leader.leaveSearch();
    if (place.kind === 'serial') return serial.open(place.adapter, baud);
    await virtual.switchOn(robotAt(place));
    return virtual.ports.open(null, baud);
  }

  /** A port nobody needs is given back: other programs may want it. */
  async #leaveUnused(): Promise<void> {
    if (this.#calibrating === null) await this.#leaveLine();
  }

  async #leaveLine(): Promise<void> {
    const line = this.#line;
    this.#line = null;
    await line?.bus.close();
  }
}

const MENDED_BY_CALIBRATING: readonly Finding['code'][] = ['wrong-mode', 'servo-error', 'calibration-differs', 'range-full-turn', 'outside-range'];

/** Which printed arm is there, as the person said. */
function robotAt(place: SerialPlace): RobotDescription {
  return robotNamed(place.body ?? 'so100');
}

function checkedPose(pose: readonly number[], { joints }: RobotDescription): readonly number[] {
  if (pose.length !== JOINT_COUNT || !pose.every((angle) => Number.isFinite(angle))) throw new FailureError('control/not-finite', { joint: pose.findIndex((angle) => !Number.isFinite(angle)) });
  return pose.map((angle, i) => Math.min(joints[i]?.most ?? 0, Math.max(joints[i]?.least ?? 0, angle)));
}

/** What came over the wall, through the file's own door: the same bounds, the same words. */
function checked(calibration: ArmCalibration): ArmCalibration {
  return parseCalibration(formatCalibration(calibration));
}

function checkedTrim(trimRad: readonly number[] | undefined): readonly number[] | null {
  if (trimRad === undefined) return null;
  const bad = trimRad.findIndex((value) => !(Math.abs(value) <= MOST_TRIM_RAD));
  if (trimRad.length !== JOINT_COUNT || bad >= 0) throw new FailureError('control/out-of-range', { what: 'trim', found: trimRad[bad] ?? trimRad.length, least: -MOST_TRIM_RAD, most: MOST_TRIM_RAD });
  return trimRad;
}
