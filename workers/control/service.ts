/**
 * The slow verbs of the control worker: checks what callers hand in, waits where a verb needs the arm at rest or the
 * world awake, and leaves the rest to the loop. Throws FailureErrors; `serve.ts` makes them plain data.
 */
import type { CalibrationProposal, CalibrationView, FoundMotor, HealthReport, LookReport, LookScope, SerialPlace, ServosConnected, ServosRequest, VirtualFault } from '#contracts/robot-setup.ts';
import type { ArmCalibration, RegisterChange } from '#contracts/serial.ts';
import { AGGREGATES, type ArmKind, type ControlApi, type RunControlReport, type RunStart, type StopReport } from '#contracts/control.ts';
import type { Outcome } from '#contracts/failure.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import type { LeaderView } from '#contracts/leader.ts';
import type { RobotName } from '#contracts/robot.ts';
import type { ProfileSource, SafetyProfile } from '#contracts/safety.ts';
import type { Clock } from '#contracts/time.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import type { Arm } from '#core/arm/arm.ts';
import { formatCalibration, parseCalibration } from '#core/arm/serial/calibration.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { unitsVectorToRadians } from '#core/robots/units.ts';
import { readProfile, replaceProfile } from '#core/safety/profile.ts';
import type { Bench } from './bench.ts';
import type { ControlLoop } from './loop.ts';
import type { Schedule } from './schedule.ts';

export interface ServiceParts {
  readonly loop: ControlLoop;
  readonly schedule: Schedule;
  readonly clock: Clock;
  /** Throws `arm/unsupported`; a servo arm may be refused for many reasons. */
  readonly openArm: (kind: ArmKind, body: RobotName) => Arm | Promise<Arm>;
  readonly bench: Bench;
}

export const LEAST_RATE_HZ = 10;
export const MOST_RATE_HZ = 100;

/** A world that is just being built measures within this. */
const FIRST_READING_MS = 3000;
/** Braking from the speed limit takes 0.17 s. */
const STANDSTILL_MS = 2000;
const LOOK_EVERY_MS = 10;

export class ControlService implements ControlApi {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  async connect(kind: ArmKind, body: RobotName = 'so100'): Promise<Outcome<null>> {
    const { loop, openArm } = this.#parts;
    // A port opens once, and a virtual arm moves the same simulated one: two hands on it at once would pull.
    const hasServos = (one: ArmKind | null): boolean => one === 'serial' || one === 'virtual';
    if (loop.kind !== null && (hasServos(kind) || hasServos(loop.kind))) await this.#letGoOf(loop);
    if (kind !== 'virtual' && this.#parts.bench.usesVirtual) await this.#parts.bench.leaveVirtual();
    const opened = openArm(kind, body);
    // An arm that is there at once is looked at at once: its reading may be old a moment later.
    return this.#takeHold(opened instanceof Promise ? await opened : opened);
  }

  async connectServos(request: ServosRequest): Promise<Outcome<ServosConnected>> {
    const { loop, bench } = this.#parts;
    if (loop.kind !== null) await this.#letGoOf(loop);
    if (request.place.kind !== 'virtual' && bench.usesVirtual) await bench.leaveVirtual();
    const { arm, report } = await bench.open(request);
    await this.#takeHold(arm);
    return { ok: true, value: report };
  }

  async #takeHold(arm: Arm): Promise<Outcome<null>> {
    const { loop, clock } = this.#parts;
    const limitMs = clock.nowMs() + FIRST_READING_MS;
    for (;;) {
      try {
        await loop.connect(arm, clock.nowMs());
        return DONE;
      } catch (thrown) {
        const { code } = asFailure(thrown);
        const mayCome = code === 'arm/reading-failed' || code === 'control/state-stale';
        if (!mayCome || clock.nowMs() >= limitMs) {
          await arm.close();
          throw thrown;
        }
      }
      await clock.sleepUntil(clock.nowMs() + LOOK_EVERY_MS);
    }
  }

  /** The simulated arm behind the virtual servos has one driver: while they are looked at, it is they. */
  async #makeRoom(place: SerialPlace): Promise<void> {
    const { loop } = this.#parts;
    if (loop.kind === 'simulated' && place.kind === 'virtual') await this.#letGoOf(loop);
  }

  /** Only at rest, as connecting is. */
  async #letGoOf(loop: ControlLoop): Promise<void> {
    if (loop.mode === 'policy' || loop.mode === 'manual' || loop.mode === 'stopping' || loop.mode === 'lowering' || loop.mode === 'opening') throw new FailureError('control/busy', { mode: loop.mode });
    await loop.close();
  }

  async disconnect(): Promise<Outcome<null>> {
    await this.#standstill();
    await this.#letGoOf(this.#parts.loop);
    return DONE;
  }

  async health(): Promise<Outcome<HealthReport | null>> {
    return { ok: true, value: this.#parts.bench.health() };
  }

  async openGripper(): Promise<Outcome<null>> {
    this.#parts.loop.openGripper();
    return DONE;
  }

  async look(place: SerialPlace, scope: LookScope): Promise<Outcome<LookReport>> {
    await this.#makeRoom(place);
    return { ok: true, value: await this.#parts.bench.look(place, scope) };
  }

  async readCalibration(text: string): Promise<Outcome<ArmCalibration>> {
    return { ok: true, value: parseCalibration(text) };
  }

  async writeCalibrationText(calibration: ArmCalibration): Promise<Outcome<string>> {
    return { ok: true, value: formatCalibration(calibration) };
  }

  async planCalibration(place: SerialPlace, calibration: ArmCalibration): Promise<Outcome<readonly RegisterChange[]>> {
    await this.#makeRoom(place);
    return { ok: true, value: await this.#parts.bench.planCalibration(place, calibration) };
  }

  async writeCalibration(place: SerialPlace, calibration: ArmCalibration): Promise<Outcome<LookReport>> {
    await this.#makeRoom(place);
    return { ok: true, value: await this.#parts.bench.writeCalibration(place, calibration) };
  }

  async calibrationBegin(place: SerialPlace): Promise<Outcome<CalibrationView>> {
    await this.#makeRoom(place);
    return { ok: true, value: await this.#parts.bench.calibrationBegin(place) };
  }

  async calibrationHome(): Promise<Outcome<CalibrationView>> {
    return { ok: true, value: await this.#parts.bench.calibrationHome() };
  }

  async calibrationView(): Promise<Outcome<CalibrationView>> {
    return { ok: true, value: this.#parts.bench.calibrationView() };
  }

  async calibrationPropose(): Promise<Outcome<CalibrationProposal>> {
    return { ok: true, value: this.#parts.bench.calibrationPropose() };
  }

  async calibrationEnd(): Promise<Outcome<null>> {
    await this.#parts.bench.calibrationEnd();
    return DONE;
  }

  async findMotor(place: SerialPlace): Promise<Outcome<FoundMotor>> {
    await this.#makeRoom(place);
    return { ok: true, value: await this.#parts.bench.findMotor(place) };
  }

  async nameMotor(place: SerialPlace, id: number): Promise<Outcome<FoundMotor>> {
    await this.#makeRoom(place);
    return { ok: true, value: await this.#parts.bench.nameMotor(place, id) };
  }

  async virtualHand(pose: readonly number[] | null): Promise<Outcome<null>> {
    this.#parts.bench.virtualHand(pose);
    return DONE;
  }

  async virtualFault(fault: VirtualFault): Promise<Outcome<null>> {
    this.#parts.bench.virtualFault(fault);
    return DONE;
  }

  async leaderFind(place: SerialPlace['kind']): Promise<Outcome<LeaderView>> {
    this.#parts.loop.unfollow();
    return { ok: true, value: await this.#parts.bench.findLeader(place) };
  }

  async leaderView(): Promise<Outcome<LeaderView>> {
    const { loop, bench } = this.#parts;
    return { ok: true, value: bench.leader.view(loop.leads) };
  }

  async leaderFollow(): Promise<Outcome<null>> {
    const { loop, bench } = this.#parts;
    loop.follow(bench.leading());
    return DONE;
  }

  async leaderRest(): Promise<Outcome<null>> {
    this.#parts.loop.unfollow();
    return DONE;
  }

  async leaderEnd(): Promise<Outcome<null>> {
    this.#parts.loop.unfollow();
    await this.#parts.bench.leader.end();
    return DONE;
  }

  async virtualLeader(pose: readonly number[]): Promise<Outcome<null>> {
    this.#parts.bench.virtualLeader(pose);
    return DONE;
  }

  async setRate(rateHz: number): Promise<Outcome<null>> {
    requireBetween('rateHz', rateHz, LEAST_RATE_HZ, MOST_RATE_HZ);
    await this.#standstill();
    this.#parts.loop.setRate(rateHz);
    this.#parts.schedule.setPeriod(1000 / rateHz);
    return DONE;
  }

  async setManualTargets(targets: JointUnitsVector): Promise<Outcome<null>> {
    requireBetween('targets', targets.length, JOINT_COUNT, JOINT_COUNT);
    const joint = targets.findIndex((value) => !Number.isFinite(value));
    if (joint >= 0) throw new FailureError('control/not-finite', { joint });
    this.#parts.loop.setManualTargets(unitsVectorToRadians(targets));
    return DONE;
  }

  async beginRun(start: RunStart): Promise<Outcome<null>> {
    requireBetween('askAtShare', start.askAtShare, 0, 1);
    requireBetween('chunkExpiryMs', start.chunkExpiryMs, 1, 3_600_000);
    if (start.aggregate !== undefined && !AGGREGATES.includes(start.aggregate)) throw new FailureError('control/out-of-range', { what: 'aggregate', found: String(start.aggregate), least: AGGREGATES[0], most: AGGREGATES.at(-1) ?? '' });
    if (start.drive !== undefined && start.drive !== 'arm' && start.drive !== 'shadow') throw new FailureError('control/out-of-range', { what: 'drive', found: String(start.drive), least: 'arm', most: 'shadow' });
    if (start.fps !== undefined) requireBetween('fps', start.fps, 1, 1000);
    this.#parts.loop.beginRun(start);
    return DONE;
  }

  async endRun(): Promise<Outcome<RunControlReport>> {
    return { ok: true, value: this.#parts.loop.endRun() };
  }

  async lowerAndRelease(): Promise<Outcome<null>> {
    await this.#standstill();
    this.#parts.loop.lowerAndRelease();
    return DONE;
  }

  async resume(): Promise<Outcome<null>> {
    await this.#standstill();
    await this.#parts.loop.resume(this.#parts.clock.nowMs());
    return DONE;
  }

  async lastStop(): Promise<Outcome<StopReport | null>> {
    return { ok: true, value: this.#parts.loop.lastStop() };
  }

  async profile(): Promise<Outcome<SafetyProfile>> {
    return { ok: true, value: this.#parts.loop.profile };
  }

  async setProfile(profile: unknown, source: ProfileSource): Promise<Outcome<SafetyProfile>> {
    const { profile: current } = this.#parts.loop;
    const next = { ...replaceProfile(current, readProfile(profile), source), revision: current.revision + 1 };
    await this.#standstill();
    this.#parts.loop.setProfile(next);
    return { ok: true, value: next };
  }

  /** Waits while the arm brakes; what it does because it is told to is not waited for. */
  async #standstill(): Promise<void> {
    const { loop, clock } = this.#parts;
    const limitMs = clock.nowMs() + STANDSTILL_MS;
    const braking = (): boolean => loop.mode === 'stopping' || ((loop.mode === 'idle' || loop.mode === 'stopped') && !loop.still);
    while (braking() && clock.nowMs() < limitMs) await clock.sleepUntil(clock.nowMs() + LOOK_EVERY_MS);
  }
}

const DONE: Outcome<null> = { ok: true, value: null };

function requireBetween(what: string, found: number, least: number, most: number): void {
  if (!(found >= least && found <= most)) throw new FailureError('control/out-of-range', { what, found, least, most });
}
