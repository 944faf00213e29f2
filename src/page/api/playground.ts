/**
 * The console API, `window.playground`. It gives the session's verbs names for people who type them, checks what they
 * typed, and dresses failures with words. It decides nothing.
 *
 *   await playground.ready
 *   const report = await playground.run({ task: 'pick up the red cube', seconds: 10 })
 *   await playground.replay(report.file)          // the same actions again
 *   playground.on('chunk', console.log)
 */
import type { ArmKind, ControlMode } from '#contracts/control.ts';
import type { DatasetEpisode } from '#contracts/dataset.ts';
import type { EvaluationReport } from '#contracts/evaluation.ts';
import type { Fact, Failure, FailureCode } from '#contracts/failure.ts';
import type { ChunkRecord, EngineReport, StoredPolicy } from '#contracts/inference.ts';
import type { PolicyFit, PolicyInfo, PolicySource } from '#contracts/policy.ts';
import type { PreflightLine } from '#contracts/preflight.ts';
import type { EpisodeSummary, OpenedDataset } from '#contracts/recording.ts';
import type { ReplayReport, RunFile, RunReport } from '#contracts/run.ts';
import type { SafetyProfile, SafetyReport } from '#contracts/safety.ts';
import type { ResetRequest, SceneInfo } from '#contracts/scene.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import type { MeasureRequest } from '#page/session/evaluation.ts';
import type { SessionEventName, SessionEvents } from '#page/session/events.ts';
import type { ReadyPolicy } from '#page/session/policy-verbs.ts';
import { checkRunFile, decodeRunFile, encodeRunFile, MAX_RUN_FILE_BYTES } from '#page/session/run-file.ts';
import type { RunRequest, TraceReport } from '#page/session/run-verbs.ts';
import type { Session } from '#page/session/session.ts';
import type { ConfirmedStop, RunState, WorkersState } from '#page/session/stores.ts';

/** What a person would read about a failure. */
export interface ApiWords {
  readonly title: string;
  readonly happened: string;
  readonly next: string;
}

/** Every rejection of this API. */
export class PlaygroundError extends FailureError {
  readonly code: FailureCode;
  readonly facts: Readonly<Record<string, Fact>>;
  readonly words: ApiWords;

  constructor(failure: Failure, words: ApiWords) {
    super(failure.code, failure.facts);
    this.name = 'PlaygroundError';
    this.code = failure.code;
    this.facts = failure.facts;
    this.words = words;
    this.message = `${words.title}. ${words.happened} ${words.next} [${failure.code}]`;
  }
}

/** What this browser and machine offer. */
export interface Capabilities {
  readonly crossOriginIsolated: boolean;
  readonly webgpu: boolean;
  /** JavaScript promise integration, for the fast build of the engine. */
  readonly jspi: boolean;
  /** Logical processors. */
  readonly threads: number;
  /** Files of this page on this machine. */
  readonly fileStore: boolean;
  readonly webSerial: boolean;
  readonly workers: WorkersState;
  /** What was found out and chosen for the loaded policy; null before one is loaded. */
  readonly engine: EngineReport | null;
}

export interface PolicyListing {
  readonly source: PolicySource;
  readonly name: string;
  /** Null until it has been loaded. */
  readonly info: PolicyInfo | null;
}

/** Plain data, a copy: safe to print, keep and compare. Joint values in LeRobot joint units, degrees and 0..100. */
export interface PlaygroundState {
  readonly arm: {
    readonly kind: ArmKind | null;
    readonly mode: ControlMode;
    readonly tick: number;
    /** Null where the reading failed. */
    readonly measured: readonly number[] | null;
    readonly target: readonly number[] | null;
    readonly lastStop: ConfirmedStop | null;
    readonly safety: SafetyReport | null;
  };
  readonly world: { readonly scene: string | null; readonly request: ResetRequest | null; readonly pace: string | null; readonly simSeconds: number | null; readonly realTimeFactor: number | null; readonly cameraMs: Readonly<Record<string, number>> | null };
  readonly policy: { readonly kind: 'none' | 'loading' | 'ready' | 'failed'; readonly name: string | null; readonly provider: string | null };
  readonly run: RunState['kind'];
  readonly speed: ReturnType<Session['stores']['speed']['getState']>;
  readonly failures: readonly Failure[];
}

export interface Playground {
  /** The arm stands in the world and holds. The policy may still be on its way: `run` waits for it by itself. */
  readonly ready: Promise<void>;
  capabilities(): Capabilities;
  readonly policies: {
    list(): readonly PolicyListing[];
    /**
     * A source; the name of a shipped policy such as `policies/pocket`; or `user/model` on the Hub. A name may end with a
     * precision, `policies/pocket:q8`. `fit` says which cameras feed it and what its joint values are. Resolves when it is
     * ready to run.
     */
    load(source: PolicySource | string, fit?: PolicyFit): Promise<{ readonly info: PolicyInfo; readonly engine: EngineReport }>;
    /** The list of checks, from the checkpoint's description alone; what stands in it at `stop` must be mended before it runs. */
    check(source: PolicySource | string): Promise<readonly PreflightLine[]>;
    /** What is stored on this machine; `rename` and `remove` by `name`, `load({ kind: 'stored', name })`. */
    stored(): Promise<readonly StoredPolicy[]>;
    rename(name: string, title: string): Promise<void>;
    remove(name: string): Promise<void>;
    /** Ends a load; what has arrived is kept for the next one. */
    cancel(): Promise<void>;
  };
  readonly robot: {
    connect(kind: ArmKind): Promise<void>;
    /** Six targets by hand, LeRobot joint units; clamped to the joints' limits. Refused while a policy runs. */
    setTargets(targets: readonly number[]): Promise<void>;
    /** Opens the gripper; nothing else moves. Also after `stop`, and with a fault latched. */
    openGripper(): Promise<void>;
  };
  readonly world: {
    /** The same request gives the same scene. Refused while a run is under way. */
    reset(request: ResetRequest): Promise<SceneInfo>;
    /** 0 = lights off, 1 = as shipped. Part of the scene: the hash changes. */
    setLightLevel(level: number): Promise<SceneInfo>;
    /** Physics stands still; `step` moves it. For lessons in lockstep. */
    pause(): Promise<void>;
    resume(): Promise<void>;
    /** Exactly so many physics steps, only while paused. */
    step(steps: number): Promise<{ readonly positions: readonly number[]; readonly simSeconds: number }>;
  };
  /** Types a sentence and presses Run. Resolves when the run is over; `report.file` can be replayed and saved. */
  run(request: RunRequest): Promise<RunReport>;
  /** The same actions again, computed from the file's own pictures, joint state and noise. Takes what `run` gave, or a saved file or its text. */
  replay(file: RunFile | Blob | string): Promise<ReplayReport>;
  /** A run as text, the same that "Save this run" writes. */
  encode(file: RunFile): string;
  /** One chunk from what the cameras see now; nothing moves. The same seed, picture, joints and sentence give the same chunk. */
  probe(request: { readonly task: string; readonly noiseSeed: number; readonly noiseScale?: number }): Promise<ChunkRecord>;
  /**
   * Seeded trials in a laboratory of its own, counted: k of n with its Wilson interval, and every episode. Nothing on the
   * stage moves. `playground.evaluate({ policy: 'expert', task: 'pick-up', seeds: 50, perturbation: 'light' })`
   */
  evaluate(request: MeasureRequest): Promise<EvaluationReport>;
  /** Episodes recorded in this page, and LeRobot datasets. */
  readonly recording: {
    /** Records until `keep` or `discard`, also while something else moves the arm. */
    begin(task: string): Promise<void>;
    keep(): Promise<EpisodeSummary | null>;
    discard(): Promise<void>;
    list(): Promise<readonly EpisodeSummary[]>;
    remove(id: string): Promise<void>;
    /** Rows of a kept episode: state and action, rows x 6, LeRobot joint units. Also shows it in the Record panel. */
    episode(id: string): Promise<DatasetEpisode>;
    /** All kept episodes as a LeRobotDataset v3.0. */
    zip(name: string): Promise<File>;
    /** A dataset of version 3.0 or 2.1: a zip, or its name on the Hub; `datasetEpisode` reads one of its episodes. */
    open(dataset: File | string): Promise<OpenedDataset>;
    datasetEpisode(index: number): Promise<DatasetEpisode>;
    /** The episode read last, on the arm, through the safety gate. */
    replay(): Promise<TraceReport>;
  };
  readonly safety: {
    profile(): Promise<SafetyProfile>;
    /** Limits from now on; only at rest. `file` (absent: `person`) can only make them stricter; locked ones stay. */
    setProfile(profile: unknown, source?: 'person' | 'file'): Promise<SafetyProfile>;
    /** Presses or lets go of the key that lets a policy move. */
    hold(key: 'down' | 'up'): void;
    /** What stopped or held the arm so far, as text of JSON: joints, ticks, pictures, limits, versions. */
    faults(): string;
  };
  /** Brakes and holds. Resolves about 1.5 s later, when the arm is frozen and its drift measured. */
  stop(): Promise<ConfirmedStop>;
  /** After `stop` or `release`: hold on, ready for the next thing. Nothing moves. */
  resume(): Promise<void>;
  /** Lowers slowly to the rest pose, then frees the motors. */
  release(): Promise<void>;
  state(): PlaygroundState;
  /** `mode chunk ticks path run policy world stop failure`. Returns how to stop listening. */
  on<Name extends SessionEventName>(event: Name, listener: (detail: SessionEvents[Name]) => void): () => void;
}

declare global {
  interface Window {
    playground?: Playground;
  }
}

/** `wordsFor` comes from the words room, which this room does not know. */
export function createPlayground(session: Session, wordsFor: (failure: Failure) => ApiWords): Playground {
  const dressed = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const failure = asFailure(thrown);
      throw new PlaygroundError(failure, wordsFor(failure));
    }
  };
  const ready = dressed(() => session.ready);
  ready.catch(() => undefined);
  return {
    ready,
    capabilities: () => capabilities(session),
    policies: {
      list: () => listPolicies(session),
      load: (source, fit) => dressed(async () => loaded(await session.loadPolicy(policySource(source), fit))),
      check: (source) => dressed(() => session.lookAt(policySource(source))),
      stored: () =>
        dressed(async () => {
          await session.refreshStored();
          return session.stores.models.getState().stored ?? [];
        }),
      rename: (name, title) => dressed(() => session.renameStored(name, title)),
      remove: (name) => dressed(() => session.removeStored(name)),
      cancel: () => dressed(() => session.cancelLoading()),
    },
    robot: {
      connect: (kind) => dressed(() => session.connect(kind)),
      setTargets: (targets) => dressed(() => session.setTargets(targets)),
      openGripper: () => dressed(() => session.openGripper()),
    },
    world: {
      reset: (request) => dressed(() => session.world.reset(request)),
      setLightLevel: (level) => dressed(() => session.world.setLightLevel(level)),
      pause: () => dressed(() => session.world.pause()),
      resume: () => dressed(() => session.world.resume()),
      step: (steps) => dressed(() => session.world.step(steps)),
    },
    run: (request) => dressed(() => session.runSentence(request)),
    replay: (file) => dressed(async () => session.replay(await runFile(file))),
    encode: (file) => encodeRunFile(file),
    probe: (request) => dressed(() => session.probe(request)),
    evaluate: (request) => dressed(() => session.evaluate(request)),
    recording: {
      begin: (task) => dressed(() => session.recording.begin(task)),
      keep: () => dressed(() => session.recording.keep()),
      discard: () => dressed(() => session.recording.discard()),
      list: () => dressed(async () => (await session.recording.status()).episodes),
      remove: (id) => dressed(() => session.recording.remove(id)),
      episode: (id) => dressed(() => session.recording.show({ kind: 'recorded', id })),
      zip: (name) => dressed(() => session.recording.exportZip(name)),
      open: (dataset) => dressed(() => session.recording.open(typeof dataset === 'string' ? { kind: 'hub', name: dataset } : { kind: 'zip', file: dataset })),
      datasetEpisode: (index) => dressed(() => session.recording.show({ kind: 'dataset', index })),
      replay: () => dressed(() => session.recording.replay()),
    },
    safety: {
      profile: () => dressed(() => session.safety.profile()),
      setProfile: (profile, source = 'person') => dressed(() => session.safety.setProfile(profile, source)),
      hold: (key) => session.safety.hold(key),
      faults: () => session.faults.exportFaults(),
    },
    stop: () => dressed(() => session.stop()),
    resume: () => dressed(() => session.resume()),
    release: () => dressed(() => session.release()),
    state: () => snapshot(session),
    on: (event, listener) => session.events.on(event, listener),
  };
}

function capabilities(session: Session): Capabilities {
  const policy = session.stores.policy.getState();
  return {
    crossOriginIsolated: globalThis.crossOriginIsolated,
    webgpu: 'gpu' in navigator,
    jspi: 'Suspending' in WebAssembly,
    threads: navigator.hardwareConcurrency,
    fileStore: 'storage' in navigator && 'getDirectory' in navigator.storage,
    webSerial: 'serial' in navigator,
    workers: session.stores.workers.getState(),
    engine: policy.kind === 'ready' ? policy.engine : null,
  };
}

function listPolicies(session: Session): readonly PolicyListing[] {
  const current = session.stores.policy.getState();
  return session.shippedPolicies().map((source) => ({
    source,
    name: source.name,
    info: current.kind === 'ready' && current.source.kind === source.kind && current.source.name === source.name ? current.info : null,
  }));
}

function policySource(source: PolicySource | string): PolicySource {
  if (typeof source !== 'string') return source;
  return source.startsWith('policies/') ? { kind: 'shipped', name: source } : { kind: 'hub', name: source };
}

function loaded({ info, engine }: ReadyPolicy): { readonly info: PolicyInfo; readonly engine: EngineReport } {
  return { info, engine };
}

async function runFile(file: RunFile | Blob | string): Promise<RunFile> {
  if (typeof file === 'string') return decodeRunFile(file);
  if (!(file instanceof Blob)) return checkRunFile(file);
  if (file.size > MAX_RUN_FILE_BYTES) throw new FailureError('run/file-invalid', { path: '', expected: `at most ${MAX_RUN_FILE_BYTES} bytes`, found: file.size });
  return decodeRunFile(await file.text());
}

function snapshot(session: Session): PlaygroundState {
  const { arm, world, policy, run, speed, failures } = session.stores;
  const now = session.readArm();
  const { kind, lastStop, mode, safety } = arm.getState();
  const { scene, status } = world.getState();
  const loading = policy.getState();
  return {
    arm: { kind, mode: now?.mode ?? mode, tick: now?.tick ?? 0, measured: now?.measured ?? null, target: now?.target ?? null, lastStop, safety },
    world: {
      scene: scene?.hash ?? null,
      request: scene?.request ?? null,
      pace: status?.pace ?? null,
      simSeconds: status?.simSeconds ?? null,
      realTimeFactor: status?.realTimeFactor ?? null,
      cameraMs: status?.cameraMs ?? null,
    },
    policy: {
      kind: loading.kind,
      name: loading.kind === 'none' ? null : loading.source.name,
      provider: loading.kind === 'ready' ? loading.engine.provider : null,
    },
    run: run.getState().kind,
    speed: { ...speed.getState() },
    failures: failures.getState().map((shown) => shown.failure),
  };
}
