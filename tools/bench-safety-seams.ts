/**
 * How far the first row of a new action chunk is from what the old chunk had for the same moment, with each way of joining
 * them, for the shipped policy on the CPU: pictures and joints differ between chunks, and each has noise of its own. Degrees
 * of the joint that differs most. The step from row to row inside a chunk is given beside it: below that a seam does not
 * show.
 *
 *   npx tsx tools/bench-safety-seams.ts [--chunks 20] [--out evidence/seams.md]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AGGREGATES } from '#contracts/control.ts';
import type { Picture } from '#contracts/picture.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { aggregateRows } from '#core/chunks/aggregate.ts';
import { guideVelocity, padLeftover } from '#core/chunks/real-time-chunking.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { normalNoise, seededRandom } from '#core/lib/random.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { anyFamilyRecipe, loadPolicy } from '#core/policy/family.ts';
import { createNodeEngine } from './engine-ort-node.ts';
import { folderFiles } from './policy/folder.ts';

const { values } = parseArgs({ options: { chunks: { type: 'string', default: '20' }, policy: { type: 'string', default: 'public/policies/pocket' }, out: { type: 'string' } } });
const root = join(import.meta.dirname, '..');
const folder = join(root, values.policy);
if (!existsSync(folder)) throw new Error(`no checkpoint at ${folder}`);
const store = memoryStore();
const { storedName } = await convertIntoStore({ files: folderFiles(folder), recipe: anyFamilyRecipe, precision: 'f32', store, name: 'policy' });
const pack = await store.open(storedName);
const engine = await createNodeEngine();
const policy = await loadPolicy(pack, engine, { letterbox, clock: { nowMs: () => performance.now() } });
const { info } = policy;
const tokenizer = pack.manifest.tokenizer;
if (tokenizer === null) throw new Error('the policy has no tokenizer');
const { ids, mask } = (await openTokenizer(tokenizer))('pick up the red cube', policy.text);
/** The row at which the next chunk was asked for, and the rows played until it came. */
const ASKED_AT = Math.min(15, Math.floor(info.chunkRows / 2));
const DELAY = 4;
const chunks = Number(values.chunks);
const random = seededRandom(9);

const seams = new Map<string, number[]>([...AGGREGATES, 'real-time chunking'].map((name) => [name, []]));
const inside: number[] = [];
let before: { readonly rows: readonly Float32Array[]; readonly x0: Float32Array } | null = null;
for (let k = 0; k < chunks; k++) {
  const request = { pictures: pictures(k), state: Float32Array.from({ length: info.stateSize }, (_, i) => 10 * Math.sin(k / 3 + i)), tokens: ids, tokenMask: mask, noise: normalNoise(k, info.chunkRows * policy.noiseColumns) };
  const plain = await policy.predictChunk(request);
  if (before !== null) {
    // Rows up to DELAY have passed when the new chunk is there; its row DELAY is the first one played.
    inside.push(...before.rows.slice(1).map((row, i) => jump(row, before?.rows[i] ?? row)));
    const oldNext = before.rows[ASKED_AT + DELAY] as Float32Array;
    for (const how of AGGREGATES) seams.get(how)?.push(jump(oldNext, aggregateRows(how, oldNext, rowsOf(plain.actions)[DELAY] as Float32Array)));
    const wide = before.x0.length / info.chunkRows;
    const left: number[] = [];
    for (let row = ASKED_AT; row < info.chunkRows; row++) left.push(...before.x0.subarray(row * wide, row * wide + info.actionSize));
    const leftover = padLeftover(Float32Array.from(left), info.actionSize, policy.noiseColumns);
    const guided = await policy.predictChunk({ ...request, guide: (step) => guideVelocity(step, leftover, { horizon: 10, delay: DELAY, schedule: 'LINEAR', maxWeight: Math.min(10, info.denoisingSteps) }) });
    seams.get('real-time chunking')?.push(jump(oldNext, rowsOf(guided.actions)[DELAY] as Float32Array));
  }
  before = { rows: rowsOf(plain.actions), x0: plain.x0 };
}
await policy.dispose();
await engine.dispose();

const figure = (list: readonly number[], share: number): number => list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? Number.NaN;
const widest = Math.max(...[...seams.values()].map((list) => figure(list, 0.5)));
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
const text = `# The jump at the seam of two chunks

\`npx tsx tools/bench-safety-seams.ts --chunks ${chunks}\`, commit ${commit}, ${new Date().toISOString().slice(0, 16)}Z, policy ${values.policy} (${info.training.kind}),
${chunks - 1} seams. Degrees of the joint that differs most between the first row played of the new chunk and the old chunk's row for the
same moment; each chunk has its own noise, pictures and joints. From row to row inside a chunk this policy itself steps
${figure(inside, 0.5).toFixed(2)} (p50), ${figure(inside, 0.95).toFixed(2)} (p95) degrees.

| joined by | p50 | p95 | largest | |
|---|---|---|---|---|
${[...seams].map(([name, list]) => `| ${name} | ${figure(list, 0.5).toFixed(2)} | ${figure(list, 0.95).toFixed(2)} | ${figure(list, 1).toFixed(2)} | ${'█'.repeat(Math.max(1, Math.round((24 * figure(list, 0.5)) / widest)))} |`).join('\n')}
`;
console.log(text);
if (values.out !== undefined) writeFileSync(join(root, values.out), text);

function rowsOf(actions: Float32Array): Float32Array[] {
  return Array.from({ length: info.chunkRows }, (_, row) => actions.slice(row * info.actionSize, (row + 1) * info.actionSize));
}

function jump(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs((b[i] as number) - value)), 0);
}

/** Smooth patches that move a little from chunk to chunk: what a camera on a moving arm sees, as far as a policy without training cares. */
function pictures(k: number): ReadonlyMap<string, Picture> {
  return new Map(
    info.cameras.map(({ robotKey, width, height }): [string, Picture] => {
      const shift = 3 * k + random.between(-1, 1);
      const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
        const x = (i / 4) % width;
        const y = Math.floor(i / 4 / width);
        return i % 4 === 3 ? 255 : 128 + 100 * Math.sin((x + shift) / 17 + (i % 4)) * Math.cos((y - shift) / 23);
      });
      return [robotKey, { width, height, channels: 4, data }];
    }),
  );
}
