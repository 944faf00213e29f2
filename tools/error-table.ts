/**
 * Every fast form against the float32 reference, in one table:
 *
 *   npx tsx tools/error-table.ts                                           weights, on the CPU
 *   node --liftoff-only --import tsx tools/error-table.ts --gpu vulkan     and activations in float16, on a GPU that has them
 *
 * `--sets base,self-attention` computes these alone, and leaves the pocket policy out.
 *
 * A golden set's x0 (normalised) against LeRobot's own; the pocket policy's joints (degrees, gripper in percent) against its
 * float32 self on the sample observation. `--gpu` names Dawn's backend. Mesa's lavapipe (25 or later) will do: VK_DRIVER_FILES
 * names its file. Random weights and layers of 32 to 192 columns: rounding averages out less in these sets than in SmolVLA.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Engine } from '#contracts/engine.ts';
import type { Precision } from '#contracts/policy.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { compareChunks } from '#core/evaluation/parity.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import type { LoadOptions, PolicyChunk } from '#core/policy/policy.ts';
import { readGolden } from '../src/core/policy/testing/golden-files.ts';
import { GOLDEN_CASES } from '../src/core/policy/testing/golden-sets.ts';
import { precisionError } from '../src/core/policy/testing/golden-suite.ts';
import { createNodeEngine } from './engine-ort-node.ts';
import { folderFiles } from './policy/folder.ts';
import { sampleRequest } from './policy/sample-request.ts';

const { values: options } = parseArgs({ options: { gpu: { type: 'string' }, sets: { type: 'string', default: '' } } });
const sets = GOLDEN_CASES.filter(({ name }) => options.sets === '' || options.sets.split(',').includes(name));
const POCKET = resolve(import.meta.dirname, '../public/policies/pocket');

interface Form {
  readonly name: string;
  readonly precision: Precision;
  readonly activations: NonNullable<LoadOptions['activations']>;
  readonly engine: Engine;
}

const cpu = await createNodeEngine();
const forms: Form[] = (['f16', 'q8', 'q4', 'int8'] as const).map((precision) => ({ name: precision, precision, activations: 'float32', engine: cpu }));
if (options.gpu !== undefined) {
  const engine = await openGpu(options.gpu);
  // On the GPU alone: what the CPU says of its forms, it says without this option.
  forms.splice(0, forms.length, { name: 'q8, on the GPU', precision: 'q8', activations: 'float32', engine });
  for (const precision of ['q8', 'q4'] as const) forms.push({ name: `${precision}, float16 between`, precision, activations: 'float16', engine });
}

row('x0 off by, cosine', forms.map(({ name }) => name));
row('---', forms.map(() => '---'));
for (const golden of sets) {
  const cells: string[] = [];
  for (const { precision, activations, engine } of forms) {
    const { largest, cosine } = await precisionError(golden, engine, readGolden, precision, activations);
    cells.push(`${largest.toExponential(1)}, ${cosine.toFixed(6)}`);
  }
  row(golden.name, cells);
}
if (options.sets !== '') process.exit(0);
const reference = await pocketChunk({ name: 'f32', precision: 'f32', activations: 'float32', engine: cpu });
const pocket: string[] = [];
for (const form of forms) {
  const { joints, x0 } = compareChunks(await pocketChunk(form), reference, 6);
  pocket.push(`${Math.max(...joints.map(({ largest }) => largest)).toFixed(3)} (mean ${Math.max(...joints.map(({ mean }) => mean)).toFixed(3)}), ${x0.cosine.toFixed(6)}`);
}
row('pocket, joint units', pocket);
// Dawn keeps threads of its own.
process.exit(0);

function row(first: string, cells: readonly string[]): void {
  console.log(`| ${[first, ...cells].join(' | ')} |`);
}

async function pocketChunk({ precision, activations, engine }: Form): Promise<PolicyChunk> {
  const store = memoryStore();
  await convertIntoStore({ files: folderFiles(POCKET), recipe: anyFamilyRecipe, precision, store, name: precision });
  const pack = await store.open(precision);
  const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() }, activations });
  try {
    return await policy.predictChunk(await sampleRequest(pack, policy));
  } finally {
    await policy.dispose();
  }
}

/** Without subgroups, as the page opens a device whose attention failed the self-test. */
async function openGpu(backend: string): Promise<Engine> {
  const { openDawn } = await import('./dawn.ts');
  const { openGpuDevice } = await import('#workers/inference/gpu-device.ts');
  const runtime = openDawn([`backend=${backend}`]);
  const gpu = await openGpuDevice('without-subgroups');
  const { vendor, architecture, description } = gpu.adapter;
  console.log(`GPU: ${[vendor, architecture, description].filter((one) => one !== '').join(', ')}; ${gpu.features.join(' ')}; onnxruntime-web ${runtime.version}\n`);
  if (!gpu.features.includes('shader-f16')) throw new Error('this GPU has no shader-f16');
  return runtime.webgpuEngine(gpu);
}
