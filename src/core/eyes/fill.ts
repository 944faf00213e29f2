/**
 * A tower's weights into the places where the kernels read them. Knows the tiles; knows no pack and no layer's meaning.
 */
import type { ColumnWeights, TowerWeights } from '#contracts/engine.ts';
import { TILE, TILE_FACTS_BYTES } from './kernels.ts';
import type { Layout, PlacedMatrix, PlacedNorm } from './layout.ts';

/** Into `memory`, which has the layout's pages. One matrix at a time is in memory twice. */
export async function fillTower(memory: ArrayBufferLike, layout: Layout, weights: TowerWeights): Promise<void> {
  const floats = new Float32Array(memory);
  const matrix = async (placed: PlacedMatrix, name: string, bias: 'bias' | 'none'): Promise<void> => {
    fillMatrix(memory, placed, await weights.matrix(name), bias === 'bias' ? await weights.vector(`${name}.bias`) : new Float32Array(placed.n));
  };
  const norm = async ({ scale, bias }: PlacedNorm, name: string): Promise<void> => {
    floats.set(await weights.vector(`${name}.scale`), scale / 4);
    floats.set(await weights.vector(`${name}.bias`), bias / 4);
  };
  await matrix(layout.patch, 'patch', 'none');
  floats.set(await weights.vector('position'), layout.position / 4);
  for (const [l, layer] of layout.layers.entries()) {
    await norm(layer.norm1, `${l}.norm1`);
    await matrix(layer.qkv, `${l}.qkv`, 'bias');
    await matrix(layer.out, `${l}.out`, 'bias');
    await norm(layer.norm2, `${l}.norm2`);
    await matrix(layer.fc1, `${l}.fc1`, 'bias');
    await matrix(layer.fc2, `${l}.fc2`, 'bias');
  }
  await norm(layout.norm, 'norm');
  await matrix(layout.connector, 'connector', 'none');
  // Shares come with their value's step, so that a matrix of values has nothing of its own but ones.
  for (const { values } of layout.caches) for (const { facts, n } of values) fillFacts(floats, facts, new Float32Array(n).fill(1), new Float32Array(n), new Float32Array(n));
}

/** `codes` [k, n] row-major into tiles. */
export function fillMatrix(memory: ArrayBufferLike, { codes: at, facts, k, n }: PlacedMatrix, { codes, scales }: ColumnWeights, bias: Float32Array): void {
  if (codes.length !== k * n || scales.length !== n || bias.length !== n) throw new Error(`a matrix of [${k}, ${n}] with ${codes.length} codes, ${scales.length} scales, ${bias.length} biases`);
  const bytes = new Int8Array(memory, at, k * n);
  const sums = new Float32Array(n);
  let to = 0;
  for (let tile = 0; tile < n; tile += TILE) {
    for (let row = 0; row < k; row += 4) {
      for (let column = tile; column < tile + TILE; column++) {
        let from = row * n + column;
        for (let i = 0; i < 4; i++) {
          const code = codes[from]!;
          bytes[to++] = code;
          sums[column]! += code;
          from += n;
        }
      }
    }
  }
  fillFacts(new Float32Array(memory), facts, scales, sums.map((sum, column) => sum * scales[column]!), bias);
}

function fillFacts(floats: Float32Array, at: number, ...facts: readonly [scales: Float32Array, sums: Float32Array, biases: Float32Array]): void {
  for (const [which, values] of facts.entries()) {
    for (const [column, value] of values.entries()) floats[(at + Math.floor(column / TILE) * TILE_FACTS_BYTES) / 4 + which * TILE + (column % TILE)] = value;
  }
}
