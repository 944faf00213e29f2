/** The last `capacity` things, oldest first. Memory is bounded by construction; what falls off is counted. */
export interface Ring<T> {
  push(item: T): void;
  readonly length: number;
  /** Items pushed out by newer ones since the last `drain` or `clear`. */
  readonly dropped: number;
  /** A copy, oldest first. */
  toArray(): T[];
  /** A copy, oldest first, and the ring is empty after. */
  drain(): T[];
  clear(): void;
}

export function ring<T>(capacity: number): Ring<T> {
  if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`ring capacity ${capacity}`);
  let items: T[] = [];
  /** Where the oldest item sits once the ring is full. */
  let start = 0;
  let dropped = 0;
  const self: Ring<T> = {
    push(item) {
      if (items.length < capacity) {
        items.push(item);
        return;
      }
      items[start] = item;
      start = (start + 1) % capacity;
      dropped++;
    },
    get length() {
      return items.length;
    },
    get dropped() {
      return dropped;
    },
    toArray: () => [...items.slice(start), ...items.slice(0, start)],
    drain() {
      const all = self.toArray();
      self.clear();
      return all;
    },
    clear() {
      items = [];
      start = 0;
      dropped = 0;
    },
  };
  return self;
}
