/**
 * Writes the untrained pocket checkpoint, bit for bit the same on every machine, in LeRobot's format:
 *
 *   npx tsx tools/make-pocket.ts [folder]          default: public/policies/pocket
 *
 * The page loads it through the same path as any other checkpoint. Training replaces weights, statistics and card and
 * keeps the rest.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TaskKind } from '#contracts/task.ts';
import { sha256Hex } from '#core/conversion/sha256.ts';
import { type TensorToWrite, writeSafetensors } from '#core/conversion/safetensors.ts';
import { allGoals, patterns, wordings } from '#core/world/tasks/grammar.ts';
import { learnTokenizer } from './pocket/bpe.ts';
import { POCKET, POCKET_STATISTICS } from './pocket/shape.ts';
import { pocketWeights } from './pocket/weights.ts';

/** What the page offers to type. */
const EXAMPLES: readonly string[] = [
  'wave hello',
  'pick up the red cube',
  'push the blue cube to the left',
  'put the green cube in the bowl',
  'touch the yellow cube',
  'push the red cube to the right',
];

/** What it is to be trained on; stacking is not among it. */
const TAUGHT: readonly TaskKind[] = ['touch', 'pick-up', 'put-in-bowl', 'push-left', 'push-right', 'wave'];

/** Words around the grammar that people type, so that they cost one token and not one a letter. */
const NEARBY_WORDS =
  'please slowly carefully gently now then first block box ball table robot arm hand gripper open close turn around up down forward back stop go home look at here there small big one two other next under over off out it this that is not do don don\'t can you';

/** Every file of the checkpoint by its path in the folder. */
export function pocketFiles(): ReadonlyMap<string, Uint8Array> {
  const tokenizer = learnTokenizer(corpus(), POCKET.vocabulary);
  const weights = writeSafetensors(pocketWeights(), { format: 'pt' });
  const features = {
    'observation.state': { type: 'STATE', shape: [POCKET.joints] },
    ...Object.fromEntries(POCKET.cameras.map((camera) => [camera, { type: 'VISUAL', shape: [3, POCKET.imageSize, POCKET.imageSize] }])),
  };
  const action = { action: { type: 'ACTION', shape: [POCKET.joints] } };
  const normMap = { VISUAL: 'IDENTITY', STATE: 'MEAN_STD', ACTION: 'MEAN_STD' };
  const state = 'policy_preprocessor_step_5_normalizer_processor.safetensors';
  const postState = 'policy_postprocessor_step_0_unnormalizer_processor.safetensors';
  const device = { registry_name: 'device_processor', config: { device: 'cpu', float_dtype: null } };
  const json = new Map<string, unknown>([
    ['config.json', { ...policyConfig(), input_features: features, output_features: action, normalization_mapping: normMap }],
    ['vlm_config.json', vlmConfig()],
    // The pocket policy puts no special tokens around pictures; the file keeps a host without it from being asked in vain.
    ['special_tokens.json', {}],
    // For the same reason: its head is LeRobot's own.
    ['action_head.json', { kind: 'flow' }],
    [
      'policy_preprocessor.json',
      {
        name: 'policy_preprocessor',
        steps: [
          { registry_name: 'rename_observations_processor', config: { rename_map: {} } },
          { registry_name: 'to_batch_processor', config: {} },
          { registry_name: 'smolvla_new_line_processor', config: {} },
          {
            registry_name: 'tokenizer_processor',
            config: { max_length: POCKET.maxTokens, task_key: 'task', padding_side: 'right', padding: 'longest', truncation: true },
            artifacts: { tokenizer_name: 'tokenizer' },
          },
          device,
          { registry_name: 'normalizer_processor', config: { eps: 1e-8, features: { ...features, ...action }, norm_map: normMap }, state_file: state },
        ],
      },
    ],
    [
      'policy_postprocessor.json',
      { name: 'policy_postprocessor', steps: [{ registry_name: 'unnormalizer_processor', config: { eps: 1e-8, features: action, norm_map: normMap }, state_file: postState }, device] },
    ],
    ['card.json', card(weights)],
  ]);
  const statistics = writeSafetensors(statisticTensors());
  return new Map<string, Uint8Array>([
    ...[...json].map(([file, value]): [string, Uint8Array] => [file, utf8(`${JSON.stringify(value, null, 1)}\n`)]),
    [state, statistics],
    [postState, statistics],
    ['model.safetensors', weights],
    ['tokenizer/tokenizer.json', utf8(tokenizer.json)],
    ['tokenizer/tokenizer_config.json', utf8(tokenizer.config)],
  ]);
}

function corpus(): string[] {
  const sentences = allGoals().flatMap((goal) => (['train', 'held-out'] as const).flatMap((split) => wordings(goal, split)));
  const typed = sentences.flatMap((sentence) => [`${sentence}\n`, `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.\n`]);
  return [...typed, ...NEARBY_WORDS.split(' ').map((word) => ` ${word}`)];
}

/** LeRobot's SmolVLA configuration, every field that matters for inference. */
function policyConfig(): Record<string, unknown> {
  return {
    type: 'smolvla',
    n_obs_steps: 1,
    chunk_size: POCKET.chunkRows,
    n_action_steps: POCKET.chunkRows,
    max_state_dim: POCKET.stateColumns,
    max_action_dim: POCKET.actionColumns,
    resize_imgs_with_padding: [POCKET.imageSize, POCKET.imageSize],
    empty_cameras: 0,
    adapt_to_pi_aloha: false,
    use_delta_joint_actions_aloha: false,
    tokenizer_max_length: POCKET.maxTokens,
    num_steps: POCKET.steps,
    use_cache: true,
    freeze_vision_encoder: false,
    train_expert_only: false,
    train_state_proj: true,
    vlm_model_name: 'pocket',
    load_vlm_weights: false,
    add_image_special_tokens: false,
    attention_mode: 'cross_attn',
    prefix_length: -1,
    pad_language_to: 'longest',
    num_expert_layers: -1,
    num_vlm_layers: POCKET.text.layers,
    self_attn_every_n_layers: POCKET.selfAttentionEvery,
    expert_width_multiplier: POCKET.expert.multiplier,
    min_period: 4e-3,
    max_period: 4.0,
  };
}

function vlmConfig(): object {
  const { vision, text } = POCKET;
  return {
    model_type: 'smolvlm',
    pad_token_id: 2,
    scale_factor: POCKET.shuffle,
    tie_word_embeddings: false,
    vocab_size: POCKET.vocabulary,
    text_config: {
      model_type: 'llama',
      head_dim: text.headSize,
      hidden_size: text.hidden,
      intermediate_size: text.feedForward,
      num_attention_heads: text.heads,
      num_key_value_heads: text.kvHeads,
      num_hidden_layers: text.layers,
      max_position_embeddings: 8192,
      rms_norm_eps: 1e-5,
      vocab_size: POCKET.vocabulary,
      pad_token_id: 2,
    },
    vision_config: {
      model_type: 'smolvlm_vision',
      hidden_size: vision.hidden,
      intermediate_size: vision.feedForward,
      num_hidden_layers: vision.layers,
      num_attention_heads: vision.heads,
      image_size: POCKET.imageSize,
      patch_size: POCKET.patchSize,
    },
  };
}

function statisticTensors(): Record<string, TensorToWrite> {
  const vector = (values: readonly number[]): TensorToWrite => ({ dtype: 'F32', shape: [values.length], data: new Float32Array(values) });
  const { mean, std, min, max } = POCKET_STATISTICS;
  return Object.fromEntries(
    ['observation.state', 'action'].flatMap((feature) => Object.entries({ mean, std, min, max }).map(([statistic, values]) => [`${feature}.${statistic}`, vector(values)])),
  );
}

function card(weights: Uint8Array): object {
  return {
    name: 'pocket',
    version: 1,
    licence: 'Apache-2.0',
    fps: POCKET.fps,
    training: { kind: 'untrained' },
    about: 'Random weights in SmolVLA’s architecture, scaled so that the arm moves gently. It has learned nothing.',
    sentences: EXAMPLES,
    patterns: TAUGHT.flatMap((kind) => patterns(kind, 'train')),
    // A stored pack is made again when this changes, even where every size stays the same.
    weights_sha256: sha256Hex(weights),
  };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..', 'public', 'policies', 'pocket');
  for (const [file, bytes] of pocketFiles()) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    console.log(`${bytes.length.toString().padStart(9)}  ${path}`);
  }
}
