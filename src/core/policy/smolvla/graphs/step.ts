/**
 * One denoising step of the action expert, with its update of x; or, for a head of bins, the one pass there is.
 *
 *   x [1, A, actions] ─ action.in ─ mix + time_bias ─ silu ─ action.time ─ y [1, A, E]
 *   self layer:   q k v from y, rotary at `positions`; keys = [prefix k.j ; own k]; bias hides padding and the future.
 *                 k.j [1, kvHeads, S, size]; the attention's own copy of its keys puts the two together
 *   cross layer:  only q from y, rotary at 0 ... A-1;  keys = prefix k.j [1, S, kvHeads x size];  bias hides padding
 *   each layer:   y += o(attention); y += mlp(norm y)
 *   norm ─ action.out = v [1, A, actions];   x_next = x + turn v, of a diffusion keep x + turn v (`heads.ts`)
 *        └ of bins: action.bins = scores [1, A, joints x bins], and no x_next
 *
 * E and A of SmolVLA: 720 and 50. `time_bias` [E] is the time half of LeRobot's action_time_mlp_in, the same for
 * every row, computed outside in float64 (`tables.ts`).
 */
import type { Provider } from '#contracts/engine.ts';
import type { PackManifest } from '#contracts/pack.ts';
import { add, mul, rmsNorm, rotary, silu, skipRmsNorm } from '#core/onnx/ops.ts';
import type { PrefixShape } from '../prefix-rows.ts';
import type { SmolVlaSettings } from '../settings.ts';
import { ropeTables } from '../tables.ts';
import { gatedMlp, graphKit, groupedAttention, groupedCachedAttention, turnedParts, type Angles } from './kit.ts';

export function stepGraph(settings: SmolVlaSettings, shape: PrefixShape, manifest: PackManifest, provider: Provider, mids: 'none' | 'all'): Uint8Array {
  const { heads, kvHeads, headSize, epsilon } = settings.text;
  const { chunkRows, actionColumns, expert, head } = settings;
  const kv = kvHeads * headSize;
  const biasRows = (chunkRows * heads) / kvHeads;
  const kit = graphKit('step', manifest, provider);
  const { g, dense, weight } = kit;

  const x = g.input('x', 'float32', [1, chunkRows, actionColumns]);
  // A vector, so that onnxruntime makes one kernel of the product before it and this sum.
  const timeBias = g.input('time_bias', 'float32', [expert.hidden]);
  const attentions = expert.layers.map((layer) => layer.attention);
  const self = attentions.includes('self')
    ? { positions: g.input('positions', 'int64', [chunkRows, heads / kvHeads + 2]), bias: g.input('bias_self', 'float32', [1, 1, biasRows, shape.rows + chunkRows]) }
    : null;
  const cross = attentions.includes('cross')
    ? {
        positions: g.constant('rows', [1, chunkRows], BigInt64Array.from({ length: chunkRows }, (_, i) => BigInt(i))),
        bias: g.input('bias_cross', 'float32', [1, 1, biasRows, shape.rows]),
      }
    : null;
  const tableRows = shape.rows + chunkRows;
  const tables = ropeTables(tableRows, headSize);
  const angles: Angles = { cos: g.constant('cos', [tableRows, headSize / 2], tables.cos), sin: g.constant('sin', [tableRows, headSize / 2], tables.sin) };

  const mixed = silu(g, add(g, dense(dense(x, 'action.in', 'bias'), 'action.mix'), timeBias));
  let y = dense(mixed, 'action.time', 'bias');
  if (mids === 'all') g.output('suffix_embs', y);
  let normed = rmsNorm(g, y, weight('expert.0.norm1.scale'), epsilon);
  for (const [j, attention] of attentions.entries()) {
    const prefixRows = attention === 'self' ? [1, kvHeads, shape.rows, headSize] : [1, shape.rows, kv];
    const past = { k: g.input(`k.${j}`, 'float32', prefixRows), v: g.input(`v.${j}`, 'float32', prefixRows) };
    let attended;
    if (attention === 'self' && self !== null) {
      const { q, k, v } = turnedParts(kit, dense(normed, `expert.${j}.qkv`), kv, self.positions, angles);
      attended = groupedCachedAttention(kit, q, k, v, kvHeads, self.bias, past).attended;
    } else if (cross !== null) {
      attended = groupedAttention(kit, rotary(g, dense(normed, `expert.${j}.q`), cross.positions, angles.cos, angles.sin), past.k, past.v, kvHeads, cross.bias);
    } else {
      throw new Error(`expert layer ${j} has no attention inputs`);
    }
    const middle = skipRmsNorm(g, dense(attended, `expert.${j}.o`), y, weight(`expert.${j}.norm2.scale`), epsilon);
    const next = j + 1 < attentions.length ? `expert.${j + 1}.norm1.scale` : 'expert.norm.scale';
    const end = skipRmsNorm(g, gatedMlp(kit, middle.normed, `expert.${j}`), middle.sum, weight(next), epsilon);
    y = end.sum;
    normed = end.normed;
  }
  const turn = g.input('turn', 'float32', [1]);
  if (head.kind === 'bins') {
    // Times 1, because a recording must not end on a product: what onnxruntime 1.30 plays then writes a buffer of its own over the
    // first rows of the result (seen: 640 of 800 scores were the last layer's attention). The heads' test on a GPU shows it.
    g.output('scores', mul(g, dense(normed, 'action.bins', 'bias'), turn));
    return g.build();
  }
  const velocity = dense(normed, 'action.out', 'bias');
  if (mids === 'all') g.output('v_t', velocity);
  const turned = mul(g, velocity, turn);
  g.output('x_next', add(g, head.kind === 'diffusion' ? mul(g, x, g.input('keep', 'float32', [1])) : x, turned));
  return g.build();
}
