/**
 * The published smolvla_base as far as it can be had without its weights: its config and the names, types and shapes of
 * its 500 tensors (450,046,176 parameters). For tests of what a plan takes and refuses.
 */
import type { CheckpointView, TensorHeader } from '#contracts/pack.ts';

export const BASE_CONFIG = {
  type: 'smolvla',
  load_vlm_weights: true,
  prefix_length: 0,
  pad_language_to: 'max_length',
  num_expert_layers: 0,
  num_vlm_layers: 16,
  input_features: {
    'observation.state': { type: 'STATE', shape: [6] },
    'observation.images.camera1': { type: 'VISUAL', shape: [3, 256, 256] },
    'observation.images.camera2': { type: 'VISUAL', shape: [3, 256, 256] },
    'observation.images.camera3': { type: 'VISUAL', shape: [3, 256, 256] },
  },
  output_features: { action: { type: 'ACTION', shape: [6] } },
} as const;

export function baseTensors(textLayers = 16, expertLayers = textLayers, isSelf: (layer: number) => boolean = (layer) => layer % 2 === 0): Map<string, TensorHeader> {
  const tensors = new Map<string, TensorHeader>();
  const put = (name: string, ...shape: number[]): void => void tensors.set(name, { dtype: 'BF16', shape });
  const linear = (name: string, out: number, into: number): void => {
    put(`${name}.weight`, out, into);
    put(`${name}.bias`, out);
  };
  const vlm = 'model.vlm_with_expert.vlm.';
  const vision = `${vlm}model.vision_model.`;
  put(`${vision}embeddings.patch_embedding.weight`, 768, 3, 16, 16);
  put(`${vision}embeddings.patch_embedding.bias`, 768);
  put(`${vision}embeddings.position_embedding.weight`, 1024, 768);
  for (let l = 0; l < 12; l++) {
    const layer = `${vision}encoder.layers.${l}.`;
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) linear(`${layer}self_attn.${part}`, 768, 768);
    linear(`${layer}mlp.fc1`, 3072, 768);
    linear(`${layer}mlp.fc2`, 768, 3072);
    for (const norm of ['layer_norm1', 'layer_norm2']) for (const part of ['weight', 'bias']) put(`${layer}${norm}.${part}`, 768);
  }
  for (const part of ['weight', 'bias']) put(`${vision}post_layernorm.${part}`, 768);
  put(`${vlm}model.connector.modality_projection.proj.weight`, 960, 12288);
  put(`${vlm}model.text_model.embed_tokens.weight`, 49280, 960);
  const llama = (layer: string, hidden: number, feedForward: number, kvInto: number): void => {
    put(`${layer}self_attn.q_proj.weight`, 960, hidden);
    put(`${layer}self_attn.k_proj.weight`, 320, kvInto);
    put(`${layer}self_attn.v_proj.weight`, 320, kvInto);
    put(`${layer}self_attn.o_proj.weight`, hidden, 960);
    put(`${layer}mlp.gate_proj.weight`, feedForward, hidden);
    put(`${layer}mlp.up_proj.weight`, feedForward, hidden);
    put(`${layer}mlp.down_proj.weight`, hidden, feedForward);
    put(`${layer}input_layernorm.weight`, hidden);
    put(`${layer}post_attention_layernorm.weight`, hidden);
  };
  for (let l = 0; l < textLayers; l++) llama(`${vlm}model.text_model.layers.${l}.`, 960, 2560, 960);
  put(`${vlm}model.text_model.norm.weight`, 960);
  put(`${vlm}lm_head.weight`, 49280, 960);
  const expert = 'model.vlm_with_expert.lm_expert.';
  for (let l = 0; l < expertLayers; l++) llama(`${expert}layers.${l}.`, 720, 2048, isSelf(l) ? 720 : 320);
  put(`${expert}norm.weight`, 720);
  linear('model.state_proj', 960, 32);
  linear('model.action_in_proj', 720, 32);
  linear('model.action_out_proj', 32, 720);
  linear('model.action_time_mlp_in', 720, 1440);
  linear('model.action_time_mlp_out', 720, 720);
  return tensors;
}

/** A view with these JSON files and tensors, and no weights behind it. */
export function viewOf(json: Readonly<Record<string, unknown>>, tensors = baseTensors(), statistics: ReadonlyMap<string, Float32Array> = new Map()): CheckpointView {
  return {
    name: 'base',
    json: new Map(Object.entries(json)),
    tensors,
    statistics,
    readSmall: (tensor) => Promise.reject(new Error(`nobody should read ${tensor}`)),
  };
}
