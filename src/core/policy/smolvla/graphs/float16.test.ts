/**
 * What the graphs say when float16 stands between their products. No CPU provider runs them: their numbers are measured on a GPU
 * (`tools/error-table.ts --gpu`); here is held what they are made of.
 */
import { expect, it } from 'vitest';
import type { PackManifest } from '#contracts/pack.ts';
import { layOut } from '#core/conversion/pack.ts';
import { decodeModel, type OnnxModel } from '#core/onnx/model.ts';
import { anyFamilyRecipe } from '../../family.ts';
import { BASE_CONFIG, viewOf } from '../../testing/smolvla-base.ts';
import { prefixShape } from '../prefix-rows.ts';
import { readSettings } from '../settings.ts';
import { prefixGraph } from './prefix.ts';
import { visionGraph } from './vision.ts';

async function graphs(activations: 'float32' | 'float16'): Promise<readonly OnnxModel[]> {
  const plan = await anyFamilyRecipe.plan(viewOf({ 'config.json': BASE_CONFIG }), 'q8');
  const manifest = { info: plan.info, tensors: layOut(plan.tensors) } as unknown as PackManifest;
  const settings = readSettings('base', plan.settings);
  const vision = visionGraph(settings, manifest, 'webgpu', 'none', activations);
  const prefix = prefixGraph(settings, prefixShape(settings, 2), null, manifest, 'webgpu', 'none', activations);
  return [vision, prefix].map(decodeModel);
}

/** Casts that give this type, by what they are of and what they give. */
function casts(graph: OnnxModel, to: number): readonly { readonly of: string; readonly gives: string }[] {
  return graph.nodes.filter(({ op, attributes }) => op === 'Cast' && attributes['to']?.kind === 'int' && attributes['to'].value === to).map(({ inputs, outputs }) => ({ of: inputs[0]!, gives: outputs[0]! }));
}

it('what goes in and out stays float32, and every product multiplies with scales in float16', async () => {
  for (const graph of await graphs('float16')) {
    for (const { name, type } of [...graph.inputs, ...graph.outputs]) expect(['float32', 'int64'], name).toContain(type);
    const halves = new Set(casts(graph, 10).map(({ gives }) => gives));
    const products = graph.nodes.filter(({ op }) => op === 'MatMulNBits' || op === 'MatMulNBitsMlp');
    expect(products.length).toBeGreaterThan(40);
    for (const { op, inputs, name } of products) expect(halves.has(inputs[op === 'MatMulNBits' ? 2 : 4]!), name).toBe(true);
    // Each output is widened once; nothing else is.
    expect(casts(graph, 1).length).toBe(graph.outputs.length);
    expect(graph.nodes.some(({ op }) => op === 'MatMul')).toBe(false);
  }
});

it('with float32 nothing is cast', async () => {
  for (const graph of await graphs('float32')) expect(graph.nodes.filter(({ op }) => op === 'Cast')).toEqual([]);
});
