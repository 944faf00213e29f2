/**
 * What the model sees, once an observation: picture tokens, sentence and state through the text layers, for the sake of
 * their keys and values.
 *
 *   image.0 ... image.n-1 [1, T, D], tail [1, R, D] ─ x [1, S, D]
 *   each layer: norm ─ q k v ─ rotary(positions) ─ attention(bias) ─ + ─ norm ─ gated mlp ─ +
 *   out, for each expert layer j on text layer l:   self   k.j = K_l,             v.j = V_l               [1, kvHeads, S, size]
 *                                                   cross  k.j = K_l W_k of j,    v.j = V_l W_v of j      [1, S, kvHeads x size]
 *
 * A cross layer's own key and value matrices read nothing but the prefix, so they are applied here, once, and not in
 * every denoising step. A self layer reads the prefix as what came before its own rows, head by head, which is how the text
 * layer's attention leaves it. The last text layer stops after its keys and values: nobody reads the rest.
 *
 * S is fixed for the session. Rows that are not in use this time (an absent camera, an unused token) are hidden by
 * `bias` and skipped by `positions`, which changes nothing in the others.
 */
import type { Provider } from '#contracts/engine.ts';
import type { PackManifest } from '#contracts/pack.ts';
import type { Value } from '#core/onnx/graph.ts';
import { cast, concat, max, reshape, rmsNorm, rotary, skipRmsNorm, split, transpose, type Cache, type Float } from '#core/onnx/ops.ts';
import type { PrefixShape } from '../prefix-rows.ts';
import type { SmolVlaSettings } from '../settings.ts';
import { ropeTables } from '../tables.ts';
import { gatedMlp, graphKit, groupedAttention, groupedCachedAttention, turnedParts, type Angles, type GraphKit } from './kit.ts';

/** `special`: the embedding rows of [fake, global] and of [fake], which stand around every picture, or null. */
export interface SpecialRows {
  readonly before: Float32Array;
  readonly after: Float32Array;
}

export function prefixGraph(
  settings: SmolVlaSettings,
  shape: PrefixShape,
  special: SpecialRows | null,
  manifest: PackManifest,
  provider: Provider,
  mids: 'none' | 'all',
  activations: Float,
): Uint8Array {
  const { hidden, heads, kvHeads, headSize, epsilon, layers } = settings.text;
  const kv = kvHeads * headSize;
  const kit = graphKit('prefix', manifest, provider, activations);
  const { g, dense, weight } = kit;

  const before = special === null ? [] : [g.constant('before', [1, 2, hidden], special.before)];
  const after = special === null ? [] : [g.constant('after', [1, 1, hidden], special.after)];
  const pictures = Array.from({ length: shape.cameras }, (_, i) => [...before, g.input(`image.${i}`, 'float32', [1, shape.tokensPerImage, hidden]), ...after]);
  const tail = g.input('tail', 'float32', [1, shape.tailRows, hidden]);
  const positions = g.input('positions', 'int64', [1, shape.rows]);
  const attending =
    layers > 1
      ? {
          positions: g.input('positions.qkv', 'int64', [shape.rows, heads / kvHeads + 2]),
          bias: inReach(kit, g.input('bias', 'float32', [1, 1, (shape.rows * heads) / kvHeads, shape.rows])),
        }
      : null;
  const tables = ropeTables(shape.rows, headSize);
  const angles: Angles = { cos: cast(g, g.constant('cos', [shape.rows, headSize / 2], tables.cos), activations), sin: cast(g, g.constant('sin', [shape.rows, headSize / 2], tables.sin), activations) };
  const out = (name: string, value: Value): void => g.output(name, cast(g, value, 'float32'));
  const headByHead = (rows: Value): Value => transpose(g, reshape(g, rows, [1, shape.rows, kvHeads, headSize]), [0, 2, 1, 3]);

  let x = cast(g, concat(g, [...pictures.flat(), tail], 1), activations);
  if (mids === 'all') out('prefix_embs', x);
  let normed = rmsNorm(g, x, weight('text.0.norm1.scale'), epsilon);
  for (let l = 0; l < layers; l++) {
    let k: Value;
    let v: Value;
    let cache: Cache | null = null;
    if (attending === null || l === layers - 1) {
      const [key, value] = split(g, dense(normed, `text.${l}.kv`), [kv, kv]);
      k = rotary(g, key!, positions, angles.cos, angles.sin);
      v = value!;
    } else {
      const parts = turnedParts(kit, dense(normed, `text.${l}.qkv`), kv, attending.positions, angles);
      k = parts.k;
      v = parts.v;
      const kept = settings.expert.layers.some((layer) => layer.textLayer === l && layer.attention === 'self');
      const seen = kept
        ? groupedCachedAttention(kit, parts.q, k, v, kvHeads, attending.bias, null)
        : { attended: groupedAttention(kit, parts.q, k, v, kvHeads, attending.bias), cache: null };
      cache = seen.cache;
      const middle = skipRmsNorm(g, dense(seen.attended, `text.${l}.o`), x, weight(`text.${l}.norm2.scale`), epsilon);
      const end = skipRmsNorm(g, gatedMlp(kit, middle.normed, `text.${l}`), middle.sum, weight(`text.${l + 1}.norm1.scale`), epsilon);
      x = end.sum;
      normed = end.normed;
    }
    if (mids === 'all') {
      out(`cache_k.${l}`, k);
      out(`cache_v.${l}`, v);
    }
    const j = settings.expert.layers.findIndex((layer) => layer.textLayer === l);
    if (j < 0) continue;
    const cross = settings.expert.layers[j]!.attention === 'cross';
    out(`k.${j}`, cross ? dense(k, `cross.${j}.k`) : (cache?.k ?? headByHead(k)));
    out(`v.${j}`, cross ? dense(v, `cross.${j}.v`) : (cache?.v ?? headByHead(v)));
  }
  return g.build();
}

/** Hidden rows of a bias, whose -1e9 float16 has no number for, hide as well at -60,000. */
function inReach({ g, activations }: GraphKit, bias: Value): Value {
  return activations === 'float32' ? bias : cast(g, max(g, bias, g.constant('hidden', [1], Float32Array.of(-60_000))), activations);
}
