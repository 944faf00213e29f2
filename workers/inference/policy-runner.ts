/**
 * A loaded policy with everything around it that turns what was seen into what the policy is asked: the sentence into
 * tokens, the camera pictures and the joint state into one request, a seed into noise. Knows one policy; refuses to know
 * where pictures come from and where chunks go.
 */
import type { Engine, Provider, RunManner } from '#contracts/engine.ts';
import type { Observation } from '#contracts/observation.ts';
import type { OpenPack } from '#contracts/pack.ts';
import type { Picture } from '#contracts/picture.ts';
import type { PolicyFit, PolicyInfo, PredictedChunk } from '#contracts/policy.ts';
import type { Clock } from '#contracts/time.ts';
import type { ChunkReduction } from '#contracts/chunk.ts';
import type { ChunkGuidance, RecordingReport } from '#contracts/inference.ts';
import { guideVelocity, padLeftover } from '#core/chunks/real-time-chunking.ts';
import { asFailure } from '#core/lib/failure.ts';
import { normalNoise } from '#core/lib/random.ts';
import { SAMPLE_SEED, sampleObservation } from '#core/observation/sample.ts';
import { fromOldDegrees, toOldDegrees } from '#core/robots/old-degrees.ts';
import type { Tokenize } from '#core/observation/tokenize.ts';
import type { Guide, LoadOptions, Policy } from '#core/policy/policy.ts';
import type { Runner } from './choose.ts';

/** What a runner is put together from; the entry hands in the real ones. */
export interface RunnerParts {
  readonly loadPolicy: (pack: OpenPack, engine: Engine, options: LoadOptions) => Promise<Policy>;
  /** Rejects with `policy/tokenizer-missing` where the pack brings none. */
  readonly openTokenizer: (tokenizer: OpenPack['manifest']['tokenizer']) => Promise<Tokenize>;
  readonly letterbox: LoadOptions['letterbox'];
  /** On a GPU; the CPU knows `float32` alone, which is also what is meant where this is absent. */
  readonly activations?: NonNullable<LoadOptions['activations']>;
  readonly clock: Clock;
}

/** What bends a chunk away from what the policy alone would compute. */
export interface ChunkManner {
  readonly guidance?: ChunkGuidance;
  readonly reduction?: ChunkReduction;
  /** Instead of the policy's own. */
  readonly noiseScale?: number;
}

export interface PolicyRunner extends Runner {
  readonly info: PolicyInfo;
  readonly provider: Provider;
  /** Rejects as `Policy.predictChunk` does. Calls must not overlap. */
  predict(observation: Observation, noiseSeed: number, how?: ChunkManner): Promise<PredictedChunk>;
}

export async function policyRunner(pack: OpenPack, engine: Engine, parts: RunnerParts, fit: PolicyFit = {}): Promise<PolicyRunner> {
  const tokenize = await parts.openTokenizer(pack.manifest.tokenizer);
  const load = (manner: RunManner, on: Engine): Promise<Policy> =>
    parts.loadPolicy(pack, on, { letterbox: parts.letterbox, clock: parts.clock, manner, activations: on.provider === 'webgpu' ? (parts.activations ?? 'float32') : 'float32', ...(fit.wiring === undefined ? {} : { wiring: fit.wiring }) });
  let policy = await load('plain', engine);
  const { info, provider, eyes } = policy;
  const old = fit.units === 'old-degrees';

  /** Between two loads there is none to let go of, also where the second one failed. */
  let open = true;
  const close = async (): Promise<void> => {
    if (open) await policy.dispose();
    open = false;
  };
  const again = async (manner: RunManner, renew: () => Promise<Engine>): Promise<void> => {
    await close();
    policy = await load(manner, await renew());
    open = true;
  };
  const sampleX0 = async (seed: number): Promise<Float32Array> => {
    policy.forget();
    return (await runner.predict(sampleObservation(info, seed), seed)).x0;
  };
  /**
   * Two different chunks, told kernel by kernel; then with sessions that record, the first one recorded, and both played. All must
   * come out the same, bit for bit: a recording that forgot an input would give the first chunk's numbers for the second. Each set has
   * a device to itself, so that there is never more than one policy's worth of weights in GPU memory.
   */
  const record = async (renew: () => Promise<Engine>): Promise<RecordingReport> => {
    const seeds = [SAMPLE_SEED, SAMPLE_SEED + 1] as const;
    const told = [await sampleX0(seeds[0]), await sampleX0(seeds[1])] as const;
    let why: RecordingReport;
    try {
      await again('recorded', renew);
      const played = [await sampleX0(seeds[0]), await sampleX0(seeds[1]), await sampleX0(seeds[0])] as const;
      if (sameBits(told[0], played[0]) && sameBits(told[1], played[1]) && sameBits(told[0], played[2])) return { kind: 'recorded' };
      why = { kind: 'plain', reason: 'different' };
    } catch (thrown) {
      const { code, facts } = asFailure(thrown);
      // A lost device is nobody's answer to this question.
      if (code !== 'engine/session-failed') throw thrown;
      why = { kind: 'plain', reason: 'refused', message: String(facts['message']) };
    }
    await again('plain', renew);
    return why;
  };

  const runner: PolicyRunner = {
    info,
    provider,
    eyes,
    async predict(observation, noiseSeed, { guidance, reduction, noiseScale = info.noiseScale ?? 1 } = {}) {
      const { ids, mask } = tokenize(observation.sentence, policy.text);
      const { actions, x0, timings } = await policy.predictChunk({
        pictures: new Map(
          Object.entries(observation.pictures)
            .filter(([camera]) => reduction?.cameras.includes(camera) ?? true)
            .map(([camera, taken]): [string, Picture] => [camera, taken.picture]),
        ),
        state: old ? toOldDegrees(Float32Array.from(observation.state), info.stateSize) : Float32Array.from(observation.state),
        tokens: ids,
        tokenMask: mask,
        noise: normalNoise(noiseSeed, info.chunkRows * policy.noiseColumns).map((value) => noiseScale * value),
        ...(guidance === undefined ? {} : { guide: guideOf(guidance, policy, reduction?.steps ?? info.denoisingSteps) }),
        ...(reduction === undefined ? {} : { steps: reduction.steps }),
      });
      return { actions: old ? fromOldDegrees(actions, info.actionSize) : actions, x0, timings: { ...timings, observeMs: 0 }, provider };
    },
    async sampleChunk() {
      // Or the second one would not look at its pictures, and be quicker than any chunk of a run.
      policy.forget();
      return runner.predict(sampleObservation(info, SAMPLE_SEED), SAMPLE_SEED);
    },
    record,
    dispose: close,
  };
  return runner;
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/**
 * A denoising step moves x by the weight over the number of steps of the error. LeRobot's largest weight, 10, is made for its
 * 10 steps: it closes the whole error. A policy with fewer steps would pass it, further each time, so there the weight is at
 * most the number of steps.
 */
function guideOf(guidance: ChunkGuidance, { noiseColumns }: Policy, steps: number): Guide {
  const leftover = padLeftover(guidance.leftover, guidance.columns, noiseColumns);
  const stable = { ...guidance, maxWeight: Math.min(guidance.maxWeight, steps) };
  return (step) => guideVelocity(step, leftover, stable);
}
