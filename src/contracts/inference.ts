/** The inference worker and the conversion worker as their callers see them. */
import type { ChunkReduction, ChunkTimings } from './chunk.ts';
import type { EyesReport, Provider } from './engine.ts';
import type { Failure, Outcome } from './failure.ts';
import type { CameraPicture } from './picture.ts';
import type { PolicyFit, PolicyInfo, PolicySource, PredictedChunk } from './policy.ts';

/** `pictures` decides only who makes pictures ready; the others whether the device is used at all. */
export type SelfTestName = 'wgsl-loop-variable' | 'attention' | 'matmul' | 'pictures';

export interface SelfTestResult {
  readonly test: SelfTestName;
  readonly passed: boolean;
  /** Largest relative error against our own reference; null where the test is exact. */
  readonly error: number | null;
}

/**
 * Whether the commands of a chunk are recorded once and played again (a captured graph), which spares most of what it costs to
 * tell a GPU thousands of kernels. Only after chunks that were played came out as those that were told, bit for bit.
 */
export type RecordingReport =
  | { readonly kind: 'recorded' }
  | { readonly kind: 'plain'; readonly reason: 'software-gpu' | 'different' }
  | { readonly kind: 'plain'; readonly reason: 'refused'; readonly message: string };

/** What was found out about this machine, told to the person. */
export interface EngineReport {
  readonly provider: Provider;
  readonly build: 'jspi' | 'asyncify' | 'wasm';
  readonly threads: number;
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string } | null;
  /** Every device tried, in order, with its features and what its tests gave. The last one is in use. */
  readonly attempts: readonly { readonly features: readonly string[]; readonly tests: readonly SelfTestResult[]; readonly trusted: boolean }[];
  /** Chunk milliseconds by provider, measured for the loaded policy; empty when the engine was forced. */
  readonly race: readonly { readonly provider: Provider; readonly chunkMs: number }[];
  readonly reason:
    | { readonly kind: 'forced' }
    | { readonly kind: 'faster'; readonly ratio: number }
    | { readonly kind: 'only'; readonly failure: Failure };
  /** Of the loaded policy; null on the CPU. */
  readonly recording: RecordingReport | null;
  /** Of the loaded policy; null where its tower can only be a graph. */
  readonly eyes: EyesReport | null;
}

/** `?engine=`: forces a provider, null lets the benchmark choose. */
export type EngineChoice = 'webgpu' | 'wasm' | null;

/** The GPU proves itself; the policy's graphs are loaded on an engine. */
export type EngineStep = 'self-test' | 'sessions-webgpu' | 'sessions-wasm';

export type LoadProgress =
  | { readonly phase: 'fetch'; readonly what: string; readonly doneBytes: number; readonly totalBytes: number | null }
  /** Another tab works on this model; this one goes on when it is done. */
  | { readonly phase: 'waiting'; readonly name: string }
  | { readonly phase: 'convert'; readonly doneTensors: number; readonly totalTensors: number }
  | { readonly phase: 'engine'; readonly what: EngineStep }
  | { readonly phase: 'warm-up'; readonly provider: Provider }
  | { readonly phase: 'ready' };

/** Real-time chunking as LeRobot names its settings: while a chunk is denoised, its first rows are pulled to what the one before still holds. */
export const PREFIX_SCHEDULES = ['LINEAR', 'EXP', 'ONES', 'ZEROS'] as const;
export type PrefixSchedule = (typeof PREFIX_SCHEDULES)[number];
export interface RealTimeChunking {
  /** Rows of the old chunk that count (10). */
  readonly horizon: number;
  readonly schedule: PrefixSchedule;
  /** 10. */
  readonly maxWeight: number;
}

/** LeRobot's own numbers for SmolVLA. */
export const REAL_TIME_CHUNKING: RealTimeChunking = { horizon: 10, schedule: 'LINEAR', maxWeight: 10 };

/** What guided one chunk: enough to compute it again. */
export interface ChunkGuidance extends RealTimeChunking {
  /** Rows expected to be played before the chunk arrives. */
  readonly delay: number;
  /** The old chunk's rows not yet played, normalised, `columns` numbers each. */
  readonly leftover: Float32Array;
  readonly columns: number;
}

/** One chunk with everything needed to compute it again. */
export interface ChunkRecord {
  readonly index: number;
  readonly observedTick: number;
  readonly pictures: readonly CameraPicture[];
  /** LeRobot joint units. */
  readonly state: Float32Array;
  readonly noiseSeed: number;
  readonly actions: Float32Array;
  readonly x0: Float32Array;
  readonly timings: ChunkTimings;
  readonly provider: Provider;
  /** Absent: not guided. */
  readonly guidance?: ChunkGuidance;
  /** Absent: all steps, all cameras. */
  readonly reduction?: ChunkReduction;
  /** Absent: the policy's own. */
  readonly noiseScale?: number;
}

export interface InferenceApi {
  /** On which engine a policy would most likely run here; fetches nothing. */
  likely(choice: EngineChoice): Promise<Outcome<'webgpu' | 'wasm'>>;
  /** Load a policy that the conversion worker has published in the model store. */
  load(storedName: string, choice: EngineChoice, fit?: PolicyFit): Promise<Outcome<{ readonly policy: PolicyInfo; readonly engine: EngineReport }>>;
  /** One chunk from the cameras and joint state as they are now; nothing moves. */
  probe(request: { readonly sentence: string; readonly noiseSeed: number; readonly noiseScale?: number }): Promise<Outcome<ChunkRecord>>;
  /** A chunk of fixed made-up pictures, state, words and noise: the same for every precision of a policy. Nothing moves. */
  sample(): Promise<Outcome<PredictedChunk>>;
  /** Start answering control's requests for this run. With the ladder (`on` where absent) a slow machine gives up steps, then a camera, and says so in each chunk. */
  beginRun(run: { readonly runId: number; readonly sentence: string; readonly seed: number; readonly realTimeChunking?: RealTimeChunking; readonly ladder?: 'on' | 'off' }): Promise<Outcome<null>>;
  endRun(): Promise<Outcome<readonly ChunkRecord[]>>;
  /** Compute again from a record's own pictures, state and noise. */
  recompute(sentence: string, record: ChunkRecord): Promise<Outcome<PredictedChunk>>;
  /** Start a run that answers with recorded actions, `rows x 6` LeRobot joint units, as if a policy had planned them. Needs no policy. */
  beginTrace(run: { readonly runId: number; readonly actions: Float32Array }): Promise<Outcome<null>>;
  /** Start a run that answers control's k-th request with the k-th record, recomputed. */
  beginReplay(run: { readonly runId: number; readonly sentence: string; readonly records: readonly ChunkRecord[] }): Promise<Outcome<null>>;
}

/** What can be said of a checkpoint before any of its weights is read. */
export interface CheckpointReport {
  readonly info: PolicyInfo;
  /** The Hub's commit; null elsewhere. */
  readonly commit: string | null;
  /** The weights as they lie there, and the part of them that must be read. */
  readonly fileBytes: number;
  readonly neededBytes: number;
  /** What it will take on this machine's disk, and its largest single tensor there. */
  readonly packBytes: number;
  readonly largestTensorBytes: number;
  readonly tokenizer: 'present' | 'missing';
  /** True where this very pack is stored already. */
  readonly stored: boolean;
}

/** A line of what is stored on this machine. */
export interface StoredPolicy {
  /** For `{ kind: 'stored', name }` and for the verbs below. */
  readonly name: string;
  readonly title: string;
  readonly bytes: number;
  /** Null: begun and not finished; loading it from where it came goes on. */
  readonly info: PolicyInfo | null;
}

export interface ConversionApi {
  /** Read a checkpoint, write a pack into the model store unless it is there already; returns its stored name. */
  convert(source: PolicySource): Promise<Outcome<{ readonly storedName: string; readonly bytes: number; readonly fromStore: boolean }>>;
  /** Looks at the checkpoint's headers and small files; reads no weight. For a stored one: what was found then. */
  inspect(source: PolicySource): Promise<Outcome<CheckpointReport>>;
  /** Ends every conversion that runs with `download/cancelled`; what is finished is kept. */
  cancel(): Promise<Outcome<null>>;
  stored(): Promise<Outcome<readonly StoredPolicy[]>>;
  rename(name: string, title: string): Promise<Outcome<null>>;
  remove(name: string): Promise<Outcome<null>>;
  /** An access token for the Hub, kept in this worker's memory only; null forgets it. */
  setToken(token: string | null): Promise<Outcome<null>>;
}
