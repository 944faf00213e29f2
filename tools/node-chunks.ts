/**
 * Chunks of the policy that ships with the page on onnxruntime-node, of one made-up observation with the sample sizes: for benches that
 * compare with it, or want a processor to do what it does while an arm moves. Knows no browser and no arm.
 */
import { resolve } from 'node:path';
import type { Precision } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { normalNoise, seededRandom } from '#core/lib/random.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { createNodeEngine } from './engine-ort-node.ts';
import { folderFiles } from './policy/folder.ts';

export interface NodeChunks {
  /** Every one looks anew: what was seen of the same pictures before is forgotten. */
  compute(): Promise<void>;
  dispose(): Promise<void>;
}

export async function openNodeChunks(options: { readonly threads: number; readonly precision: Precision }): Promise<NodeChunks> {
  const store = memoryStore();
  const { storedName } = await convertIntoStore({ files: folderFiles(resolve(import.meta.dirname, '../public/policies/pocket')), recipe: anyFamilyRecipe, precision: options.precision, store, name: 'pocket' });
  const pack = await store.open(storedName);
  const engine = await createNodeEngine({ threads: options.threads });
  const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() } });
  const { info } = policy;
  const random = seededRandom(1);
  const pictures = new Map(info.cameras.map(({ robotKey, width, height }) => [robotKey, { width, height, channels: 4 as const, data: Uint8Array.from({ length: width * height * 4 }, () => random.index(256)) }]));
  const { ids, mask } = (await openTokenizer(pack.manifest.tokenizer))(info.sentences[0] ?? 'pick up the red cube', policy.text);
  const state = Float32Array.from({ length: info.stateSize }, () => random.between(-20, 20));
  const request = { pictures, state, tokens: ids, tokenMask: mask, noise: normalNoise(1, info.chunkRows * policy.noiseColumns) };
  return {
    async compute() {
      policy.forget();
      await policy.predictChunk(request);
    },
    dispose: () => engine.dispose(),
  };
}
