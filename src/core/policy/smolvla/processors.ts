/**
 * What happens to an observation before the network and to actions after it, read from a checkpoint of either era:
 *
 *   LeRobot >= 0.4   policy_preprocessor.json, policy_postprocessor.json and the state files they name
 *   LeRobot <= 0.3   statistics as `normalize_inputs.*` / `unnormalize_outputs.*` tensors among the weights
 *
 * A feature without statistics passes unscaled, as LeRobot lets it (smolvla_base is such a checkpoint); it is named in
 * `missingStatistics` so that the page can say so. A processor step that we do not know is refused, not ignored.
 */
import * as v from 'valibot';
import type { CheckpointView } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { count, parseConfig } from '../door.ts';
import type { TextRules } from '../policy.ts';
import type { SmolVlaConfig } from './config.ts';
import type { Normalisation } from './normalise.ts';

export interface Processing {
  /** Robot's name of an observation to the policy's. */
  readonly renameMap: Readonly<Record<string, string>>;
  readonly state: Normalisation;
  readonly action: Normalisation;
  readonly missingStatistics: readonly string[];
  /** Values in the state statistics: the true state size. Null where there are none. */
  readonly stateSize: number | null;
  readonly text: TextRules;
}

const StepSchema = v.object({
  registry_name: v.optional(v.string()),
  class: v.optional(v.string()),
  config: v.optional(v.record(v.string(), v.unknown()), {}),
});
const PipelineSchema = v.object({ steps: v.pipe(v.array(StepSchema), v.maxLength(64)) });
const RenameSchema = v.object({ rename_map: v.optional(v.record(v.string(), v.string()), {}) });
const TokenizerSchema = v.object({
  max_length: v.optional(count(1, 1024), 48),
  padding: v.optional(v.picklist(['longest', 'max_length']), 'max_length'),
  truncation: v.optional(v.boolean(), true),
});
const NormalizerSchema = v.object({
  eps: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 1e-8),
  norm_map: v.optional(v.record(v.string(), v.string()), {}),
  normalize_observation_keys: v.nullish(v.array(v.string())),
});
type Normalizer = v.InferOutput<typeof NormalizerSchema>;

const HARMLESS: readonly string[] = ['to_batch_processor', 'smolvla_new_line_processor', 'device_processor'];
const STATE = 'observation.state';
const ACTION = 'action';

/** Rejects with `checkpoint/config`, `checkpoint/unsupported`, `checkpoint/statistics-missing`, `checkpoint/not-finite`. */
export async function readProcessing(checkpoint: CheckpointView, config: SmolVlaConfig): Promise<Processing> {
  const pre = checkpoint.json.get('policy_preprocessor.json');
  const post = checkpoint.json.get('policy_postprocessor.json');
  const oldEra = pre === undefined && post === undefined;
  let renameMap: Readonly<Record<string, string>> = {};
  let text: TextRules = { ending: '\n', maxTokens: config.tokenizer_max_length, padding: config.pad_language_to, truncation: oldEra ? 'off' : 'on' };
  const byConfig: Normalizer = { eps: 1e-8, norm_map: config.normalization_mapping, normalize_observation_keys: null };
  let normalizer: Normalizer | null = oldEra ? byConfig : null;
  let unnormalizer: Normalizer | null = oldEra ? byConfig : null;

  for (const [file, pipeline] of [
    ['policy_preprocessor.json', pre],
    ['policy_postprocessor.json', post],
  ] as const) {
    if (pipeline === undefined) continue;
    for (const step of parseConfig(PipelineSchema, file, pipeline).steps) {
      const stepName = step.registry_name ?? step.class ?? 'nameless step';
      if (stepName === 'rename_observations_processor') renameMap = parseConfig(RenameSchema, file, step.config).rename_map;
      else if (stepName === 'normalizer_processor') normalizer = parseConfig(NormalizerSchema, file, step.config);
      else if (stepName === 'unnormalizer_processor') unnormalizer = parseConfig(NormalizerSchema, file, step.config);
      else if (stepName === 'tokenizer_processor') {
        const rules = parseConfig(TokenizerSchema, file, step.config);
        text = { ending: '\n', maxTokens: rules.max_length, padding: rules.padding, truncation: rules.truncation ? 'on' : 'off' };
      } else if (!HARMLESS.includes(stepName) && step.config['enabled'] !== false) {
        throw new FailureError('checkpoint/unsupported', { what: `processor step in ${file}`, found: stepName });
      }
    }
  }

  const pictureMode = normalizer?.norm_map['VISUAL'] ?? 'IDENTITY';
  if (pictureMode !== 'IDENTITY') throw new FailureError('checkpoint/unsupported', { what: 'picture normalisation', found: pictureMode });
  const observed = normalizer?.normalize_observation_keys;
  const stateMode = normalizer === null || (observed && !observed.includes(STATE)) ? 'IDENTITY' : (normalizer.norm_map['STATE'] ?? 'IDENTITY');
  const actionMode = unnormalizer?.norm_map['ACTION'] ?? 'IDENTITY';
  const era = oldEra ? 'old' : 'new';
  const state = await readNormalisation(checkpoint, { feature: STATE, mode: stateMode, eps: normalizer?.eps ?? 1e-8, era, oldPrefix: 'normalize_inputs' });
  const action = await readNormalisation(checkpoint, { feature: ACTION, mode: actionMode, eps: unnormalizer?.eps ?? 1e-8, era, oldPrefix: 'unnormalize_outputs' });
  return {
    renameMap,
    state: state ?? { mode: 'identity' },
    action: action ?? { mode: 'identity' },
    missingStatistics: [...(state === null ? [STATE] : []), ...(action === null ? [ACTION] : [])],
    stateSize: state === null ? null : sizeOf(state),
    text,
  };
}

/** Number of columns the statistics cover, null for identity. */
export function sizeOf(how: Normalisation): number | null {
  if (how.mode === 'identity') return null;
  return how.mode === 'mean-std' ? how.mean.length : how.low.length;
}

interface Wanted {
  readonly feature: string;
  readonly mode: string;
  readonly eps: number;
  readonly era: 'old' | 'new';
  readonly oldPrefix: 'normalize_inputs' | 'unnormalize_outputs';
}

/** Which two statistics a mode needs. */
const STATISTICS: Readonly<Record<string, readonly [string, string]>> = {
  MEAN_STD: ['mean', 'std'],
  MIN_MAX: ['min', 'max'],
  QUANTILES: ['q01', 'q99'],
  QUANTILE10: ['q10', 'q90'],
};

/** Null = the mode asks for statistics and the checkpoint has none for this feature. */
async function readNormalisation(checkpoint: CheckpointView, wanted: Wanted): Promise<Normalisation | null> {
  if (wanted.mode === 'IDENTITY') return { mode: 'identity' };
  const names = STATISTICS[wanted.mode];
  if (names === undefined) throw new FailureError('checkpoint/unsupported', { what: `normalisation of ${wanted.feature}`, found: wanted.mode });
  const [first, second] = [await readStatistic(checkpoint, wanted, names[0]), await readStatistic(checkpoint, wanted, names[1])];
  if (first === null && second === null) return null;
  if (first === null || second === null || first.length !== second.length) throw new FailureError('checkpoint/statistics-missing', { feature: wanted.feature });
  if (wanted.mode === 'MEAN_STD') return { mode: 'mean-std', mean: first, std: second, eps: wanted.eps };
  return { mode: 'range', low: first, high: second, eps: wanted.eps, epsRule: wanted.era === 'old' ? 'add' : 'replace' };
}

async function readStatistic(checkpoint: CheckpointView, wanted: Wanted, statistic: string): Promise<number[] | null> {
  const source = `${wanted.feature}.${statistic}`;
  const stored = checkpoint.statistics.get(source);
  if (stored !== undefined) return finite(source, stored);
  if (wanted.era === 'new') return null;
  const tensor = `${wanted.oldPrefix}.buffer_${wanted.feature.replaceAll('.', '_')}.${statistic}`;
  if (!checkpoint.tensors.has(tensor)) return null;
  const values = await checkpoint.readSmall(tensor);
  // LeRobot <= 0.3 fills buffers that were never given statistics with infinity.
  if (values.some((value) => value === Infinity)) return null;
  return finite(tensor, values);
}

function finite(tensor: string, values: Float32Array): number[] {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw new FailureError('checkpoint/not-finite', { tensor, index });
  return [...values];
}
