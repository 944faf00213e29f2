/** A dataset read from the Hub, against a server that answers as it does: only what is needed, by ranges, and told when it goes wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { asFailure } from '#core/lib/failure.ts';
import { openDataset } from '#core/recording/read.ts';
import { type FakeHub, startFakeHub } from '../../tools/fake-hub/fake-hub.ts';
import { hubTree } from './hub-tree.ts';

const ROOT = join(import.meta.dirname, '../../src/core/recording/testing/lerobot');
const VIDEO = 'videos/observation.images.front/chunk-000/file-000.mp4';
/** As large as a real one: more than two blocks of what is fetched at once. */
const LONG = Uint8Array.from({ length: 9_000_000 }, (_, i) => (i * 7) % 251);

let hub: FakeHub | null = null;
const pauses: number[] = [];
beforeEach(async () => {
  hub ??= await startFakeHub();
  const files = readdirSync(ROOT, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  hub.models.set('datasets/anna/waves', { files: new Map([...files.map((entry): [string, Uint8Array] => [relative(ROOT, join(entry.parentPath, entry.name)), new Uint8Array(readFileSync(join(entry.parentPath, entry.name)))]), [VIDEO, LONG]]) });
  hub.log.length = 0;
  pauses.length = 0;
});
afterAll(() => hub?.close());

const tree = (name: string) => hubTree(name, { hubUrl: hub?.url ?? '', pause: async (ms) => void pauses.push(ms) });
const codeOf = (work: Promise<unknown>) => work.then(() => null, (thrown: unknown) => asFailure(thrown));

test.each(['anna/waves', 'datasets/anna/waves', 'https://huggingface.co/datasets/anna/waves/tree/main'])('%s is read at one commit, and no video before it is looked at', async (name) => {
  const open = await openDataset(await tree(name));
  expect(open.name).toBe('anna/waves');
  expect(open.episodes.map(({ task, rows }) => [task, rows])).toEqual([['wave 0', 45], ['wave 1', 45]]);
  const episode = await open.episode(1);
  expect([...episode.action.subarray(180, 186)]).toEqual([20 * Math.sin(2), 5, -8, 2, 110, 50].map((value) => expect.closeTo(value, 4) as number));
  expect(hub?.log.filter((line) => line.includes('.mp4'))).toEqual([]);
  expect(hub?.log.filter((line) => line.includes('/resolve/')).every((line) => /\/datasets\/anna\/waves\/resolve\/[0-9a-f]{40}\//.test(line))).toBe(true);
  const video = await open.video(episode.videos['observation.images.front']?.path ?? '');
  expect(video.size).toBe(LONG.length);
  expect(Buffer.compare(new Uint8Array(await video.arrayBuffer()), LONG)).toBe(0);
  // Its head and three blocks.
  expect(hub?.log.filter((line) => line.startsWith('GET /storage/') && line.includes('bytes='))).toHaveLength(4);
});

test('a busy Hub is waited for; a dataset that is not there, a bad name and a file that changes are told', async () => {
  hub?.listFaults.push({ kind: 'status', status: 503 });
  expect((await openDataset(await tree('anna/waves'))).episodes).toHaveLength(2);
  expect(pauses).toHaveLength(1);
  expect(await codeOf(tree('anna/cubes'))).toMatchObject({ code: 'hub/not-allowed' });
  expect(await codeOf(tree('anna'))).toMatchObject({ code: 'hub/name' });
  // A model is no dataset.
  hub?.models.set('anna/model', { files: new Map() });
  expect(await codeOf(tree('anna/model'))).toMatchObject({ code: 'hub/not-allowed' });
  const open = await openDataset(await tree('anna/waves'));
  const { videos } = await open.episode(0);
  // The head, then a block of another file.
  hub?.faults.push({ kind: 'cut', afterBytes: 0 });
  hub?.faults.push({ kind: 'changed' });
  hub?.faults.push({ kind: 'changed' });
  expect(await codeOf(open.video(videos['observation.images.front']?.path ?? ''))).toMatchObject({ code: 'dataset/invalid', facts: { file: VIDEO } });
});
