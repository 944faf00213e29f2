/**
 * The verbs of an arm of servos: connect, leave, look, calibrate, name a motor. One at a time; each says in the store what it does and,
 * where it fails, why. Every decision about motors is made by control; here it is put in order and remembered.
 */
import type { LookScope, SerialPlace, VirtualFault } from '#contracts/robot-setup.ts';
import type { RobotName } from '#contracts/robot.ts';
import type { Failure } from '#contracts/failure.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { robotNamed } from '#core/robots/known.ts';
import { awayFromRest } from '#core/robots/rest.ts';
import { unitsVectorToRadians } from '#core/robots/units.ts';
import type { PortQuestion } from '#page/runtime/ask-port.ts';
import type { ArmCalibration, SerialAdapter } from '#contracts/serial.ts';
import type { SessionContext } from './context.ts';
import type { RobotState, RobotWork } from './robot-state.ts';

export interface RobotVerbs {
  /** Which arm the panel is for. Touches nothing. */
  choosePlace(kind: SerialPlace['kind']): void;
  /** Which printed arm it is: the one on the table becomes that one, in the same scene. Only without an arm of servos: `control/busy`. */
  chooseBody(body: RobotName): Promise<void>;
  /** Whether the simulated arm goes along with a real one, for a policy that looks at the simulation. */
  chooseMirror(mirror: RobotState['mirror']): void;
  /** Asks for a port where it needs one (from a click), looks, sets up, takes hold. Rejects with why not. */
  connectServos(kind: SerialPlace['kind'], question?: PortQuestion): Promise<void>;
  /**
   * Connects with a LeRobot calibration file. Where the motors hold it already, at once; where they do not, what writing it would change is shown
   * as a plan, nothing is connected, and writing the plan connects.
   */
  connectWithFile(kind: SerialPlace['kind'], file: { readonly text: string; readonly name: string }, question?: PortQuestion): Promise<void>;
  /** Lowers, lets go, gives the port back; then the simulated arm is there again. */
  leaveServos(): Promise<void>;
  look(scope: LookScope): Promise<void>;
  /** A LeRobot calibration file: checked, and what writing it would change is shown. */
  planFromFile(text: string, name: string): Promise<void>;
  writePlan(): Promise<void>;
  dropPlan(): void;
  /** The calibration in use, as LeRobot writes it; null without one. */
  calibrationText(): Promise<string | null>;
  calibrationBegin(): Promise<void>;
  calibrationHome(): Promise<void>;
  calibrationPropose(): Promise<void>;
  calibrationEnd(): Promise<void>;
  findMotor(): Promise<void>;
  nameMotor(id: number): Promise<void>;
  /** Looks for a leader arm: a hand moves one of its joints, nothing is written. `another`: asks for a further port first (from a click). */
  leaderFind(ports: 'allowed' | 'another'): Promise<void>;
  /** The follower goes where the leader is: slowly until it is there. */
  leaderFollow(): Promise<void>;
  /** The follower holds. */
  leaderRest(): Promise<void>;
  leaderEnd(): Promise<void>;
  /** Virtual leader only: its joints, LeRobot joint units. */
  virtualLeader(targets: readonly number[]): Promise<void>;
  /** Also after Stop, and with a fault latched. */
  openGripper(): Promise<void>;
  /** Virtual servos only. */
  virtualHand(pose: readonly number[] | null): Promise<void>;
  virtualFault(fault: VirtualFault): Promise<void>;
}

export interface RobotParts {
  readonly askForPort: (question: PortQuestion) => Promise<SerialAdapter | null>;
  readonly connectSimulated: () => Promise<void>;
  readonly release: () => Promise<void>;
  /** The same table with this arm on it. */
  readonly standOnTable: (body: RobotName) => Promise<void>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

const HEALTH_EVERY_MS = 250;
const VIEW_EVERY_MS = 100;
/** Lowering takes at most this long; the page's own deadline for it is longer. */
const LOWERED_MS = 20_000;
const TRIM = 'vla-arm-trim';

export function robotVerbs(context: SessionContext, parts: RobotParts): RobotVerbs {
  const { house, stores, clock, events } = context;
  const { api } = house.control;
  const { robot } = stores;
  /** Virtual servos forget their EEPROM with the page, so their trim goes with them. */
  let virtualTrim: readonly number[] | null = null;

  const working = async <T>(work: RobotWork, body: () => Promise<T>): Promise<T> => {
    const { work: other } = robot.getState();
    if (other !== null && !(other === 'calibrating' && (work === 'writing' || work === 'calibrating'))) throw new FailureError('control/busy', { mode: other });
    robot.setState({ work, failure: null });
    try {
      return await body();
    } catch (thrown) {
      const failure = asFailure(thrown);
      robot.setState({ failure });
      tell(failure);
      throw new FailureError(failure.code, failure.facts);
    } finally {
      robot.setState({ work: robot.getState().calibrating === null ? null : 'calibrating' });
    }
  };
  /** A list that the person closed is no news. */
  const tell = (failure: Failure): void => {
    if (failure.code !== 'serial/no-port' && failure.code !== 'worker/died') context.report(failure);
  };

  const bodyNow = (): RobotName => robot.getState().place.body ?? 'so100';
  const placeOf = (kind: SerialPlace['kind'], adapter: SerialAdapter | null): SerialPlace => (kind === 'virtual' ? { kind, body: bodyNow() } : { kind, adapter, body: bodyNow() });

  const noArm = (): void => {
    robot.setState({ connected: null, health: null });
    stores.arm.setState({ kind: null });
  };

  const trimOf = (place: SerialPlace): readonly number[] | null => {
    if (place.kind === 'virtual') return virtualTrim;
    try {
      const found: unknown = JSON.parse(parts.storage.getItem(TRIM) ?? 'null');
      return Array.isArray(found) && found.every((value) => typeof value === 'number') ? (found as number[]) : null;
    } catch {
      return null;
    }
  };
  const keepTrim = (place: SerialPlace, trim: readonly number[] | null): void => {
    if (place.kind === 'virtual') virtualTrim = trim;
    else if (trim === null) parts.storage.removeItem(TRIM);
    else parts.storage.setItem(TRIM, JSON.stringify(trim));
  };

  const attach = async (place: SerialPlace, calibration: ArmCalibration | 'in-servos' = 'in-servos'): Promise<void> => {
    noArm();
    const trimRad = trimOf(place);
    const connected = unwrap(await api.connectServos({ place, calibration, mirror: robot.getState().mirror, ...(trimRad === null ? {} : { trimRad }) }));
    robot.setState({ place, connected, look: null });
    stores.arm.setState({ kind: place.kind });
    void watchHealth();
  };

  let watching: 'yes' | 'no' = 'no';
  const watchHealth = async (): Promise<void> => {
    if (watching === 'yes') return;
    watching = 'yes';
    while (robot.getState().connected !== null) {
      const answer = await api.health();
      if (robot.getState().connected !== null) robot.setState({ health: answer.ok ? answer.value : null });
      await clock.sleepUntil(clock.nowMs() + HEALTH_EVERY_MS);
    }
    watching = 'no';
  };

  const away = (target: readonly number[] | null) => (target === null ? null : awayFromRest(robotNamed(bodyNow()).restPose, Array.from(unitsVectorToRadians(Float64Array.from(target) as JointUnitsVector)))) ?? {};
  const lowered = async (): Promise<void> => {
    await parts.release();
    const limitMs = clock.nowMs() + LOWERED_MS;
    let seen: 'nothing' | 'lowering' = 'nothing';
    for (;;) {
      const arm = context.readArm();
      if (arm?.mode === 'released') return;
      if (arm?.mode === 'lowering') seen = 'lowering';
      else if (arm?.mode === 'idle' && seen === 'lowering') throw new FailureError('control/rest-not-reached', away(arm.target));
      if (clock.nowMs() > limitMs) throw new FailureError('worker/deadline', { worker: 'control', call: 'lowerAndRelease', waitedMs: LOWERED_MS });
      await clock.sleepUntil(clock.nowMs() + VIEW_EVERY_MS);
    }
  };

  /** The arm lies, limp, and nobody speaks to it. A lost one cannot be lowered: what remains is to give its port back. */
  const letGo = async (): Promise<void> => {
    if (robot.getState().connected === null) return;
    // Asked for anew: what the panel shows may be a quarter of a second old, and an arm lost since then would be told to lower itself.
    const health = unwrap(await api.health());
    const lost = health?.faults.some((fault) => fault.code === 'arm/port-lost') ?? false;
    if (!lost && context.readArm()?.mode !== 'released') await lowered();
    unwrap(await api.disconnect());
    noArm();
  };

  const watchCalibration = async (): Promise<void> => {
    while (robot.getState().calibrating !== null) {
      const answer = await api.calibrationView();
      if (robot.getState().calibrating === null) break;
      if (!answer.ok) {
        robot.setState({ calibrating: null, work: null, failure: answer.failure });
        tell(answer.failure);
        break;
      }
      robot.setState({ calibrating: answer.value });
      if (robot.getState().place.kind === 'serial') events.emit('twin', answer.value.angles);
      await clock.sleepUntil(clock.nowMs() + VIEW_EVERY_MS);
    }
    events.emit('twin', null);
  };

  /** Beside the other verbs, not instead of them: a leader is looked for with the follower connected or not. */
  const leading = async (body: () => Promise<void>): Promise<void> => {
    robot.setState({ failure: null });
    try {
      await body();
    } catch (thrown) {
      const failure = asFailure(thrown);
      robot.setState({ failure });
      tell(failure);
      throw new FailureError(failure.code, failure.facts);
    }
  };
  let watchingLeader: 'yes' | 'no' = 'no';
  const watchLeader = async (): Promise<void> => {
    if (watchingLeader === 'yes') return;
    watchingLeader = 'yes';
    while (robot.getState().leader !== null) {
      await clock.sleepUntil(clock.nowMs() + VIEW_EVERY_MS);
      const answer = await api.leaderView();
      if (robot.getState().leader === null) break;
      if (answer.ok) robot.setState({ leader: answer.value });
      // A crowded machine answers late; the leader is where it was.
      else if (answer.failure.code !== 'worker/deadline') {
        robot.setState({ leader: null, failure: answer.failure });
        tell(answer.failure);
      }
    }
    watchingLeader = 'no';
  };

  const endCalibrating = async (): Promise<void> => {
    robot.setState({ calibrating: null });
    unwrap(await api.calibrationEnd());
  };

  return {
    choosePlace: (kind) => {
      if (robot.getState().connected === null && robot.getState().work === null) robot.setState({ place: placeOf(kind, null), look: null, plan: null, failure: null });
    },
    chooseBody: async (body) => {
      if (body === bodyNow()) return;
      try {
        await parts.standOnTable(body);
      } catch (thrown) {
        const failure = asFailure(thrown);
        robot.setState({ failure });
        tell(failure);
        throw new FailureError(failure.code, failure.facts);
      }
    },
    chooseMirror: (mirror) => robot.setState({ mirror }),
    connectServos: (kind, question = 'known') =>
      working('connecting', async () => {
        const place = placeOf(kind, kind === 'virtual' ? null : await parts.askForPort(question));
        robot.setState({ place });
        try {
          await attach(place);
        } catch (thrown) {
          // A page without an arm is a page without a Stop that means anything: the simulated one comes back, except where it is the virtual servos' own.
          await parts.connectSimulated().catch(() => undefined);
          throw thrown;
        }
      }),
    connectWithFile: (kind, { text, name }, question = 'known') =>
      working('connecting', async () => {
        // The file first: nobody is asked for a port for the sake of a file that is none.
        const calibration = unwrap(await api.readCalibration(text));
        const place = placeOf(kind, kind === 'virtual' ? null : await parts.askForPort(question));
        robot.setState({ place, plan: null });
        try {
          if (place.kind === 'virtual') noArm();
          const changes = unwrap(await api.planCalibration(place, calibration));
          if (changes.length > 0) {
            robot.setState({ plan: { from: 'file', name, calibration, changes, trimRad: null, afterwards: 'connect' } });
            return;
          }
          await attach(place, calibration);
        } catch (thrown) {
          await parts.connectSimulated().catch(() => undefined);
          throw thrown;
        }
      }),
    leaveServos: () =>
      working('leaving', async () => {
        await letGo();
        await parts.connectSimulated();
      }),
    look: (scope) =>
      working(scope === 'arm' ? 'looking' : 'looking-everywhere', async () => {
        const { place, connected } = robot.getState();
        if (connected === null && place.kind === 'virtual') noArm();
        robot.setState({ look: unwrap(await api.look(place, scope)) });
      }),
    planFromFile: (text, name) =>
      working('planning', async () => {
        const { place, connected } = robot.getState();
        const calibration = unwrap(await api.readCalibration(text));
        if (connected === null && place.kind === 'virtual') noArm();
        robot.setState({ plan: { from: 'file', name, calibration, changes: unwrap(await api.planCalibration(place, calibration)), trimRad: null } });
      }),
    writePlan: () =>
      working('writing', async () => {
        const { plan, place, connected } = robot.getState();
        if (plan === null) return;
        const wasConnected = connected !== null;
        // Written or not, the sweep has ended: its offsets are not the motors' any more.
        robot.setState({ calibrating: null });
        if (wasConnected) await letGo();
        const look = unwrap(await api.writeCalibration(place, plan.calibration));
        keepTrim(place, plan.trimRad);
        robot.setState({ plan: null, look, calibrating: null });
        if (wasConnected || plan.from === 'sweep' || plan.afterwards === 'connect') await attach(place, plan.from === 'file' ? plan.calibration : 'in-servos');
      }),
    dropPlan: () => robot.setState({ plan: null }),
    calibrationText: async () => {
      const calibration = robot.getState().connected?.calibration ?? robot.getState().look?.calibration ?? null;
      return calibration === null ? null : unwrap(await api.writeCalibrationText(calibration));
    },
    calibrationBegin: () =>
      working('calibrating', async () => {
        await letGo();
        noArm();
        const view = unwrap(await api.calibrationBegin(robot.getState().place));
        robot.setState({ calibrating: view, plan: null });
        void watchCalibration();
      }),
    calibrationHome: () => working('calibrating', async () => robot.setState({ calibrating: unwrap(await api.calibrationHome()) })),
    calibrationPropose: () =>
      working('calibrating', async () => {
        const proposal = unwrap(await api.calibrationPropose());
        robot.setState({ plan: { from: 'sweep', name: '', ...proposal } });
      }),
    calibrationEnd: () =>
      working('calibrating', async () => {
        await endCalibrating();
        robot.setState({ plan: null });
        await parts.connectSimulated();
      }),
    findMotor: () =>
      working('naming', async () => {
        await letGo();
        noArm();
        robot.setState({ motor: null });
        robot.setState({ motor: unwrap(await api.findMotor(robot.getState().place)) });
      }),
    nameMotor: (id) => working('naming', async () => robot.setState({ motor: unwrap(await api.nameMotor(robot.getState().place, id)) })),
    leaderFind: (ports) =>
      leading(async () => {
        const { kind } = robot.getState().place;
        if (kind === 'serial' && ports === 'another') await parts.askForPort('adapters');
        robot.setState({ leader: unwrap(await api.leaderFind(kind)) });
        void watchLeader();
      }),
    leaderFollow: () => leading(async () => void unwrap(await api.leaderFollow())),
    leaderRest: () => leading(async () => void unwrap(await api.leaderRest())),
    leaderEnd: () =>
      leading(async () => {
        robot.setState({ leader: null });
        unwrap(await api.leaderEnd());
      }),
    virtualLeader: async (targets) => void unwrap(await api.virtualLeader([...unitsVectorToRadians(Float64Array.from(targets) as JointUnitsVector)])),
    openGripper: async () => void unwrap(await api.openGripper()),
    virtualHand: async (pose) => void unwrap(await api.virtualHand(pose)),
    virtualFault: async (fault) => void unwrap(await api.virtualFault(fault)),
  };
}
