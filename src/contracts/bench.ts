/**
 * The benchmark's words: where the milliseconds of one chunk go on this machine, and how near that is to what the machine
 * can do. It computes and moves nothing: the benchmark has workers of its own, without an arm, cameras or control.
 *
 * Two kinds of laps, because a GPU is handed its work and goes on by itself:
 *
 *   end to end   as in a run: nothing waits but the read-back at the end
 *   by part      after every graph the lap waits for the GPU, so that each part's time is its own; the sum is a little
 *                more than end to end. On the CPU both are the same, and only the first is driven.
 */
import type { Outcome } from './failure.ts';
import type { EngineChoice, EngineReport } from './inference.ts';
import type { PolicyInfo } from './policy.ts';

export const BENCH_PARTS = ['preprocess', 'vision', 'prefix', 'steps', 'read-back'] as const;
export type BenchPart = (typeof BENCH_PARTS)[number];

export type LapKind = 'warm-up' | 'end-to-end' | 'by-part';

/** Nearest rank: every one of them was measured. Milliseconds. */
export interface BenchSpread {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly mostMs: number;
}

/** What one chunk asks of the GPU in one part; all 0 on the CPU. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly passes: number;
  readonly uploadBytes: number;
  readonly readBackBytes: number;
}

export interface BenchPartFigures {
  readonly part: BenchPart;
  readonly wall: BenchSpread;
  /** Between the timestamps of its compute passes; null where the device offers none or there were too many passes. */
  readonly gpu: BenchSpread | null;
  readonly counts: GpuCounts;
  /** Floating-point operations of its matrix products and attentions, a chunk; null where a graph could not be counted. */
  readonly flop: number | null;
  /** Bytes of weights its graphs read, a chunk, each counted once a run of its graph. */
  readonly weightBytes: number;
}

/** The most this machine was seen to do in the same visit. */
export interface BenchCeilings {
  /** A square float32 matrix product of this size, by onnxruntime and by a kernel of our own (GPU only). */
  readonly matmulSize: number;
  readonly runtimeGflops: number;
  readonly ownGflops: number | null;
  /** A copy of this many bytes; bytes read and bytes written both count. */
  readonly copyBytes: number;
  readonly copyGbps: number;
}

export interface BenchFigures {
  readonly policy: Pick<PolicyInfo, 'name' | 'family' | 'precision' | 'parameterCount' | 'chunkRows' | 'denoisingSteps' | 'fps'> & { readonly cameras: number };
  readonly engine: EngineReport;
  readonly warmUpLaps: number;
  readonly endToEnd: BenchSpread;
  readonly parts: readonly BenchPartFigures[];
  readonly ceilings: BenchCeilings;
  /** Most bytes of GPU buffers alive at once, weights included; null on the CPU. */
  readonly gpuPeakBytes: number | null;
  /** Most bytes of WebAssembly memory, weights on the CPU included. */
  readonly heapBytes: number;
}

export interface BenchApi {
  /** As the inference worker's. */
  likely(choice: EngineChoice): Promise<Outcome<'webgpu' | 'wasm'>>;
  /**
   * Loads a policy that lies in the model store, on the engine asked for; null races them, as the page does. `float16` between the
   * products of pictures and prefix is tried here and nowhere else, until a graphics card has shown what it brings.
   */
  load(storedName: string, choice: EngineChoice, activations: 'float32' | 'float16'): Promise<Outcome<null>>;
  /** One chunk of the policy's own sample observation; the answer is its wall time in milliseconds. */
  lap(kind: LapKind): Promise<Outcome<number>>;
  /** What the last lap's chunk came to, normalised: to be held against the same observation computed elsewhere. */
  answer(): Promise<Outcome<Float32Array>>;
  ceilings(): Promise<Outcome<BenchCeilings>>;
  /** What the laps so far came to. `internal` before there were laps and ceilings. */
  figures(): Promise<Outcome<BenchFigures>>;
}

/** A loop that does nothing but be on time, in a thread of its own, as the arm's control has one. */
export interface MetronomeApi {
  /** Forgets what was and starts. */
  start(rateHz: number): Promise<Outcome<null>>;
  /** |time since the beat before - what it should be|, milliseconds, one a beat. */
  stop(): Promise<Outcome<readonly number[]>>;
}

/** Percentiles of something that should be even. */
export interface EvenFigures {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

/** What is saved as a file. Nothing in it says whose machine it was. */
export interface BenchReport {
  readonly format: 'vla-playground-bench';
  readonly version: 1;
  readonly app: string;
  /** Day, without the time: figures age with browsers. */
  readonly day: string;
  readonly machine: {
    readonly browser: string;
    readonly platform: string;
    readonly cores: number;
    readonly crossOriginIsolated: boolean;
    readonly adapter: EngineReport['adapter'];
  };
  readonly figures: BenchFigures;
  /** The same two loops before and while the policy computes. */
  readonly beside: Readonly<Record<'idle' | 'computing', { readonly loop: EvenFigures | null; readonly frame: EvenFigures | null }>>;
}
