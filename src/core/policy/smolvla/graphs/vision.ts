/**
 * One picture to language-model tokens.
 *
 *   patches [1, N, 3 p p] ─ patch ─ + position ─ layers x ( norm, attention, +, norm, fc1, gelu, fc2, + ) ─ norm
 *     = vision_out [1, N, hidden] ─ pixel shuffle [1, T, hidden f f] ─ connector ─ tokens [1, T, text width]
 *
 * SmolVLM2-500M: p 16, N 32 x 32 = 1024, hidden 768, f 4, T 64, text width 960. Tokens leave times sqrt(text width).
 */
import type { Provider } from '#contracts/engine.ts';
import type { PackManifest } from '#contracts/pack.ts';
import { attention, cast, fastGelu, reshape, skipLayerNorm, split, transpose, type Float } from '#core/onnx/ops.ts';
import type { SmolVlaSettings } from '../settings.ts';
import { graphKit } from './kit.ts';

export function visionGraph(settings: SmolVlaSettings, manifest: PackManifest, provider: Provider, mids: 'none' | 'all', activations: Float): Uint8Array {
  const { hidden, heads, layers, patchSize, shuffle, epsilon } = settings.vision;
  const side = settings.vision.imageSize / patchSize;
  const kit = graphKit('vision', manifest, provider, activations);
  const { g, dense, weight } = kit;
  const norm = (name: string) => ({ scale: weight(`${name}.scale`), bias: weight(`${name}.bias`), epsilon });

  const patches = g.input('patches', 'float32', [1, side * side, 3 * patchSize * patchSize]);
  const seen = dense(cast(g, patches, activations), 'vision.patch');
  let { sum: x, normed } = skipLayerNorm(g, seen, reshape(g, weight('vision.position'), seen.dims), norm('vision.0.norm1'), null);
  for (let l = 0; l < layers; l++) {
    const [q, k, v] = split(g, dense(normed, `vision.${l}.qkv`, 'bias'), [hidden, hidden, hidden]);
    const attended = dense(attention(g, q!, k!, v!, heads, null), `vision.${l}.out`);
    const middle = skipLayerNorm(g, attended, x, norm(`vision.${l}.norm2`), weight(`vision.${l}.out.bias`));
    const inner = fastGelu(g, dense(middle.normed, `vision.${l}.fc1`), weight(`vision.${l}.fc1.bias`));
    const next = norm(l + 1 < layers ? `vision.${l + 1}.norm1` : 'vision.norm');
    const end = skipLayerNorm(g, dense(inner, `vision.${l}.fc2`), middle.sum, next, weight(`vision.${l}.fc2.bias`));
    x = end.sum;
    normed = end.normed;
  }
  if (mids === 'all') g.output('vision_out', cast(g, normed, 'float32'));

  // Pixel shuffle: f x f neighbouring patches become one token; its channels run over (row, column, channel).
  const m = side / shuffle;
  const grid = transpose(g, reshape(g, normed, [m, shuffle, m, shuffle, hidden]), [0, 2, 1, 3, 4]);
  g.output('tokens', cast(g, dense(reshape(g, grid, [1, m * m, shuffle * shuffle * hidden]), 'vision.connector'), 'float32'));
  return g.build();
}
