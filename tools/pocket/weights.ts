/**
 * The pocket policy's weights before any training: random, seeded, and the same bits on every machine (uniform draws
 * only; a logarithm or a cosine may differ in its last bit between machines).
 *
 * One part is not random. An untrained flow hands its noise on to the joints, and the arm would shiver at 30 Hz. So the
 * first channels of the expert carry the noisy action x_t unchanged to the output, as the velocity
 *
 *   v = gain * x_t + r(observation)        with gain near the number of Euler steps N
 *
 * and each Euler step x <- x - v / N takes most of what is left of the noise away; what remains is -r / gain, a slow
 * function of pictures, sentence and joints that nobody taught anything. Nothing here knows a task.
 */
import { toBfloat16 } from '#core/conversion/dtypes.ts';
import type { TensorToWrite } from '#core/conversion/safetensors.ts';
import { elementCount } from '#core/conversion/safetensors.ts';
import { type Random, seededRandom } from '#core/lib/random.ts';
import { POCKET } from './shape.ts';

const SEED = 2026;

/** Expert channels: x_t, then a constant that keeps the norm steady, then what the layers found out. */
const CARRY = POCKET.actionColumns;
const STEADY_END = 80;
/** How strongly x_t is written into its channels: weak, so that noise hardly reaches the layers. */
const CARRY_SCALE = 0.1;
/** Contraction of the noise, before the final norm. Measured with 6: another noise moves no joint by more than 0.2 units. */
const GAIN = 6;
/** Rotary pairs of a query left empty. */
const FAST_PAIRS = 4;
/** Size of r. With 2 the arm strays some 15 units from the mean pose and moves at most 2 units a tick. */
const WANDER = 2;

type Value = (row: number, column: number, random: Random) => number;

export function pocketWeights(): Record<string, TensorToWrite> {
  const tensors: Record<string, TensorToWrite> = {};
  const root = seededRandom(SEED);
  const add = (name: string, shape: readonly number[], value: Value): void => {
    const random = root.fork(name);
    const columns = elementCount(shape.slice(1));
    const values = Float32Array.from({ length: elementCount(shape) }, (_, i) => value(Math.floor(i / columns), i % columns, random));
    tensors[name] = { dtype: 'BF16', shape, data: toBfloat16(values) };
  };
  const matrix = (name: string, rows: number, columns: number, gain = 1): void => add(name, [rows, columns], spread(gain / Math.sqrt(columns)));
  const ones = (name: string, size: number): void => add(name, [size], () => 1);
  const zeros = (name: string, size: number): void => add(name, [size], () => 0);

  addVision({ add, matrix, ones, zeros });
  addText({ add, matrix, ones, zeros });
  addExpert({ add, matrix, ones, zeros });
  addHeads({ add, matrix, ones, zeros });
  return tensors;
}

interface Kit {
  add(name: string, shape: readonly number[], value: Value): void;
  /** Random [rows, columns] whose outputs have about `gain` times the size of its inputs. */
  matrix(name: string, rows: number, columns: number, gain?: number): void;
  ones(name: string, size: number): void;
  zeros(name: string, size: number): void;
}

/** Uniform with this standard deviation. */
function spread(deviation: number): Value {
  const reach = Math.sqrt(3) * deviation;
  return (_row, _column, random) => random.between(-reach, reach);
}

const VLM = 'model.vlm_with_expert.vlm.';

function addVision({ add, matrix, ones, zeros }: Kit): void {
  const { hidden, layers, feedForward } = POCKET.vision;
  const { patchSize, imageSize, shuffle } = POCKET;
  const V = `${VLM}model.vision_model.`;
  add(`${V}embeddings.patch_embedding.weight`, [hidden, 3, patchSize, patchSize], spread(2 / Math.sqrt(3 * patchSize ** 2)));
  zeros(`${V}embeddings.patch_embedding.bias`, hidden);
  add(`${V}embeddings.position_embedding.weight`, [(imageSize / patchSize) ** 2, hidden], spread(0.3));
  for (let l = 0; l < layers; l++) {
    const at = `${V}encoder.layers.${l}.`;
    for (const norm of ['layer_norm1', 'layer_norm2']) {
      ones(`${at}${norm}.weight`, hidden);
      zeros(`${at}${norm}.bias`, hidden);
    }
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) {
      matrix(`${at}self_attn.${part}.weight`, hidden, hidden, part === 'out_proj' ? 0.7 : 1.5);
      zeros(`${at}self_attn.${part}.bias`, hidden);
    }
    matrix(`${at}mlp.fc1.weight`, feedForward, hidden);
    zeros(`${at}mlp.fc1.bias`, feedForward);
    matrix(`${at}mlp.fc2.weight`, hidden, feedForward, 0.7);
    zeros(`${at}mlp.fc2.bias`, hidden);
  }
  ones(`${V}post_layernorm.weight`, hidden);
  zeros(`${V}post_layernorm.bias`, hidden);
  // The policy multiplies picture tokens by sqrt(text width); this gives tokens of size one.
  matrix(`${VLM}model.connector.modality_projection.proj.weight`, POCKET.text.hidden, hidden * shuffle ** 2, 1 / Math.sqrt(POCKET.text.hidden));
}

function addText({ add, matrix, ones }: Kit): void {
  const { hidden, layers, heads, kvHeads, headSize, feedForward } = POCKET.text;
  const T = `${VLM}model.text_model.`;
  add(`${T}embed_tokens.weight`, [POCKET.vocabulary, hidden], spread(2 / Math.sqrt(hidden)));
  for (let l = 0; l < layers; l++) {
    const at = `${T}layers.${l}.`;
    ones(`${at}input_layernorm.weight`, hidden);
    ones(`${at}post_attention_layernorm.weight`, hidden);
    matrix(`${at}self_attn.q_proj.weight`, heads * headSize, hidden, 1.5);
    matrix(`${at}self_attn.k_proj.weight`, kvHeads * headSize, hidden, 1.5);
    matrix(`${at}self_attn.v_proj.weight`, kvHeads * headSize, hidden);
    matrix(`${at}self_attn.o_proj.weight`, hidden, heads * headSize);
    matrix(`${at}mlp.gate_proj.weight`, feedForward, hidden);
    matrix(`${at}mlp.up_proj.weight`, feedForward, hidden);
    matrix(`${at}mlp.down_proj.weight`, hidden, feedForward);
  }
  ones(`${T}norm.weight`, hidden);
  matrix(`${VLM}lm_head.weight`, POCKET.vocabulary, hidden);
}

function addExpert({ add, matrix, ones }: Kit): void {
  const { hidden, feedForward } = POCKET.expert;
  const { layers, heads, kvHeads, headSize } = POCKET.text;
  const X = 'model.vlm_with_expert.lm_expert.';
  // Nothing is added to the channels that carry x_t, little to the steady ones, most to the rest.
  const outOfLayer = (columns: number): Value => {
    const draw = spread(1 / Math.sqrt(columns));
    return (row, column, random) => draw(row, column, random) * (row < CARRY ? 0 : row < STEADY_END ? 0.3 : 1);
  };
  // Row r of the chunk turns pair i of a query by r * 10000^(-i/16) radians. Without the pairs that turn fastest the
  // chunk has no period below 62 rows: the arm drifts instead of trembling.
  const queryDraw = spread(2 / Math.sqrt(hidden));
  const slowQueries: Value = (row, column, random) => {
    const drawn = queryDraw(row, column, random);
    return row % (headSize / 2) < FAST_PAIRS ? 0 : drawn;
  };
  for (let l = 0; l < layers; l++) {
    const at = `${X}layers.${l}.`;
    const keyColumns = l % POCKET.selfAttentionEvery === 0 ? hidden : kvHeads * headSize;
    ones(`${at}input_layernorm.weight`, hidden);
    ones(`${at}post_attention_layernorm.weight`, hidden);
    add(`${at}self_attn.q_proj.weight`, [heads * headSize, hidden], slowQueries);
    matrix(`${at}self_attn.k_proj.weight`, kvHeads * headSize, keyColumns, 1.5);
    matrix(`${at}self_attn.v_proj.weight`, kvHeads * headSize, keyColumns);
    add(`${at}self_attn.o_proj.weight`, [hidden, heads * headSize], outOfLayer(heads * headSize));
    matrix(`${at}mlp.gate_proj.weight`, feedForward, hidden);
    matrix(`${at}mlp.up_proj.weight`, feedForward, hidden);
    add(`${at}mlp.down_proj.weight`, [hidden, feedForward], outOfLayer(feedForward));
  }
  ones(`${X}norm.weight`, hidden);
}

function addHeads({ add, matrix, zeros }: Kit): void {
  const E = POCKET.expert.hidden;
  const { stateColumns, actionColumns } = POCKET;
  matrix('model.state_proj.weight', POCKET.text.hidden, stateColumns);
  zeros('model.state_proj.bias', POCKET.text.hidden);
  // u = x_t in the first channels.
  add('model.action_in_proj.weight', [E, actionColumns], (row, column) => (row === column ? 1 : 0));
  zeros('model.action_in_proj.bias', E);
  // Rows: +x_t, -x_t, then random mixtures of the time embedding (columns E to 2E).
  const time = spread(2 / Math.sqrt(E));
  add('model.action_time_mlp_in.weight', [E, 2 * E], (row, column, random) => {
    const drawn = time(row, column, random);
    if (row < CARRY) return column === row ? 1 : 0;
    if (row < 2 * CARRY) return column === row - CARRY ? -1 : 0;
    return column < E ? 0 : drawn;
  });
  zeros('model.action_time_mlp_in.bias', E);
  // silu(z) - silu(-z) = z: x_t passes the non-linearity unchanged.
  const steady = spread(2 / Math.sqrt(E));
  add('model.action_time_mlp_out.weight', [E, E], (row, column, random) => {
    const drawn = steady(row, column, random);
    if (row < CARRY) return column === row ? CARRY_SCALE : column === row + CARRY ? -CARRY_SCALE : 0;
    return row < STEADY_END && column >= 2 * CARRY ? drawn : 0;
  });
  zeros('model.action_time_mlp_out.bias', E);
  const wander = spread(WANDER / Math.sqrt(E - STEADY_END));
  add('model.action_out_proj.weight', [actionColumns, E], (row, column, random) => {
    const drawn = wander(row, column, random);
    if (column < CARRY) return column === row ? GAIN / CARRY_SCALE : 0;
    return column < STEADY_END ? 0 : drawn;
  });
  zeros('model.action_out_proj.bias', actionColumns);
}
