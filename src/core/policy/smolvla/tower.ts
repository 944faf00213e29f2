/**
 * The vision tower of a pack, said without a graph: its sizes, and its weights by their names there. Only of a pack that keeps
 * all its matrices in 8-bit columns; the graph (`graphs/vision.ts`) takes every form.
 */
import type { VisionTower } from '#contracts/engine.ts';
import type { OpenPack } from '#contracts/pack.ts';
import type { SmolVlaSettings } from './settings.ts';

const PREFIX = 'vision.';

export function visionTower(pack: OpenPack, { vision, text }: SmolVlaSettings): VisionTower | null {
  const matrices = pack.manifest.tensors.filter(({ name }) => name.startsWith(PREFIX) && name.endsWith('.weight'));
  if (!matrices.every(({ storage }) => storage.kind === 'columns')) return null;
  const { imageSize, patchSize, hidden, heads, layers, feedForward, shuffle, epsilon } = vision;
  return {
    shape: { patches: (imageSize / patchSize) ** 2, patch: 3 * patchSize * patchSize, hidden, heads, layers, feedForward, shuffle, out: text.hidden, epsilon },
    weights: {
      matrix: (name) => pack.columns(`${PREFIX}${name}.weight`),
      vector: (name) => pack.tensor(`${PREFIX}${name}`),
    },
  };
}
