/**
 * What a chunk costs in each form of the weights on the WASM kernels, in processor time and with one thread, so that it can be
 * compared on a machine that has other work too: onnxruntime-web's CPU build as the page ships it, in Node.
 *
 *   npx tsx tools/bench-forms.ts [FOLDER] [--precisions f32,q8,int8] [--laps 15]          FOLDER: the pocket policy where absent
 *
 * Each form is measured twice, in turns.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-web/wasm';
import type { Engine } from '#contracts/engine.ts';
import { type Precision, PRECISIONS } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { ortEngine } from '#workers/inference/ort-engine.ts';
import { turnTaking } from '#workers/inference/turn-taking.ts';
import { folderFiles } from './policy/folder.ts';
import { sampleRequest } from './policy/sample-request.ts';

const { positionals, values: options } = parseArgs({ allowPositionals: true, options: { precisions: { type: 'string', default: 'f32,q8,q4,int8' }, laps: { type: 'string', default: '15' } } });
const FOLDER = resolve(positionals[0] ?? resolve(import.meta.dirname, '../public/policies/pocket'));
const LAPS = Number(options.laps);
const WARM_UP_LAPS = 2;

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';
ort.env.wasm.wasmBinary = readFileSync(createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')).buffer as ArrayBuffer;
const engine = ortEngine(ort, turnTaking(), null);
const forms = PRECISIONS.filter((one) => options.precisions.split(',').includes(one));
console.log(`onnxruntime-web ${ort.env.versions.web ?? ''} (wasm), Node ${process.version}, one thread; processor ms of a chunk, best and median of ${LAPS}`);
for (const precision of [...forms, ...forms]) await measure(engine, precision);
process.exit(0);

async function measure(on: Engine, precision: Precision): Promise<void> {
  const store = memoryStore();
  await convertIntoStore({ files: folderFiles(FOLDER), recipe: anyFamilyRecipe, precision, store, name: precision });
  const pack = await store.open(precision);
  // The whole process: there is nothing in it but this.
  const policy = await loadPolicy(pack, on, { letterbox, clock: { nowMs: () => process.cpuUsage().user / 1000 } });
  const request = await sampleRequest(pack, policy);
  const laps = [];
  for (let lap = -WARM_UP_LAPS; lap < LAPS; lap++) {
    policy.forget();
    const { timings } = await policy.predictChunk(request);
    if (lap >= 0) laps.push(timings);
  }
  await policy.dispose();
  laps.sort((a, b) => a.totalMs - b.totalMs);
  const { totalMs, visionMs, prefixMs, denoiseMs } = laps[Math.floor(laps.length / 2)]!;
  console.log(`${precision.padEnd(6)} ${laps[0]!.totalMs.toFixed(1).padStart(9)} ${totalMs.toFixed(1).padStart(9)}   (pictures ${visionMs.toFixed(1)}, prefix ${prefixMs.toFixed(1)}, steps ${denoiseMs.toFixed(1)})`);
}
