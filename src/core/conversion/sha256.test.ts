/** Against Node's own SHA-256, at every length around the block borders and in uneven pieces. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { sha256, sha256Hex } from './sha256.ts';

it('equals the platform for every length from 0 to 200 bytes and for uneven pieces', () => {
  const random = seededRandom(1);
  const bytes = Uint8Array.from({ length: 5000 }, () => random.index(256));
  const wanted = (piece: Uint8Array): string => createHash('sha256').update(piece).digest('hex');
  for (let length = 0; length <= 200; length++) expect(sha256Hex(bytes.subarray(0, length))).toBe(wanted(bytes.subarray(0, length)));
  const hash = sha256();
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(at + random.index(150), bytes.length);
    hash.update(bytes.subarray(at, next));
    at = next;
  }
  expect(hash.hex()).toBe(wanted(bytes));
});
