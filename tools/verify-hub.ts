/**
 * A published checkpoint, tried out, for a person with a network:
 *
 *   npm run verify:hub -- user/model[@revision] [--precision q4] [--keep DIR]        HF_TOKEN: for private and gated ones
 *
 * Inspects it, checks it against the simulated arm, converts it, runs a chunk and prints what the precision costs. The
 * weights are read once more as a whole to compare them with the hash the Hub states.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PRECISIONS } from '#contracts/policy.ts';
import { inspectCheckpoint } from '#core/conversion/convert.ts';
import { hubFiles, readHubName } from '#core/conversion/hub-files.ts';
import { asFailure } from '#core/lib/failure.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import { preflight, standsAgainst } from '#core/preflight/preflight.ts';
import { failureWords } from '#page/words/failures.ts';
import { preflightWords } from '#page/words/models.ts';
import { folderStore } from './policy/folder-store.ts';
import { parityLines } from './policy/parity.ts';

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { precision: { type: 'string', default: 'q4' }, keep: { type: 'string' }, hub: { type: 'string' } },
});
const precision = PRECISIONS.find((one) => one === options.precision);
if (positionals[0] === undefined || precision === undefined) {
  console.error(`say which: npm run verify:hub -- user/model[@revision] [--precision ${PRECISIONS.join('|')}] [--keep DIR]`);
  process.exit(2);
}
const scratch = options.keep ?? mkdtempSync(join(tmpdir(), 'verify-hub-'));
try {
  const store = folderStore(scratch);
  const files = await hubFiles(readHubName(positionals[0]), { token: process.env['HF_TOKEN'] ?? null, ...(options.hub === undefined ? {} : { hubUrl: options.hub }) });
  const base = async (name: string) => hubFiles(readHubName(name), { token: process.env['HF_TOKEN'] ?? null });
  const report = await inspectCheckpoint({ files, recipe: anyFamilyRecipe, precision, store, name: 'verify', base });
  const { info } = report;
  console.log(`${files.source} at ${files.commit}`);
  console.log(`${(info.parameterCount / 1e6).toFixed(1)} M parameters, file ${(report.fileBytes / 1e6).toFixed(0)} MB, needed ${(report.neededBytes / 1e6).toFixed(0)} MB, pack ${(report.packBytes / 1e6).toFixed(0)} MB in ${precision}`);
  for (const { key, robotKey, width, height } of info.cameras) console.log(`camera ${key}${robotKey === key ? '' : ` (here ${robotKey})`}, ${width} x ${height}`);

  const lines = preflight({
    policy: info,
    tokenizer: report.tokenizer,
    packBytes: report.packBytes,
    stored: false,
    machine: { freeBytes: null, memoryBytes: null },
    robot: { kind: 'simulated', name: 'so100', joints: 6, fps: 30, cameras: ['front', 'wrist'].map((camera) => ({ name: `observation.images.${camera}`, size: null })) },
    wiring: {},
    units: null,
  });
  console.log('\nChecks against the simulated arm with a front and a wrist camera:');
  for (const line of lines) {
    const { said, fix } = preflightWords(line);
    console.log(`  ${{ ok: 'ok  ', note: 'note', stop: 'STOP' }[line.level]} ${said}${fix === null ? '' : ` ${fix}`}`);
  }
  console.log(standsAgainst(lines) === null ? '  nothing stands against it' : '  it would not move before the lines marked STOP are mended');

  const stated = files.sha256Of('model.safetensors');
  const weights = await files.open('model.safetensors');
  if (stated !== null && weights !== null) {
    const hash = createHash('sha256');
    const step = 4 * 1024 * 1024;
    for (let at = 0; at < weights.bytes; at += step) hash.update(await weights.read(at, Math.min(step, weights.bytes - at)));
    const found = hash.digest('hex');
    console.log(`\nsha-256 ${found} ${found === stated ? 'is what the Hub states' : `IS NOT what the Hub states (${stated})`}`);
    if (found !== stated) process.exitCode = 1;
  }
  console.log('');
  for (const line of await parityLines(files, store, precision)) console.log(line);
} catch (thrown) {
  const failure = asFailure(thrown);
  const { happened, next } = failureWords(failure, 'other');
  console.error(`${happened}\n${next}\n[${failure.code} ${JSON.stringify(failure.facts)}]`);
  process.exitCode = 1;
} finally {
  if (options.keep === undefined) rmSync(scratch, { recursive: true, force: true });
}
