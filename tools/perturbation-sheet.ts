/**
 * `tsx tools/perturbation-sheet.ts --out FILE.png [--seed 3] [--site DIR]`: every perturbation beside the picture without
 * it, to be looked at: one row each, front as shipped, front changed, wrist as shipped, wrist changed. From the built page,
 * as the policy gets them.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32, deflateSync } from 'node:zlib';
import { PERTURBATIONS, type Perturbation } from '#contracts/evaluation.ts';
import type { Picture } from '#contracts/picture.ts';
import { perturbPicture } from '#core/evaluation/perturbations.ts';
import { seededRandom } from '#core/lib/random.ts';
import { buildIfStale } from './build-state.ts';
import { openLab, type Lab } from './episodes/lab.ts';
import { serve } from './serve.ts';

const SIDE = 96;
/** Each pixel this many times as large: 96 pixels are small to look at. */
const SCALE = 2;
const { values: options } = parseArgs({ options: { out: { type: 'string' }, seed: { type: 'string', default: '3' }, site: { type: 'string' } } });
if (options.out === undefined) throw new Error('--out FILE.png says where the sheet goes');
const seed = Number(options.seed);

if (options.site === undefined) buildIfStale();
const server = await serve({ folder: options.site ?? resolve(import.meta.dirname, '../dist') });
const lab = await openLab(server.url);
try {
  await lab.choose({ kind: 'baseline', name: 'expert' }, null);
  const plain = await firstPictures(lab, 'none');
  const rows: Picture[][] = [];
  for (const perturbation of PERTURBATIONS) {
    const changed = await firstPictures(lab, perturbation);
    rows.push([plain[0], changed[0], plain[1], changed[1]] as Picture[]);
    console.log(`row ${rows.length}: ${perturbation}`);
  }
  writeFileSync(join(process.cwd(), options.out), png(rows));
} finally {
  await lab.close();
  await server.close();
}

/** Front and wrist at the first tick. Perturbations of pictures are made here, as an episode makes them for a policy. */
async function firstPictures(from: Lab, perturbation: Perturbation): Promise<readonly Picture[]> {
  const request = { task: 'touch', seed, cubes: 4, wording: 'held-out', perturbation, surroundings: 'as-shipped', instruction: 'as-asked', inferenceDelayTicks: 0, playRows: 1, injectedNoise: 0 } as const;
  const { recorded } = await from.record(request, { pictureEveryTicks: 10_000, width: SIDE, height: SIDE });
  const random = seededRandom(seed).fork('perturbation').fork('pictures');
  return ['front', 'wrist'].map((short) => {
    const data = recorded.pictures[short]?.slice(0, SIDE * SIDE * 3);
    if (data === undefined) throw new Error(`no picture of the ${short} camera`);
    return perturbPicture(perturbation, { width: SIDE, height: SIDE, channels: 3, data }, random);
  });
}

/** RGB, 8 bits, no filter. */
function png(rows: readonly (readonly Picture[])[]): Buffer {
  const width = (rows[0]?.length ?? 0) * SIDE * SCALE;
  const height = rows.length * SIDE * SCALE;
  const raw = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    const row = rows[Math.floor(y / (SIDE * SCALE))] ?? [];
    for (let x = 0; x < width; x++) {
      const picture = row[Math.floor(x / (SIDE * SCALE))];
      const from = (Math.floor((y % (SIDE * SCALE)) / SCALE) * SIDE + Math.floor((x % (SIDE * SCALE)) / SCALE)) * 3;
      for (let c = 0; c < 3; c++) raw[y * (1 + width * 3) + 1 + x * 3 + c] = picture?.data[from + c] ?? 0;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', header), chunk('IDAT', deflateSync(raw, { level: 9 })), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
