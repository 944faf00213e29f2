/**
 * The two places where the graphs do in fewer kernels what could be said more plainly: both ways written down, computed on
 * ONNX Runtime, and compared.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine, HostTensor } from '#contracts/engine.ts';
import type { PackManifest } from '#contracts/pack.ts';
import { normalNoise } from '#core/lib/random.ts';
import { elements, type Value } from '#core/onnx/graph.ts';
import { concat, reshape, rotary, split, transpose } from '#core/onnx/ops.ts';
import { createNodeEngine } from '../../testing/engine-ort-node.ts';
import { slotPositions } from '../prefix-rows.ts';
import { ropeTables } from '../tables.ts';
import { graphKit, groupedAttention, groupedCachedAttention, turnedParts, type GraphKit } from './kit.ts';

// As SmolVLA has them: 15 query heads over 5 key heads, of 8 numbers here and not of 64.
const [GROUP, KV_HEADS, SIZE] = [3, 5, 8];
const KV = KV_HEADS * SIZE;

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine();
});
afterAll(() => engine.dispose());

async function compute(inputs: Readonly<Record<string, HostTensor>>, write: (kit: GraphKit, values: Readonly<Record<string, Value>>) => Readonly<Record<string, Value>>): Promise<ReadonlyMap<string, Float32Array>> {
  const kit = graphKit('test', { info: { name: 'none' }, tensors: [] as PackManifest['tensors'] } as PackManifest, engine.provider);
  const values: Record<string, Value> = {};
  for (const [name, { type, dims }] of Object.entries(inputs)) values[name] = kit.g.input(name, type, dims);
  const written = write(kit, values);
  for (const [name, value] of Object.entries(written)) kit.g.output(name, value);
  const session = await engine.createSession({ name: 'test', model: kit.g.build(), weights: [] });
  const found = await session.run(inputs, Object.fromEntries(Object.keys(written).map((name) => [name, 'host' as const])));
  await session.dispose();
  return new Map(Object.entries(found).map(([name, { data }]) => [name, data as Float32Array]));
}

function noise(seed: number, ...dims: number[]): HostTensor {
  return { type: 'float32', dims, data: normalNoise(seed, elements(dims)) };
}

it('queries and keys turned in one go with the values equal each turned by itself, and the values stay as they are, bit for bit', async () => {
  const rows = 7;
  const tables = ropeTables(40, SIZE);
  const positions = BigInt64Array.from([0, 1, 1, 39, 4, 5, 17], BigInt);
  const inputs: Record<string, HostTensor> = {
    qkv: noise(1, 1, rows, (GROUP + 2) * KV),
    positions: { type: 'int64', dims: [1, rows], data: positions },
    slots: { type: 'int64', dims: [rows, GROUP + 2], data: slotPositions(positions, GROUP) },
    cos: { type: 'float32', dims: [40, SIZE / 2], data: tables.cos },
    sin: { type: 'float32', dims: [40, SIZE / 2], data: tables.sin },
  };
  const found = await compute(inputs, (kit, { qkv, positions: plain, slots, cos, sin }) => {
    const [q, k, v] = split(kit.g, qkv!, [GROUP * KV, KV, KV]);
    const one = turnedParts(kit, qkv!, KV, slots!, { cos: cos!, sin: sin! });
    return { q: rotary(kit.g, q!, plain!, cos!, sin!), k: rotary(kit.g, k!, plain!, cos!, sin!), v: v!, oneQ: one.q, oneK: one.k, oneV: one.v };
  });
  expect(found.get('oneQ')).toEqual(found.get('q'));
  expect(found.get('oneK')).toEqual(found.get('k'));
  expect(found.get('oneV')).toEqual(found.get('v'));
  expect(found.get('q')).not.toEqual((inputs['qkv']!.data as Float32Array).slice(0, rows * GROUP * KV));
});

it('attention to a cache and the own rows equals attention to both laid end to end, and the cache is what the keys were', async () => {
  const [before, own] = [9, 4];
  const bias = noise(5, 1, 1, own * GROUP, before + own);
  for (let i = 0; i < own * GROUP; i++) bias.data[i * (before + own) + 2] = -1e9;
  const inputs: Record<string, HostTensor> = {
    q: noise(1, 1, own, GROUP * KV),
    k: noise(2, 1, own, KV),
    v: noise(3, 1, own, KV),
    pastK: noise(4, 1, before, KV),
    pastV: noise(6, 1, before, KV),
    pastQ: noise(7, 1, before, GROUP * KV),
    pastBias: noise(8, 1, 1, before * GROUP, before),
    bias,
  };
  const found = await compute(inputs, (kit, { q, k, v, pastK, pastV, pastQ, pastBias, bias: hides }) => {
    const { g } = kit;
    const heads = (x: Value): Value => transpose(g, reshape(g, x, [1, x.dims[1]!, KV_HEADS, SIZE]), [0, 2, 1, 3]);
    const first = groupedCachedAttention(kit, pastQ!, pastK!, pastV!, KV_HEADS, pastBias!, null);
    const second = groupedCachedAttention(kit, q!, k!, v!, KV_HEADS, hides!, first.cache);
    const [keys, values] = [concat(g, [pastK!, k!], 1), concat(g, [pastV!, v!], 1)];
    return {
      first: first.attended,
      plainFirst: groupedAttention(kit, pastQ!, pastK!, pastV!, KV_HEADS, pastBias!),
      last: second.attended,
      plainLast: groupedAttention(kit, q!, keys, values, KV_HEADS, hides!),
      allK: second.cache.k,
      plainK: heads(keys),
      allV: second.cache.v,
      plainV: heads(values),
    };
  });
  for (const [ours, plain] of [['allK', 'plainK'], ['allV', 'plainV']] as const) expect(found.get(ours)).toEqual(found.get(plain));
  for (const [ours, plain] of [['first', 'plainFirst'], ['last', 'plainLast']] as const) {
    const expected = found.get(plain)!;
    expect(found.get(ours)!.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)).toBeLessThan(1e-6);
    expect(expected.some((value) => Math.abs(value) > 0.1)).toBe(true);
  }
});
