/** A writer in a thread of its own that publishes records as fast as it can; every number of record k is k. */
import { slotWriter } from '../shared-slot.ts';

self.onmessage = (event: MessageEvent<{ readonly memory: SharedArrayBuffer; readonly records: number }>) => {
  const writer = slotWriter(event.data.memory);
  const record = new Float64Array(writer.length);
  for (let k = 1; k <= event.data.records; k++) writer.write(record.fill(k));
};
