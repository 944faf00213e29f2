/** `npm run policy -- inspect`: what a checkpoint folder holds, in lines a person can read. Reads no weight. */
import { openCheckpoint } from '#core/conversion/checkpoint.ts';
import { elementCount } from '#core/conversion/safetensors.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import { folderFiles } from './folder.ts';

/** Returns the lines to print. Rejects with a FailureError where the checkpoint cannot run here. */
export async function inspectCheckpoint(folder: string): Promise<string[]> {
  const { view, tokenizer, weightBytes } = await openCheckpoint(folderFiles(folder));
  const { info, tensors } = await anyFamilyRecipe.plan(view, 'f32');
  if (tokenizer !== null) await openTokenizer(tokenizer);
  const stored = [...elementsBy([...view.tensors.values()], ({ dtype }) => dtype)].map(([dtype, { elements }]) => `${millions(elements)} ${dtype}`);
  return [
    `policy        ${info.family}, ${millions(info.parameterCount)} parameters (${stored.join(', ')}), ${view.tensors.size} tensors, ${megabytes(weightBytes)}`,
    ...info.cameras.map(({ key, robotKey, width, height }) => `camera        ${robotKey}${robotKey === key ? '' : ` as ${key}`}, ${width} x ${height}`),
    `state         ${info.stateSize} joints`,
    `actions       ${info.chunkRows} steps of ${info.actionSize} joints, ${info.denoisingSteps} denoising steps, ${info.fps} a second`,
    `statistics    ${info.missingStatistics.length === 0 ? 'complete' : `MISSING for ${info.missingStatistics.join(', ')}: values pass unscaled, as in LeRobot, so actions may not be joint values`}`,
    `tokenizer     ${tokenizer === null ? 'none in the folder: give tokens and token_mask' : 'in the folder'}`,
    `training      ${info.training.kind}${info.training.kind === 'trained' ? `: ${info.training.summary}` : ''}`,
    ...(info.sentences.length === 0 ? [] : [`sentences     ${info.sentences.join('; ')}`]),
    ...[...elementsBy(tensors, ({ file }) => file)].map(([file, { count, elements }]) => `pack          ${file}: ${count} tensors, ${megabytes(4 * elements)} as float32`),
  ];
}

function elementsBy<T extends { readonly shape: readonly number[] }>(tensors: readonly T[], keyOf: (tensor: T) => string): Map<string, { readonly count: number; readonly elements: number }> {
  const groups = new Map<string, { readonly count: number; readonly elements: number }>();
  for (const tensor of tensors) {
    const { count, elements } = groups.get(keyOf(tensor)) ?? { count: 0, elements: 0 };
    groups.set(keyOf(tensor), { count: count + 1, elements: elements + elementCount(tensor.shape) });
  }
  return groups;
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(2)} M`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
