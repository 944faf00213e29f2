/**
 * Which engine runs a policy. Knows two engines and a stopwatch: a policy is built on each, computes the same real chunk
 * on each, and the quicker one stays, provided that both said the same. Refuses to know how a policy works.
 *
 * Measured and not guessed from a table of GPUs, because it goes both ways: an old GPU may lose to eight
 * threads, a laptop's new one does a thousand GFLOP/s. Compared, because a GPU that passed three small tests may still be
 * wrong at the shapes of this very policy; the CPU's answer counts as right.
 */
import type { Engine, EyesReport, Provider } from '#contracts/engine.ts';
import type { EngineChoice, EngineReport, LoadProgress, RecordingReport } from '#contracts/inference.ts';
import type { Precision, PredictedChunk } from '#contracts/policy.ts';
import type { Clock } from '#contracts/time.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import type { Engines } from './engines.ts';

/** What a race asks of a policy. */
export interface Runner {
  readonly eyes: EyesReport | null;
  /** Always the same chunk for one policy: fixed pictures, state, sentence and noise. */
  sampleChunk(): Promise<PredictedChunk>;
  /** Has its commands recorded from now on if that is proved to change no bit, and says what came of it. `renew`: the engine on a device with nothing on it. */
  record(renew: () => Promise<Engine>): Promise<RecordingReport>;
  dispose(): Promise<void>;
}

export interface Chosen<R extends Runner> {
  readonly runner: R;
  readonly engine: EngineReport;
}

/** Largest |difference| of x0, normalised units. Both compute in float32; each stays within 2e-4 of LeRobot's own answer. */
export const RACE_TOLERANCE = 1e-3;
/** The best of this many counts: a slow one was disturbed, none is quicker than it should be. */
const LAPS = 3;
/** No further lap once an engine has raced this long; it is slow, and the visitor waits. */
const LAP_BUDGET_MS = 1500;

/** On which engine a policy would most likely run, before anything is fetched: whose weights are worth preparing. */
export async function likelyProvider(choice: EngineChoice, engines: Engines): Promise<'webgpu' | 'wasm'> {
  return choice ?? ((await engines.againstGpu()) === null ? 'webgpu' : 'wasm');
}

/**
 * Rejects with the failure of the forced engine, or of the CPU engine where neither can run the policy.
 * The runner that lost is disposed.
 */
export async function chooseEngine<R extends Runner>(options: {
  readonly choice: EngineChoice;
  readonly engines: Engines;
  /** Of the policy's weights: `int8` has no kernels on a GPU. */
  readonly precision: Precision;
  readonly build: (engine: Engine) => Promise<R>;
  readonly clock: Clock;
  readonly onProgress: (progress: LoadProgress) => void;
}): Promise<Chosen<R>> {
  const { choice, engines } = options;
  // Whoever asks has let go of the policy before; its weights go with the device.
  await engines.closeGpu();
  switch (choice) {
    case 'webgpu': {
      if (options.precision === 'int8') throw new FailureError('engine/cpu-weights');
      const { runner, recording } = await warmedUp(options, await engines.webgpu());
      return { runner, engine: { ...engines.facts(), provider: 'webgpu', race: [], reason: { kind: 'forced' }, recording, eyes: runner.eyes } };
    }
    case 'wasm': {
      const { runner, recording } = await warmedUp(options, await engines.wasm());
      return { runner, engine: { ...engines.facts(), provider: 'wasm', race: [], reason: { kind: 'forced' }, recording, eyes: runner.eyes } };
    }
    case null:
      return race(options);
    default:
      return unreachable(choice);
  }
}

interface Entrant<R> {
  readonly provider: Provider;
  readonly runner: R;
  readonly x0: Float32Array;
  readonly recording: RecordingReport | null;
}

async function race<R extends Runner>(options: Parameters<typeof chooseEngine<R>>[0]): Promise<Chosen<R>> {
  const { engines } = options;
  // The GPU first: it decides which build is fetched. One made of software need not run to lose.
  const gpu = await entrant(options, async () => {
    if (options.precision === 'int8') throw (await engines.againstGpu()) ?? new FailureError('engine/cpu-weights');
    return engines.webgpuWorthRacing();
  });
  const cpu = await entrant(options, () => engines.wasm());
  const only = async (survivor: Entrant<R>, failure: FailureError): Promise<Chosen<R>> => {
    const chunkMs = await fastestLapMs(survivor.runner, options.clock);
    return {
      runner: survivor.runner,
      engine: { ...engines.facts(), provider: survivor.provider, race: [{ provider: survivor.provider, chunkMs }], reason: { kind: 'only', failure: failure.failure }, recording: survivor.recording, eyes: survivor.runner.eyes },
    };
  };
  if (cpu instanceof FailureError) {
    if (gpu instanceof FailureError) throw cpu;
    return only(gpu, cpu);
  }
  if (gpu instanceof FailureError) return only(cpu, gpu);

  const difference = largestDifference(gpu.x0, cpu.x0);
  if (!(difference <= RACE_TOLERANCE)) {
    await gpu.runner.dispose();
    await engines.closeGpu();
    return only(cpu, new FailureError('engine/self-test-failed', { test: 'chunk', expected: RACE_TOLERANCE, found: difference }));
  }
  const gpuMs = await fastestLapMs(gpu.runner, options.clock);
  const cpuMs = await fastestLapMs(cpu.runner, options.clock);
  const [winner, loser] = gpuMs <= cpuMs ? [gpu, cpu] : [cpu, gpu];
  await loser.runner.dispose();
  if (loser === gpu) await engines.closeGpu();
  return {
    runner: winner.runner,
    engine: {
      ...engines.facts(),
      provider: winner.provider,
      race: [
        { provider: 'webgpu', chunkMs: gpuMs },
        { provider: 'wasm', chunkMs: cpuMs },
      ],
      reason: { kind: 'faster', ratio: Math.max(gpuMs, cpuMs) / Math.min(gpuMs, cpuMs) },
      recording: winner.recording,
      eyes: winner.runner.eyes,
    },
  };
}

async function entrant<R extends Runner>(options: Parameters<typeof chooseEngine<R>>[0], open: () => Promise<Engine>): Promise<Entrant<R> | FailureError> {
  let engine: Engine;
  try {
    engine = await open();
  } catch (thrown) {
    return asFailureError(thrown);
  }
  try {
    return await warmedUp(options, engine);
  } catch (thrown) {
    const failed = asFailureError(thrown);
    // What is wrong with the policy is wrong on every engine; only the engine's own failures leave the other its turn.
    if (failed.failure.code.startsWith('engine/')) return failed;
    throw failed;
  }
}

/** The first chunk compiles the GPU's shaders and touches all memory; it is waited for here and never timed. */
async function warmedUp<R extends Runner>(options: Parameters<typeof chooseEngine<R>>[0], engine: Engine): Promise<Entrant<R>> {
  const { provider } = engine;
  options.onProgress({ phase: 'engine', what: provider === 'webgpu' ? 'sessions-webgpu' : 'sessions-wasm' });
  const runner = await options.build(engine);
  try {
    options.onProgress({ phase: 'warm-up', provider });
    const chunk = await runner.sampleChunk();
    if (chunk.provider !== provider) throw new FailureError('internal', { message: `asked for ${provider}, computed by ${chunk.provider}` });
    return { provider, runner, x0: chunk.x0, recording: await recorded(runner, engine, options.engines) };
  } catch (thrown) {
    await runner.dispose();
    throw thrown;
  }
}

/** Null on the CPU. */
async function recorded(runner: Runner, { device }: Engine, engines: Engines): Promise<RecordingReport | null> {
  if (device === undefined) return null;
  if (device.kind === 'software') return { kind: 'plain', reason: 'software-gpu' };
  return runner.record(async () => {
    await engines.closeGpu();
    return engines.webgpu();
  });
}

async function fastestLapMs(runner: Runner, clock: Clock): Promise<number> {
  const started = clock.nowMs();
  let best = Number.POSITIVE_INFINITY;
  for (let lap = 0; lap < LAPS; lap++) {
    const from = clock.nowMs();
    if (lap > 0 && from - started > LAP_BUDGET_MS) break;
    await runner.sampleChunk();
    best = Math.min(best, clock.nowMs() - from);
  }
  return best;
}

/** Infinite where the lengths differ or a number is not finite. */
function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs((a[i] as number) - (b[i] as number));
    if (!Number.isFinite(gap)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, gap);
  }
  return largest;
}

function asFailureError(thrown: unknown): FailureError {
  if (thrown instanceof FailureError) return thrown;
  const failure = asFailure(thrown);
  return new FailureError(failure.code, failure.facts);
}
