/**
 * Damaged SmolVLA checkpoints through the whole door: files, header, configs, processors, tokenizer, recipe, converter, in
 * every precision. Each must end in a failure with a code that names the fault, or in a pack whose every number is finite
 * and whose tokenizer, if it brings one, reads a sentence or says why not. 150 rounds here; the long form is
 *
 *   FUZZ_ROUNDS=5000 npx vitest run --project unit tools/policy/fuzz.test.ts
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { memoryFiles } from '#core/conversion/checkpoint-files.ts';
import { PRECISIONS } from '#contracts/policy.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import { memoryStore } from '#core/conversion/store.ts';
import { FailureError } from '#core/lib/failure.ts';
import { type Random, seededRandom } from '#core/lib/random.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';

const SET = fileURLToPath(new URL('../../src/core/policy/testing/golden/self-attention', import.meta.url));
const TOKENIZER = fileURLToPath(new URL('../../public/policies/pocket/tokenizer', import.meta.url));
const CHECKPOINT_FILES = readdirSync(SET).filter((file) => !['case.safetensors', 'expected.safetensors', 'mid.safetensors'].includes(file));

/** Values that configs are hit with: too small, too large, of the wrong kind, almost right. */
const ODD_VALUES: readonly unknown[] = [null, -1, 0, 1, 2, 3, 7, 0.5, 1e9, 1e308, true, '', 'MEAN_STD', 'smolvla', [], {}, [64, 64], '../x', '__proto__'];

const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 150);
/** Set by the caps on headers, JSON and statistics; the set itself is 1 MB. */
const MOST_GROWTH_BYTES = 400e6;

it(`${ROUNDS} damaged checkpoints each end in a typed failure or a finite pack`, { timeout: 60_000 + ROUNDS * 600 }, async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_102);
  console.log(`fuzz seed ${seed} (FUZZ_SEED to repeat)`);
  const random = seededRandom(seed);
  const sound = new Map(CHECKPOINT_FILES.map((file): [string, Uint8Array] => [file, new Uint8Array(readFileSync(join(SET, file)))]));
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) sound.set(`tokenizer/${file}`, new Uint8Array(readFileSync(join(TOKENIZER, file))));
  const names = [...sound.keys()];
  const before = process.memoryUsage.rss();
  const ends = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const file = names[random.index(names.length)]!;
    const precision = PRECISIONS[random.index(PRECISIONS.length)]!;
    const damaged = new Map(sound).set(file, damage(file, sound.get(file) ?? new Uint8Array(), random));
    const store = memoryStore();
    const end = await convertIntoStore({ files: memoryFiles('fuzz', damaged), recipe: anyFamilyRecipe, precision, store, name: 'fuzz' }).then(
      () => 'converted',
      (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure.code : String(thrown)),
    );
    ends.set(end, (ends.get(end) ?? 0) + 1);
    if (end !== 'converted') {
      expect(end, `seed ${seed}, round ${round}, ${file}`).toMatch(/^checkpoint\//);
      continue;
    }
    const pack = await store.open('fuzz');
    const read = await openTokenizer(pack.manifest.tokenizer).then(
      (tokenize) => tokenize('pick up the red cube', { ending: '\n', maxTokens: 48, padding: 'longest', truncation: 'on' }).ids.length > 0,
      (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure.code : String(thrown)),
    );
    expect(String(read), `seed ${seed}, round ${round}, ${file}`).toMatch(/^(?:true|policy\/|checkpoint\/)/);
    for (const { name, shape } of pack.manifest.tensors) {
      const values = await pack.tensor(name);
      expect(values.length).toBe(shape.reduce((product, size) => product * size, 1));
      expect(values.every(Number.isFinite), name).toBe(true);
    }
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_GROWTH_BYTES);
  // The damage must reach both outcomes and several doors, or this test tests nothing.
  expect(ends.get('converted') ?? 0).toBeGreaterThan(10);
  expect(ends.size).toBeGreaterThan(4);
});

function damage(file: string, bytes: Uint8Array, random: Random): Uint8Array {
  if (file.endsWith('.json') && random.uniform() < 0.8) return damageJson(bytes, random);
  const out = bytes.slice();
  // Headers are what can lie; a flipped weight is only another weight.
  const reach = Math.min(out.length, random.uniform() < 0.8 ? 12_000 : out.length);
  for (let n = 0; n <= random.index(4); n++) out[random.index(reach)] = random.uniform() < 0.5 ? random.index(256) : '0123456789-[]{},:"'.charCodeAt(random.index(18));
  return random.uniform() < 0.15 ? out.subarray(0, random.index(out.length)) : out;
}

/** Replaces, removes or adds one value somewhere in the tree. */
function damageJson(bytes: Uint8Array, random: Random): Uint8Array {
  const root: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const holder = value as Record<string, unknown>;
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      visit(holder[key]);
    }
  };
  visit(root);
  const { holder, key } = places[random.index(places.length)];
  const kind = random.index(3);
  if (kind === 0) delete holder[key];
  else if (kind === 1) holder[key] = ODD_VALUES[random.index(ODD_VALUES.length)];
  else holder[`${key}_`] = holder[key];
  return new TextEncoder().encode(JSON.stringify(root));
}
