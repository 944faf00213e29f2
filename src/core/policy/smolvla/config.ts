/**
 * `config.json` and the backbone's config as LeRobot and transformers write them: which fields matter for inference,
 * their defaults, and what is refused. Unknown keys are ignored, because every LeRobot release adds some. Knows JSON;
 * knows no tensor.
 */
import * as v from 'valibot';
import type { CheckpointView } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { count, parseConfig } from '../door.ts';

const Feature = v.object({ type: v.string(), shape: v.pipe(v.array(count(0, 65536)), v.maxLength(4)) });

const ConfigSchema = v.object({
  type: v.string(),
  chunk_size: v.optional(count(1, 1000), 50),
  max_state_dim: v.optional(count(1, 1024), 32),
  max_action_dim: v.optional(count(1, 1024), 32),
  /** [width, height] */
  resize_imgs_with_padding: v.optional(v.nullable(v.tuple([count(1, 2048), count(1, 2048)])), [512, 512]),
  empty_cameras: v.optional(count(0, 16), 0),
  adapt_to_pi_aloha: v.optional(v.boolean(), false),
  use_delta_joint_actions_aloha: v.optional(v.boolean(), false),
  tokenizer_max_length: v.optional(count(1, 1024), 48),
  pad_language_to: v.optional(v.picklist(['longest', 'max_length']), 'longest'),
  num_steps: v.optional(count(1, 1000), 10),
  vlm_model_name: v.optional(v.string(), 'HuggingFaceTB/SmolVLM2-500M-Video-Instruct'),
  add_image_special_tokens: v.optional(v.boolean(), false),
  attention_mode: v.optional(v.string(), 'cross_attn'),
  prefix_length: v.optional(count(-1, 65536), -1),
  num_expert_layers: v.optional(count(-1, 256), -1),
  num_vlm_layers: v.optional(count(-1, 256), 16),
  self_attn_every_n_layers: v.optional(count(-1, 256), 2),
  expert_width_multiplier: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(8)), 0.75),
  min_period: v.optional(v.pipe(v.number(), v.gtValue(0), v.finite()), 4e-3),
  max_period: v.optional(v.pipe(v.number(), v.gtValue(0), v.finite()), 4),
  input_features: v.optional(v.record(v.string(), Feature), {}),
  output_features: v.optional(v.record(v.string(), Feature), {}),
  normalization_mapping: v.optional(v.record(v.string(), v.string()), { VISUAL: 'IDENTITY', STATE: 'MEAN_STD', ACTION: 'MEAN_STD' }),
});

export type SmolVlaConfig = v.InferOutput<typeof ConfigSchema>;

/** Parsed `config.json`. Rejects with `checkpoint/file-missing`, `checkpoint/config` or `checkpoint/unsupported`. */
export function readConfig(checkpoint: CheckpointView): SmolVlaConfig {
  const file = checkpoint.json.get('config.json');
  if (file === undefined) throw new FailureError('checkpoint/file-missing', { file: 'config.json', source: checkpoint.name });
  const config = parseConfig(ConfigSchema, 'config.json', file);
  const refuse = (what: string, found: string): never => {
    throw new FailureError('checkpoint/unsupported', { what, found });
  };
  if (config.type !== 'smolvla') refuse('policy type', config.type);
  if (config.use_delta_joint_actions_aloha) refuse('use_delta_joint_actions_aloha', 'true');
  if (config.adapt_to_pi_aloha) refuse('adapt_to_pi_aloha', 'true');
  if (config.resize_imgs_with_padding === null) refuse('resize_imgs_with_padding', 'null');
  if (Object.keys(config.input_features).length > 64) refuse('number of input features', String(Object.keys(config.input_features).length));
  const visual = config.normalization_mapping['VISUAL'] ?? 'IDENTITY';
  if (visual !== 'IDENTITY') refuse('picture normalisation', visual);
  return config;
}

const BackboneSchema = v.object({
  scale_factor: count(1, 16),
  text_config: v.object({
    hidden_size: count(1, 16384),
    num_attention_heads: count(1, 256),
    num_key_value_heads: count(1, 256),
    head_dim: v.nullish(count(2, 1024)),
    rms_norm_eps: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(0.1)), 1e-5),
    vocab_size: v.optional(count(1, 1_000_000)),
  }),
  vision_config: v.object({
    hidden_size: count(1, 16384),
    num_attention_heads: count(1, 256),
    image_size: count(1, 4096),
    patch_size: count(1, 256),
    layer_norm_eps: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(0.1)), 1e-6),
    hidden_act: v.optional(v.string(), 'gelu_pytorch_tanh'),
  }),
});

export type Backbone = v.InferOutput<typeof BackboneSchema>;

/** SmolVLM2-500M, whose config need not be fetched. Layer counts and inner widths are read from the tensors. */
const SMOLVLM2_500M: Backbone = {
  scale_factor: 4,
  text_config: { hidden_size: 960, num_attention_heads: 15, num_key_value_heads: 5, head_dim: 64, rms_norm_eps: 1e-5, vocab_size: 49280 },
  vision_config: { hidden_size: 768, num_attention_heads: 12, image_size: 512, patch_size: 16, layer_norm_eps: 1e-6, hidden_act: 'gelu_pytorch_tanh' },
};

/** The second name redirects to the first. */
const SMOLVLM2_500M_NAMES: readonly string[] = ['HuggingFaceTB/SmolVLM2-500M-Video-Instruct', 'HuggingFaceTB/SmolVLM2-500M-Instruct'];

/** `<fake_token_around_image>` and `<global-img>` of SmolVLM2-500M's tokenizer. */
const SMOLVLM2_500M_TOKENS = { fake_image_token_id: 49189, global_image_token_id: 49152 } as const;

/** The backbone's config: `vlm_config.json` where the checkpoint carries it, else the table above by name. */
export function readBackbone(checkpoint: CheckpointView, config: SmolVlaConfig): Backbone {
  const file = checkpoint.json.get('vlm_config.json');
  if (file === undefined) {
    if (SMOLVLM2_500M_NAMES.includes(config.vlm_model_name)) return SMOLVLM2_500M;
    throw new FailureError('checkpoint/file-missing', { file: 'vlm_config.json', source: config.vlm_model_name });
  }
  const backbone = parseConfig(BackboneSchema, 'vlm_config.json', file);
  if (backbone.vision_config.hidden_act !== 'gelu_pytorch_tanh') throw new FailureError('checkpoint/unsupported', { what: 'vision activation', found: backbone.vision_config.hidden_act });
  return backbone;
}

const SpecialTokensSchema = v.object({ fake_image_token_id: count(0, 1_000_000), global_image_token_id: count(0, 1_000_000) });

/** Ids of the tokens around a picture, or null where the checkpoint uses none. */
export function readSpecialTokens(checkpoint: CheckpointView, config: SmolVlaConfig): { readonly fake: number; readonly global: number } | null {
  if (!config.add_image_special_tokens) return null;
  const known = SMOLVLM2_500M_NAMES.includes(config.vlm_model_name) ? SMOLVLM2_500M_TOKENS : undefined;
  const file = checkpoint.json.get('special_tokens.json') ?? known;
  if (file === undefined) throw new FailureError('checkpoint/file-missing', { file: 'special_tokens.json', source: checkpoint.name });
  const ids = parseConfig(SpecialTokensSchema, 'special_tokens.json', file);
  return { fake: ids.fake_image_token_id, global: ids.global_image_token_id };
}
