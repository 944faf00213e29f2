/**
 * The app as one object: its nouns, its verbs, and how it begins. `ui` and `api` are two equal customers of it. It puts
 * the verbs together and owns the first minute: world, arm, and only then the policy, because the arm must be visible
 * within two seconds and loading a policy keeps two cores busy for longer.
 */
import type { ArmKind } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import { REAL_TIME_CHUNKING, type ChunkRecord, type EngineChoice } from '#contracts/inference.ts';
import type { PolicyFit, PolicySource } from '#contracts/policy.ts';
import type { ReplayReport, RunFile, RunReport } from '#contracts/run.ts';
import type { RobotName } from '#contracts/robot.ts';
import type { ResetRequest, SceneInfo } from '#contracts/scene.ts';
import type { Clock } from '#contracts/time.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import type { CameraWatcher } from '#page/runtime/camera-feed.ts';
import type { House } from '#page/runtime/house.ts';
import type { PageSigns } from '#page/runtime/page-signs.ts';
import { cameraVerbs, type CameraVerbs } from './camera-verbs.ts';
import { JOINTS_SLOT, JOINTS_SLOT_LENGTH } from '#contracts/slots.ts';
import { slotReader } from '#core/lib/shared-slot.ts';
import { armReader, unitsOf, type ArmSnapshot } from './arm-reader.ts';
import type { SessionContext } from './context.ts';
import { evaluationVerbs, type EvaluationVerbs } from './evaluation.ts';
import { eventHub, type EventHub } from './events.ts';
import { failureLog } from './failure-log.ts';
import { startFaultLog, type FaultVerbs } from './fault-log.ts';
import { startFrameMeter } from './frame-meter.ts';
import { plotHistory, type PlotHistory } from './history.ts';
import { modelVerbs, type ModelVerbs } from './model-verbs.ts';
import { manualVerbs, type ManualVerbs } from './manual-verbs.ts';
import { startMonitor } from './monitor.ts';
import { parityVerbs, type ParityVerbs } from './parity-verbs.ts';
import { policyVerbs, SHIPPED_POLICIES, type ReadyPolicy } from './policy-verbs.ts';
import { askForPort } from '#page/runtime/ask-port.ts';
import { robotVerbs, type RobotVerbs } from './robot-verbs.ts';
import { meterVerbs, type MeterVerbs } from './meter.ts';
import { recordVerbs, type RecordVerbs } from './record-verbs.ts';
import { runVerbs, type RunRequest } from './run-verbs.ts';
import { firstProfile, safetyVerbs, type SafetyVerbs } from './safety-verbs.ts';
import { stopVerbs, type StopVerbs } from './stop-verbs.ts';
import { createStores, type RunOptions, type Stores } from './stores.ts';

export interface SessionOptions {
  readonly house: House;
  readonly signs: PageSigns;
  /** What a lesson asks of the safety limits; it can only lock and tighten. */
  readonly lesson: { readonly profile: unknown; readonly lock: 'asked' | 'not-asked' };
  /** What a person chose here is kept in it. */
  readonly storage: Storage;
  /** For files that say where they come from. */
  readonly browser: string;
  readonly clock: Clock;
  readonly isHidden: () => boolean;
  readonly appVersion: string;
  /** `?engine=`. */
  readonly engineChoice: EngineChoice;
  /** `?ladder=off`: no run gives anything up for speed. */
  readonly ladder: 'on' | 'off';
  /** What the world is set up for at first. */
  readonly firstReset: ResetRequest;
}

export interface WorldVerbs {
  reset(request: ResetRequest): Promise<SceneInfo>;
  /** 0 = lights off, 1 = as shipped. */
  setLightLevel(level: number): Promise<SceneInfo>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Exactly so many physics steps, only while paused. Joint positions afterwards, LeRobot joint units. */
  step(steps: number): Promise<{ readonly positions: readonly number[]; readonly simSeconds: number }>;
}

export interface Session extends ModelVerbs, ParityVerbs, RobotVerbs, ManualVerbs, StopVerbs, EvaluationVerbs, CameraVerbs, RecordVerbs {
  readonly stores: Stores;
  readonly history: PlotHistory;
  readonly events: EventHub;
  readonly world: WorldVerbs;
  readonly safety: SafetyVerbs;
  readonly meter: MeterVerbs;
  readonly faults: FaultVerbs;
  /** The arm stands in the world and holds. The policy may still be on its way. Rejects when that cannot happen. */
  readonly ready: Promise<void>;
  /** The body poses for whoever draws them. */
  readonly poses: SharedArrayBuffer;
  readArm(): ArmSnapshot | null;
  watchCamera(watcher: CameraWatcher): () => void;
  connect(kind: ArmKind): Promise<void>;
  loadPolicy(source: PolicySource, fit?: PolicyFit): Promise<ReadyPolicy>;
  shippedPolicies(): readonly PolicySource[];
  runSentence(request: RunRequest): Promise<RunReport>;
  /** As the run options say: how plans are joined, whether anything is sent, what doubt does. */
  runAsChosen(request: Pick<RunRequest, 'task' | 'seed'>): Promise<RunReport>;
  choose(options: Partial<RunOptions>): void;
  replay(file: RunFile): Promise<ReplayReport>;
  /** One chunk from what the cameras see now; nothing moves. */
  probe(request: { readonly task: string; readonly noiseSeed: number; readonly noiseScale?: number }): Promise<ChunkRecord>;
  /** Starts a worker that gave up restarting. */
  restartWorker(name: 'inference' | 'conversion'): void;
  dismissFailure(id: number): void;
  reportFailure(failure: Failure): void;
}

export function createSession(options: SessionOptions): Session {
  const { house, clock } = options;
  const stores = createStores({ control: house.control.state(), world: house.world.state(), inference: house.inference.state(), conversion: house.conversion.state() });
  const events = eventHub();
  const failures = failureLog(stores.failures, () => clock.nowMs());
  const history = plotHistory();
  const context: SessionContext = {
    house,
    clock,
    stores,
    events,
    failures,
    appVersion: options.appVersion,
    engineChoice: options.engineChoice,
    ladder: options.ladder,
    readArm: armReader(house.memory.arm),
    report: (failure) => {
      failures.add(failure);
      events.emit('failure', failure);
    },
  };
  startMonitor(context, history, options.isHidden);
  startFrameMeter(stores.speed);

  const policies = policyVerbs(context);
  const world = worldVerbs(context);
  const runs = runVerbs(context, policies, world.reset);
  const stops = stopVerbs(context, runs);
  const manual = manualVerbs(context);
  const evaluation = evaluationVerbs(context, policies);
  const cameras = cameraVerbs(context);
  const recording = recordVerbs(context, cameras, runs);
  const faults = startFaultLog(context, options.browser);
  const probe: Session['probe'] = async ({ task, ...how }) => {
    await policies.ensure();
    return unwrap(await house.inference.api.probe({ sentence: task, ...how }));
  };
  const runAsChosen: Session['runAsChosen'] = (request) => runs.run({ ...request, ...chosenRun(stores) });
  const reset: WorldVerbs['reset'] = async (request) => {
    if (runs.isActive()) throw new FailureError('run/already-running');
    return world.reset(request);
  };
  const meter = meterVerbs(context, { run: (request) => runs.run({ ...request, ...joiningOf(stores) }), reset, probe, storage: options.storage });

  const connect = async (kind: ArmKind): Promise<void> => {
    if (kind === 'serial' || kind === 'virtual') return robot.connectServos(kind);
    unwrap(await house.control.api.connect(kind, stores.robot.getState().place.body));
    stores.arm.setState({ kind });
    stores.robot.setState({ connected: null, health: null });
  };
  const robot = robotVerbs(context, {
    askForPort,
    connectSimulated: () => connect('simulated'),
    release: stops.release,
    standOnTable: async (body) => void (await reset({ ...(stores.world.getState().scene?.request ?? options.firstReset), robot: body })),
    storage: localStorage,
  });
  const begin = async (): Promise<void> => {
    try {
      await world.reset(options.firstReset);
      await connect('simulated');
      await firstProfile(context, options.lesson, options.storage);
    } catch (thrown) {
      // A worker that died has told so already.
      if (thrown instanceof FailureError && thrown.failure.code !== 'worker/died') context.report(thrown.failure);
      throw thrown;
    }
    policies.ensure().catch(() => undefined);
  };
  const ready = begin();
  ready.catch(() => undefined);

  return {
    stores,
    history,
    events,
    ready,
    poses: house.memory.poses,
    readArm: context.readArm,
    watchCamera: (watcher) => house.cameras.watch(watcher),
    connect,
    loadPolicy: (source, fit) => policies.load(source, fit),
    shippedPolicies: () => SHIPPED_POLICIES,
    runSentence: runs.run,
    runAsChosen,
    choose: (chosen) => stores.options.setState(chosen),
    replay: runs.replay,
    probe,
    world: { ...world, reset },
    safety: safetyVerbs(context, { signs: options.signs, storage: options.storage }),
    meter,
    faults,
    ...robot,
    ...stops,
    ...manual,
    ...modelVerbs(context, policies),
    ...parityVerbs(context, policies),
    ...evaluation,
    ...cameras,
    ...recording,
    restartWorker: (name) => house[name].restart(),
    dismissFailure: (id) => failures.dismiss(id),
    reportFailure: context.report,
  };
}

/** How plans are joined, as a run is told. */
function joiningOf({ options }: Stores): Pick<RunRequest, 'aggregate' | 'realTimeChunking'> {
  const { joining } = options.getState();
  return joining === 'real_time' ? { realTimeChunking: REAL_TIME_CHUNKING } : { aggregate: joining };
}

function chosenRun(stores: Stores): Partial<RunRequest> {
  const { drive, doubt } = stores.options.getState();
  const limit = stores.meter.getState().calibration?.limit;
  return { ...joiningOf(stores), drive, ...(doubt === 'nothing' || limit === undefined ? {} : { disagreement: { limit, reaction: doubt } }) };
}

/** Control goes on at its own pace; until it has seen the new world, its last command is of the old one. */
const MEET_LIMIT_MS = 2000;
const MEET_EVERY_MS = 10;

function worldVerbs(context: SessionContext): WorldVerbs {
  const { house, stores, events, clock } = context;
  const joints = slotReader(house.memory.joints);
  const record = new Float64Array(JOINTS_SLOT_LENGTH);
  /** Resolves when control holds the arm where the new world put it. Without an arm at once; with one that does not answer, after a while. */
  const met = async (): Promise<void> => {
    const limitMs = clock.nowMs() + MEET_LIMIT_MS;
    const behind = (): boolean => {
      const epoch = context.readArm()?.epoch ?? null;
      return epoch !== null && joints.read(record) && epoch !== record[JOINTS_SLOT.epoch.at];
    };
    while (behind() && clock.nowMs() < limitMs) await clock.sleepUntil(clock.nowMs() + MEET_EVERY_MS);
  };
  const take = (scene: SceneInfo): SceneInfo => {
    const { joints } = scene.description.robot;
    const least = unitsOf(joints.map((joint) => joint.least));
    const most = unitsOf(joints.map((joint) => joint.most));
    stores.world.setState({ scene });
    stores.arm.setState({ limits: joints.map((joint, i) => ({ name: joint.name, least: least[i] as number, most: most[i] as number })) });
    events.emit('world', scene);
    return scene;
  };
  /** Another arm on the table. Control lets go of the one that stands there, and takes hold of the new one by its own limits and body. */
  const exchange = async (request: ResetRequest, body: RobotName): Promise<SceneInfo> => {
    const { connected, work, place } = stores.robot.getState();
    if (connected !== null || work !== null) throw new FailureError('control/busy', { mode: work ?? 'connected' });
    unwrap(await house.control.api.disconnect());
    stores.arm.setState({ kind: null });
    const scene = unwrap(await house.world.api.reset(request));
    stores.robot.setState({ place: { ...place, body }, look: null, plan: null, failure: null });
    take(scene);
    unwrap(await house.control.api.connect('simulated', body));
    stores.arm.setState({ kind: 'simulated' });
    return scene;
  };
  return {
    reset: async (request) => {
      const { place } = stores.robot.getState();
      // The arm stays unless another is asked for. An SO-100 needs no name: run files say nothing of it.
      const { robot: asked, ...rest } = request;
      const body = asked ?? place.body ?? 'so100';
      const complete: ResetRequest = body === 'so100' ? rest : { ...rest, robot: body };
      const standing = stores.world.getState().scene?.description.robot.name ?? body;
      if (standing !== body) return exchange(complete, body);
      const scene = unwrap(await house.world.api.reset(complete));
      stores.robot.setState({ place: { ...place, body } });
      await met();
      return take(scene);
    },
    setLightLevel: async (level) => take(unwrap(await house.world.api.setLightLevel(level))),
    pause: async () => void unwrap(await house.world.api.setPace('paused')),
    resume: async () => void unwrap(await house.world.api.setPace('real-time')),
    step: async (steps) => {
      const { positions, simSeconds } = unwrap(await house.world.api.step(steps));
      return { positions: unitsOf(positions), simSeconds };
    },
  };
}

