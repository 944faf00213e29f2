import { expect, it } from 'vitest';
import { createSlotMemory, slotReader } from './shared-slot.ts';

it('is never torn and never goes back while another thread writes flat out', async () => {
  const records = 400_000;
  const memory = createSlotMemory(30);
  const reader = slotReader(memory);
  const worker = new Worker(new URL('./testing/slot-flood-worker.ts', import.meta.url), { type: 'module' });
  worker.postMessage({ memory, records });
  const record = new Float64Array(30);
  let reads = 0;
  let distinct = 0;
  let last = 0;
  let torn = 0;
  const limit = performance.now() + 60_000;
  while (last < records && performance.now() < limit) {
    if (!reader.read(record)) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    reads++;
    const first = record[0] as number;
    if (record.some((value) => value !== first)) torn++;
    expect(first).toBeGreaterThanOrEqual(last);
    if (first > last) distinct++;
    last = first;
  }
  worker.terminate();
  console.log(`${reads} reads saw ${distinct} of ${records} records, ${torn} torn`);
  expect(torn).toBe(0);
  expect(last).toBe(records);
  expect(distinct).toBeGreaterThan(100); // it did overlap with the writing
});
