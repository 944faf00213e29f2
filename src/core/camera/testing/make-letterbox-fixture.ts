/**
 * Makes `letterbox.json` from golden sets computed by LeRobot's own code: each camera picture and the letterboxed
 * tensor the policy saw. Only needed when the sets change:
 *
 *   npx tsx src/core/camera/testing/make-letterbox-fixture.ts <folder with the golden sets>
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSafetensors } from '#core/conversion/safetensors.ts';

/** Set, camera as the robot names it, and its place among the set's images. Landscape, portrait, square, odd sizes. */
const CASES = [
  ['base', 'observation.images.front', 0],
  ['base', 'observation.images.wrist', 1],
  ['old-format', 'observation.images.top', 0],
  ['old-format', 'observation.images.wrist', 1],
  ['self-attention', 'observation.images.camera2', 1],
  ['self-attention', 'observation.images.camera3', 2],
  ['special-tokens', 'observation.images.camera1', 0],
] as const;

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: make-letterbox-fixture.ts <folder with the golden sets>');

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const read = (set: string, file: string) => parseSafetensors(readFileSync(join(folder, set, file)), file);

const cases = CASES.map(([set, camera, image]) => {
  const picture = read(set, 'case.safetensors').raw(camera);
  const expected = read(set, 'mid.safetensors').raw(`image.${image}`);
  return {
    name: `${set} ${camera}`,
    picture: { height: picture.shape[0], width: picture.shape[1], rgb: base64(picture.bytes) },
    expected: { height: expected.shape[1], width: expected.shape[2], float32: base64(expected.bytes) },
  };
});
writeFileSync(new URL('letterbox.json', import.meta.url), `${JSON.stringify(cases)}\n`);
