/**
 * The app as one object: its nouns, its verbs, and how it begins. `ui` and `api` are two equal customers of it. It puts
 * the verbs together and owns the first minute: world, arm, and only then the policy, because the arm must be visible
 * within two seconds and loading a policy keeps two cores busy for longer.
 */
import type { ArmKind } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import type { ChunkRecord, EngineChoice } from '#contracts/inference.ts';
import type { PolicySource } from '#contracts/policy.ts';
import type { ReplayReport, RunFile, RunReport } from '#contracts/run.ts';
import type { ResetRequest, SceneInfo } from '#contracts/scene.ts';
import type { SafetyProfile } from '#contracts/safety.ts';
import type { Clock } from '#contracts/time.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import type { CameraWatcher } from '#page/runtime/camera-feed.ts';
import type { House } from '#page/runtime/house.ts';
import type { PageSigns } from '#page/runtime/page-signs.ts';
import { cameraVerbs, type CameraVerbs } from './camera-verbs.ts';
import { armReader, unitsOf, type ArmSnapshot } from './arm-reader.ts';
import type { SessionContext } from './context.ts';
import { evaluationVerbs, type EvaluationVerbs } from './evaluation.ts';
import { eventHub, type EventHub } from './events.ts';
import { failureLog } from './failure-log.ts';
import { startFrameMeter } from './frame-meter.ts';
import { plotHistory, type PlotHistory } from './history.ts';
import { manualVerbs, type ManualVerbs } from './manual-verbs.ts';
import { startMonitor } from './monitor.ts';
import { policyVerbs, SHIPPED_POLICIES, type ReadyPolicy } from './policy-verbs.ts';
import { runVerbs, type RunRequest } from './run-verbs.ts';
import { stopVerbs, type StopVerbs } from './stop-verbs.ts';
import { createStores, type Stores } from './stores.ts';

export interface SessionOptions {
  readonly house: House;
  readonly signs: PageSigns;
  /** What a lesson asks of the safety limits; it can only lock and tighten. */
  readonly lesson: { readonly profile: unknown; readonly lock: 'asked' | 'not-asked' };
  readonly clock: Clock;
  readonly isHidden: () => boolean;
  readonly appVersion: string;
  /** `?engine=`. */
  readonly engineChoice: EngineChoice;
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

export interface SafetyVerbs {
  profile(): Promise<SafetyProfile>;
  /** Only at rest. A `file` can only make limits stricter; a locked profile stays. Rejects with `safety/...`. */
  setProfile(profile: unknown, source: 'person' | 'file'): Promise<SafetyProfile>;
  /** The key that lets a policy move an arm whose profile asks for it. */
  hold(key: 'down' | 'up'): void;
}

export interface Session extends ManualVerbs, StopVerbs, EvaluationVerbs, CameraVerbs {
  readonly stores: Stores;
  readonly history: PlotHistory;
  readonly events: EventHub;
  readonly world: WorldVerbs;
  readonly safety: SafetyVerbs;
  /** The arm stands in the world and holds. The policy may still be on its way. Rejects when that cannot happen. */
  readonly ready: Promise<void>;
  /** The body poses for whoever draws them. */
  readonly poses: SharedArrayBuffer;
  readArm(): ArmSnapshot | null;
  watchCamera(watcher: CameraWatcher): () => void;
  connect(kind: ArmKind): Promise<void>;
  loadPolicy(source: PolicySource): Promise<ReadyPolicy>;
  shippedPolicies(): readonly PolicySource[];
  runSentence(request: RunRequest): Promise<RunReport>;
  replay(file: RunFile): Promise<ReplayReport>;
  /** One chunk from what the cameras see now; nothing moves. */
  probe(request: { readonly task: string; readonly noiseSeed: number }): Promise<ChunkRecord>;
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

  const connect = async (kind: ArmKind): Promise<void> => {
    unwrap(await house.control.api.connect(kind));
    stores.arm.setState({ kind });
  };
  const begin = async (): Promise<void> => {
    try {
      await world.reset(options.firstReset);
      await connect('simulated');
      await applyLesson(house, options.lesson);
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
    loadPolicy: (source) => policies.load(source),
    shippedPolicies: () => SHIPPED_POLICIES,
    runSentence: runs.run,
    replay: runs.replay,
    probe: async ({ task, noiseSeed }) => {
      await policies.ensure();
      return unwrap(await house.inference.api.probe({ sentence: task, noiseSeed }));
    },
    world: {
      ...world,
      reset: async (request) => {
        if (runs.isActive()) throw new FailureError('run/already-running');
        return world.reset(request);
      },
    },
    safety: {
      profile: async () => unwrap(await house.control.api.profile()),
      setProfile: async (profile, source) => unwrap(await house.control.api.setProfile(profile, source)),
      hold: (key) => options.signs.hold(key),
    },
    ...stops,
    ...manual,
    ...evaluation,
    ...cameras,
    restartWorker: (name) => house[name].restart(),
    dismissFailure: (id) => failures.dismiss(id),
    reportFailure: context.report,
  };
}

/** Before anything can move: the teacher's limits, then the lock. */
async function applyLesson(house: House, { profile, lock }: SessionOptions['lesson']): Promise<void> {
  const { api } = house.control;
  if (profile !== null) unwrap(await api.setProfile(profile, 'server'));
  const current = unwrap(await api.profile());
  if (lock === 'asked' && current.lock === 'open') unwrap(await api.setProfile({ ...current, name: 'classroom', lock: 'locked' }, 'server'));
}

function worldVerbs({ house, stores, events }: SessionContext): WorldVerbs {
  const take = (scene: SceneInfo): SceneInfo => {
    const { joints } = scene.description.robot;
    const least = unitsOf(joints.map((joint) => joint.least));
    const most = unitsOf(joints.map((joint) => joint.most));
    stores.world.setState({ scene });
    stores.arm.setState({ limits: joints.map((joint, i) => ({ name: joint.name, least: least[i] as number, most: most[i] as number })) });
    events.emit('world', scene);
    return scene;
  };
  return {
    reset: async (request) => take(unwrap(await house.world.api.reset(request))),
    setLightLevel: async (level) => take(unwrap(await house.world.api.setLightLevel(level))),
    pause: async () => void unwrap(await house.world.api.setPace('paused')),
    resume: async () => void unwrap(await house.world.api.setPace('real-time')),
    step: async (steps) => {
      const { positions, simSeconds } = unwrap(await house.world.api.step(steps));
      return { positions: unitsOf(positions), simSeconds };
    },
  };
}

