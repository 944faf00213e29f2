/**
 * The benchmark's work, as a plain class: loads a policy as the inference worker does, drives laps, and says where the
 * time went. Knows the order of a measurement; refuses to know a camera, an arm and a person.
 */
import { BENCH_PARTS, type BenchApi, type BenchCeilings, type BenchFigures, type BenchPart, type BenchPartFigures, type BenchSpread, type GpuCounts, type LapKind } from '#contracts/bench.ts';
import type { Engine } from '#contracts/engine.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { EngineChoice, EngineReport, LoadProgress } from '#contracts/inference.ts';
import type { OpenPack } from '#contracts/pack.ts';
import { FailureError, outcome } from '#core/lib/failure.ts';
import { chooseEngine, likelyProvider } from '../choose.ts';
import type { OpenedEngines } from '../engines.ts';
import { policyRunner, type PolicyRunner, type RunnerParts } from '../policy-runner.ts';
import { measureCeilings } from './ceilings.ts';
import type { GpuWatch } from './gpu-watch.ts';
import type { HeapWatch } from './heap-watch.ts';
import { meteredEngine, type EngineMeter } from './metered-engine.ts';

export interface BenchParts extends RunnerParts {
  readonly engines: OpenedEngines;
  readonly openPack: (storedName: string) => Promise<OpenPack>;
  readonly watch: GpuWatch;
  readonly heap: HeapWatch;
  readonly onProgress: (progress: LoadProgress) => void;
}

interface Loaded {
  readonly runner: PolicyRunner;
  readonly engine: EngineReport;
  /** Null on the CPU. */
  readonly device: GPUDevice | null;
}

interface Lap {
  readonly wallMs: Readonly<Record<BenchPart, number>>;
  readonly gpuMs: ReadonlyMap<string, number> | null;
}

/** Graphs by part; preprocessing and reading back have none. */
const GRAPH_OF: Readonly<Partial<Record<BenchPart, string>>> = { vision: 'vision', prefix: 'prefix', steps: 'step' };

export class BenchService implements BenchApi {
  readonly #parts: BenchParts;
  readonly #meter: EngineMeter;
  #waits: 'no' | 'after-each-graph' = 'no';
  #loaded: Loaded | null = null;
  #ceilings: BenchCeilings | null = null;
  #warmUpLaps = 0;
  #totals: number[] = [];
  #laps: Lap[] = [];
  #answer: Float32Array | null = null;
  #counts: ReadonlyMap<string, GpuCounts> = new Map();
  /** Before the ceilings' own buffers. */
  #peakBytes = 0;

  constructor(parts: BenchParts) {
    this.#parts = parts;
    this.#meter = {
      work: new Map(),
      runs: new Map(),
      enter: (graph) => parts.watch.enter(graph),
      leave: async () => {
        if (this.#waits === 'after-each-graph') await this.#loaded?.device?.queue.onSubmittedWorkDone();
      },
    };
  }

  likely(choice: EngineChoice): Promise<Outcome<'webgpu' | 'wasm'>> {
    return outcome(() => likelyProvider(choice, this.#parts.engines));
  }

  load(storedName: string, choice: EngineChoice, activations: 'float32' | 'float16'): Promise<Outcome<null>> {
    return outcome(async () => {
      await this.#loaded?.runner.dispose();
      this.#loaded = null;
      const pack = await this.#parts.openPack(storedName);
      const { engines, clock } = this.#parts;
      const { runner, engine } = await chooseEngine({
        choice,
        engines,
        precision: pack.manifest.info.precision,
        build: async (made) => {
          const built = await policyRunner(pack, meteredEngine(made, this.#meter), { ...this.#parts, activations });
          return { ...built, record: (renew) => built.record(async () => meteredEngine(await renew(), this.#meter)) };
        },
        clock,
        onProgress: this.#parts.onProgress,
      });
      this.#loaded = { runner, engine, device: engine.provider === 'webgpu' ? engines.device() : null };
      this.#ceilings = null;
      this.#warmUpLaps = 0;
      this.#totals = [];
      this.#laps = [];
      return null;
    });
  }

  lap(kind: LapKind): Promise<Outcome<number>> {
    return outcome(async () => {
      const { runner, device } = this.#current();
      const { watch, clock } = this.#parts;
      const byPart = kind === 'by-part' && device !== null;
      this.#waits = byPart ? 'after-each-graph' : 'no';
      watch.readBacks = byPart ? 'after-the-work' : 'free';
      const timed = byPart && watch.timePasses(device);
      this.#meter.runs.clear();
      watch.enter('preprocess');
      watch.take();
      watch.takeReadBackMs();
      const fromMs = clock.nowMs();
      try {
        const { timings, x0 } = await runner.sampleChunk();
        const totalMs = clock.nowMs() - fromMs;
        this.#answer = x0;
        const counts = watch.take();
        this.#peakBytes = watch.peakBytes;
        const readBackMs = watch.takeReadBackMs();
        const gpuMs = timed ? await watch.passMs() : null;
        if (kind === 'warm-up') {
          this.#warmUpLaps++;
          return totalMs;
        }
        if (kind === 'end-to-end') this.#totals.push(totalMs);
        // On the CPU every lap is one by part.
        if (byPart || device === null) {
          const { preprocessMs, visionMs, prefixMs, denoiseMs } = timings;
          this.#laps.push({ wallMs: { preprocess: preprocessMs, vision: visionMs, prefix: prefixMs, steps: denoiseMs - readBackMs, 'read-back': readBackMs }, gpuMs });
        } else {
          this.#counts = counts;
        }
        return totalMs;
      } finally {
        this.#waits = 'no';
        watch.readBacks = 'free';
      }
    });
  }

  answer(): Promise<Outcome<Float32Array>> {
    return outcome(() => this.#answer?.slice() ?? fail('asked for an answer before there was a lap'));
  }

  ceilings(): Promise<Outcome<BenchCeilings>> {
    return outcome(async () => {
      const { device } = this.#current();
      this.#ceilings = await measureCeilings(await this.#engine(), device);
      return this.#ceilings;
    });
  }

  figures(): Promise<Outcome<BenchFigures>> {
    return outcome(() => {
      const { runner, engine, device } = this.#current();
      const ceilings = this.#ceilings;
      if (ceilings === null || this.#laps.length === 0 || this.#totals.length === 0) fail('asked for figures before there were laps and ceilings');
      const { name, family, precision, parameterCount, chunkRows, denoisingSteps, fps, cameras } = runner.info;
      return {
        policy: { name, family, precision, parameterCount, chunkRows, denoisingSteps, fps, cameras: cameras.length },
        engine,
        warmUpLaps: this.#warmUpLaps,
        endToEnd: spread(this.#totals),
        parts: BENCH_PARTS.filter((part) => part !== 'read-back' || device !== null).map((part) => this.#partFigures(part)),
        ceilings,
        gpuPeakBytes: device === null ? null : this.#peakBytes,
        heapBytes: this.#parts.heap.bytes(),
      };
    });
  }

  #partFigures(part: BenchPart): BenchPartFigures {
    const graph = GRAPH_OF[part];
    const runs = graph === undefined ? 0 : (this.#meter.runs.get(graph) ?? 0);
    const work = graph === undefined ? undefined : this.#meter.work.get(graph);
    const gpu = this.#laps.flatMap(({ gpuMs }) => (gpuMs === null || graph === undefined ? [] : [gpuMs.get(graph) ?? 0]));
    const { dispatches = 0, submits = 0, passes = 0, uploadBytes = 0, readBackBytes = 0 } = this.#counts.get(graph ?? part) ?? {};
    // What is read back belongs to its own line, though it happens while the last step's graph is current.
    const counts: GpuCounts = { dispatches, submits, passes, uploadBytes, readBackBytes: part === 'steps' ? 0 : readBackBytes };
    const readBack = { ...none(), readBackBytes: this.#counts.get('step')?.readBackBytes ?? 0 };
    return {
      part,
      wall: spread(this.#laps.map(({ wallMs }) => wallMs[part])),
      gpu: gpu.length === 0 ? null : spread(gpu),
      counts: part === 'read-back' ? readBack : counts,
      flop: work === undefined ? 0 : work.flop === null ? null : work.flop * runs,
      weightBytes: work === undefined ? 0 : work.weightBytes * runs,
    };
  }

  #engine(): Promise<Engine> {
    return this.#current().device === null ? this.#parts.engines.wasm() : this.#parts.engines.webgpu();
  }

  #current(): Loaded {
    if (this.#loaded === null) throw new FailureError('policy/none-loaded');
    return this.#loaded;
  }
}

function fail(message: string): never {
  throw new FailureError('internal', { message });
}

function none(): GpuCounts {
  return { dispatches: 0, submits: 0, passes: 0, uploadBytes: 0, readBackBytes: 0 };
}

/** Nearest rank. */
export function spread(values: readonly number[]): BenchSpread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { count: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), mostMs: at(1) };
}
