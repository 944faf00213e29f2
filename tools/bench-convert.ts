/**
 * Conversion of a full-size checkpoint, measured beside a plain copy of the same bytes:
 *
 *   npm run bench:convert -- FOLDER [--precision q4] [--store DIR]       FOLDER: from tools/make-full-size.ts
 *
 * Prints seconds and MB/s of source bytes for each step, the pack's size, and the most memory the process ever held.
 */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PRECISIONS } from '#contracts/policy.ts';
import { openCheckpoint } from '#core/conversion/checkpoint.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { encode } from '#core/conversion/encode.ts';
import { sha256 } from '#core/conversion/sha256.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import { folderFiles } from './policy/folder.ts';
import { folderStore } from './policy/folder-store.ts';

const { positionals, values: options } = parseArgs({ allowPositionals: true, options: { precision: { type: 'string', default: 'q4' }, store: { type: 'string' } } });
const [folder] = positionals;
const precision = PRECISIONS.find((one) => one === options.precision);
if (folder === undefined || precision === undefined) {
  console.error(`say which: npm run bench:convert -- FOLDER [--precision ${PRECISIONS.join('|')}] [--store DIR]`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), 'bench-convert-'));
const weights = join(folder, 'model.safetensors');
const fileBytes = statSync(weights).size;
const line = (what: string, bytes: number, seconds: number): void => console.log(`${what.padEnd(44)} ${(bytes / 1e6).toFixed(0).padStart(5)} MB  ${seconds.toFixed(1).padStart(6)} s  ${(bytes / 1e6 / seconds).toFixed(0).padStart(5)} MB/s`);
const timed = async (work: () => unknown): Promise<number> => {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
};

try {
  line('copy of the file', fileBytes, await timed(() => copyFileSync(weights, join(scratch, 'copy'))));
  rmSync(join(scratch, 'copy'));

  const checkpoint = await openCheckpoint(folderFiles(folder));
  const { tensors } = await anyFamilyRecipe.plan(checkpoint.view, precision);
  const sources = [...new Set(tensors.flatMap((tensor) => tensor.sources))];
  const needed = sources.reduce((sum, source) => sum + checkpoint.bytesOf(source), 0);
  const slab = 1024 * 1024;
  line('read what is needed, to float32', needed, await timed(async () => {
    for (const source of sources) for (let at = 0; at < checkpoint.countOf(source); at += slab) await checkpoint.readNumbers(source, at, Math.min(slab, checkpoint.countOf(source) - at));
  }));
  const sample = await checkpoint.readNumbers(sources.find((source) => checkpoint.countOf(source) >= 16 * slab)!, 0, 16 * slab);
  for (const bits of [8, 4] as const) line(`a sample in blocks of 32 with ${bits} bits (as bf16)`, 2 * sample.length, await timed(() => encode({ kind: 'blocks', bits, block: 32 }, sample)));
  const bytes = new Uint8Array(sample.buffer);
  line('sha-256 of a sample', bytes.length, await timed(() => {
    const hash = sha256();
    hash.update(bytes);
    hash.hex();
  }));

  const store = folderStore(options.store ?? join(scratch, 'store'));
  let packBytes = 0;
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const seconds = await timed(async () => {
    packBytes = (await convertIntoStore({ files: folderFiles(folder), recipe: anyFamilyRecipe, precision, store, name: 'full-size', onProgress: () => (peak = Math.max(peak, process.memoryUsage.rss())) })).bytes;
  });
  clearInterval(watch);
  line(`the whole conversion to ${precision}`, needed, seconds);
  console.log(`pack ${(packBytes / 1e6).toFixed(1)} MB; most memory of the process while converting ${(peak / 1e6).toFixed(0)} MB, ever ${(process.resourceUsage().maxRSS / 1e3).toFixed(0)} MB`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
