/**
 * A conversion into a folder on disk, interrupted three times at random points in four ways: the network goes, the person
 * cancels, the disk is full, the process is killed (nothing is cleaned up; another store object finds the folder). Then it
 * finishes, and every file equals those of a conversion that nothing disturbed. 12 rounds here; more with
 *
 *   RESUME_ROUNDS=200 npx vitest run --project unit tools/policy/resume.test.ts
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PRECISIONS } from '#contracts/policy.ts';
import type { CheckpointFiles } from '#core/conversion/checkpoint-files.ts';
import { convertIntoStore } from '#core/conversion/convert.ts';
import type { PackStore } from '#core/conversion/store.ts';
import { FailureError } from '#core/lib/failure.ts';
import { seededRandom } from '#core/lib/random.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import { folderFiles } from './folder.ts';
import { folderStore } from './folder-store.ts';

const SET = fileURLToPath(new URL('../../src/core/policy/testing/golden/self-attention', import.meta.url));
const ROUNDS = Number(process.env['RESUME_ROUNDS'] ?? 12);
const NAME = 'folder/resumed';
/** The set holds 1 MB: some ten parts. */
const PART_BYTES = 100_000;

const WAYS = ['network', 'cancel', 'full', 'killed'] as const;
type Way = (typeof WAYS)[number];
const CODES: Readonly<Record<Way, string>> = { network: 'download/failed', cancel: 'download/cancelled', full: 'store/full', killed: 'killed' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resume-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The checkpoint and the store, with one thing that goes wrong after `calls` reads or writes. */
function disturbed(way: Way, calls: number, store: PackStore): { readonly files: CheckpointFiles; readonly store: PackStore; readonly signal: AbortSignal } {
  const abort = new AbortController();
  let left = calls;
  const files = folderFiles(SET);
  const died = (): FailureError => new FailureError(way === 'full' ? 'store/full' : 'download/failed', way === 'full' ? { neededBytes: 1, freeBytes: 0 } : { url: 'x', status: null });
  return {
    signal: abort.signal,
    files: {
      ...files,
      open: async (name) => {
        const large = await files.open(name);
        if (large === null) return null;
        return {
          ...large,
          read: async (offset, length) => {
            if (way !== 'full' && left-- <= 0) {
              if (way === 'network') throw died();
              if (way === 'killed') throw new Error('killed');
              abort.abort();
            }
            return large.read(offset, length);
          },
        };
      },
    },
    store: {
      ...store,
      createFile: async (name) => {
        const writer = await store.createFile(name);
        return {
          write: async (bytes) => {
            if (way === 'full' && left-- <= 0) {
              await writer.write(bytes.subarray(0, bytes.length >> 1));
              throw died();
            }
            await writer.write(bytes);
          },
          keep: (sha256) => writer.keep(sha256),
          // A killed process cleans nothing up.
          discard: async () => (way === 'killed' ? undefined : writer.discard()),
        };
      },
    },
  };
}

function contentsOf(root: string): Map<string, Buffer> {
  return new Map(readdirSync(join(root, 'contents')).map((file): [string, Buffer] => [file, readFileSync(join(root, 'contents', file))]));
}

it(`${ROUNDS} conversions, each interrupted three times, end with the bytes of an undisturbed one`, { timeout: 120_000 + ROUNDS * 5_000 }, async () => {
  const seed = Number(process.env['RESUME_SEED'] ?? 20_261_121);
  console.log(`resume seed ${seed} (RESUME_SEED to repeat)`);
  const random = seededRandom(seed);
  const ended = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const precision = PRECISIONS[random.index(PRECISIONS.length)]!;
    const request = { recipe: anyFamilyRecipe, precision, name: NAME, partBytes: PART_BYTES };
    const calm = join(folder, `${round}-calm`);
    const expected = await convertIntoStore({ ...request, files: folderFiles(SET), store: folderStore(calm) });
    const root = join(folder, `${round}-disturbed`);
    let kept = 0;
    for (let time = 0; time < 3; time++) {
      const way = WAYS[random.index(WAYS.length)]!;
      const where = `seed ${seed}, round ${round}, ${precision}, ${way}`;
      // The headers take two reads; the set has 60 tensors or so. Where it came through, nothing is left to interrupt.
      const parts = disturbed(way, 2 + random.index(40), folderStore(root));
      const end = await convertIntoStore({ ...request, ...parts }).then(
        () => 'finished',
        (thrown: unknown) => (thrown instanceof FailureError ? thrown.failure.code : thrown instanceof Error ? thrown.message : String(thrown)),
      );
      ended.set(end, (ended.get(end) ?? 0) + 1);
      if (end === 'finished') break;
      expect(end, where).toBe(CODES[way]);
      // Not there for anybody who asks, listed as begun, and never fewer finished parts than before.
      const after = folderStore(root);
      expect(await after.find(NAME), where).toBeNull();
      const finished = (await after.journal(NAME))?.files.length ?? 0;
      expect(finished, where).toBeGreaterThanOrEqual(kept);
      kept = finished;
    }
    const result = await convertIntoStore({ ...request, files: folderFiles(SET), store: folderStore(root) });
    expect(result.storedName).toBe(expected.storedName);
    expect((await folderStore(root).open(NAME)).manifest).toEqual((await folderStore(calm).open(NAME)).manifest);
    const [ours, theirs] = [contentsOf(root), contentsOf(calm)];
    expect([...ours.keys()].toSorted()).toEqual([...theirs.keys()].toSorted());
    // Not toEqual: it looks at a megabyte byte by byte, slowly.
    for (const [file, bytes] of theirs) expect(ours.get(file)?.equals(bytes), `round ${round}, ${file}`).toBe(true);
  }
  console.log([...ended].map(([end, times]) => `${end} ${times}`).join(', '));
  // Each way happened, or this proved less than it says.
  for (const way of WAYS) expect(ended.get(CODES[way]) ?? 0, way).toBeGreaterThan(0);
});
