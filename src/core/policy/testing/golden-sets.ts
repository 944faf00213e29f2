/**
 * The golden sets by name: which folder, which files, and what a case changes about its checkpoint. Knows no test
 * framework and reads nothing itself.
 */
export interface GoldenCase {
  readonly name: string;
  readonly folder: string;
  /** `flat`: the `reference` folder's own layout, with statistics, inputs and outputs in one file. */
  readonly layout: 'checkpoint' | 'flat';
  readonly files: readonly string[];
  /** Fields of config.json that the case sets. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly specialTokens: { readonly fake_image_token_id: number; readonly global_image_token_id: number } | null;
  /** `golden_variants.safetensors` tensor with the expected x0, null = the folder's main result. */
  readonly variant: string | null;
}

const CASE = ['case.safetensors', 'expected.safetensors', 'mid.safetensors'];
const WEIGHTS = ['config.json', 'vlm_config.json', 'model.safetensors'];
const PROCESSORS = [
  'policy_preprocessor.json',
  'policy_preprocessor_step_5_normalizer_processor.safetensors',
  'policy_postprocessor.json',
  'policy_postprocessor_step_0_unnormalizer_processor.safetensors',
];

function checkpointCase(folder: string, more: readonly string[] = PROCESSORS): GoldenCase {
  return { name: folder, folder, layout: 'checkpoint', files: [...WEIGHTS, ...CASE, ...more], config: {}, specialTokens: null, variant: null };
}

function referenceCase(name: string, changes: Partial<GoldenCase> = {}): GoldenCase {
  const files = [...WEIGHTS, 'golden.safetensors', 'golden_variants.safetensors'];
  return { name, folder: 'reference', layout: 'flat', files, config: {}, specialTokens: null, variant: null, ...changes };
}

export const GOLDEN_CASES: readonly GoldenCase[] = [
  checkpointCase('base'),
  checkpointCase('special-tokens', [...PROCESSORS, 'special_tokens.json']),
  checkpointCase('old-format', []),
  checkpointCase('self-attention'),
  checkpointCase('rename-map'),
  referenceCase('reference'),
  referenceCase('reference, special tokens', {
    config: { add_image_special_tokens: true },
    specialTokens: { fake_image_token_id: 500, global_image_token_id: 502 },
    variant: 'out.special_tokens',
  }),
  referenceCase('reference, prefix length 80', { config: { prefix_length: 80 }, variant: 'out.prefix_length_80' }),
  referenceCase('reference, 7 steps', { config: { num_steps: 7 }, variant: 'out.num_steps_7' }),
];
