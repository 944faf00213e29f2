/**
 * A slot: one fixed record of float64 numbers in shared memory, one writer, many readers, newest wins. Knows how to
 * publish a record so that no reader ever sees half of one. Refuses to know what the numbers mean
 * (`contracts/slots.ts` says that) and never waits: `Atomics.wait` would stop the loop that calls it.
 *
 *   int32   0         1        2 ............... 2+2n      2+2n ........... 2+4n
 *           sequence  length   bank 0 (n doubles)          bank 1 (n doubles)
 *
 * A seqlock with two banks. `sequence` counts published records; record s lives in bank s & 1. The writer fills the
 * bank that is not current, then adds one to `sequence`. A reader copies the current bank and looks at `sequence`
 * again: unchanged means that the writer could at most have been filling the other bank, so the copy is whole; changed
 * means try again. With one bank a writer that the operating system parks in the middle of a write would hold up every
 * reader until it comes back; with two, readers retry only when a new record has been published in between.
 *
 * Doubles are moved as two int32 halves by `Atomics`, which are sequentially consistent with each other. Plain float64
 * reads could, by the letter of the memory model, be moved past the second look at `sequence`.
 */
const SEQUENCE = 0;
const LENGTH = 1;
const HEADER_INTS = 2;

/** A field of a record, as the layouts of `contracts/slots.ts` write it. */
export interface SlotField {
  readonly at: number;
  readonly count: number;
}

export interface SlotWriter {
  readonly length: number;
  /** Publishes one whole record. Throws a RangeError unless `record.length` is the slot's length. */
  write(record: Float64Array): void;
}

export interface SlotReader {
  readonly length: number;
  /** How many records have been published, modulo 2^32; 0 before the first. */
  sequence(): number;
  /** Copies the newest record into `into` (the slot's length). False, and `into` untouched, before the first. */
  read(into: Float64Array): boolean;
}

/** Memory for a record of `length` numbers: 8 + 16 x length bytes, nothing published yet. */
export function createSlotMemory(length: number): SharedArrayBuffer {
  if (!Number.isInteger(length) || length < 1) throw new RangeError(`slot length ${length}`);
  const memory = new SharedArrayBuffer(4 * (HEADER_INTS + 4 * length));
  Atomics.store(new Int32Array(memory), LENGTH, length);
  return memory;
}

/** The one writer. Two writers on one slot would tear records; nothing here can notice that. */
export function slotWriter(memory: SharedArrayBuffer): SlotWriter {
  const shared = new Int32Array(memory);
  const length = slotLength(shared);
  const scratch = new Float64Array(length);
  const halves = new Int32Array(scratch.buffer);
  return {
    length,
    write(record) {
      if (record.length !== length) throw new RangeError(`slot of ${length} numbers, record of ${record.length}`);
      scratch.set(record);
      const next = (Atomics.load(shared, SEQUENCE) + 1) | 0;
      const base = bankStart(next, length);
      for (let i = 0; i < halves.length; i++) Atomics.store(shared, base + i, halves[i] as number);
      Atomics.store(shared, SEQUENCE, next);
    },
  };
}

export function slotReader(memory: SharedArrayBuffer): SlotReader {
  const shared = new Int32Array(memory);
  const length = slotLength(shared);
  const scratch = new Float64Array(length);
  const halves = new Int32Array(scratch.buffer);
  return {
    length,
    sequence: () => Atomics.load(shared, SEQUENCE) >>> 0,
    read(into) {
      if (into.length !== length) throw new RangeError(`slot of ${length} numbers, room for ${into.length}`);
      for (;;) {
        const before = Atomics.load(shared, SEQUENCE);
        if (before === 0) return false;
        const base = bankStart(before, length);
        for (let i = 0; i < halves.length; i++) halves[i] = Atomics.load(shared, base + i);
        if (Atomics.load(shared, SEQUENCE) === before) {
          into.set(scratch);
          return true;
        }
      }
    },
  };
}

/** The numbers of one field, as a view into the record. */
export function slotField(record: Float64Array, field: SlotField): Float64Array {
  return record.subarray(field.at, field.at + field.count);
}

function bankStart(sequence: number, length: number): number {
  return HEADER_INTS + (sequence & 1) * 2 * length;
}

function slotLength(shared: Int32Array): number {
  const length = Atomics.load(shared, LENGTH);
  if (length < 1 || shared.length !== HEADER_INTS + 4 * length) {
    throw new RangeError(`not slot memory: ${shared.length * 4} bytes, length field ${length}`);
  }
  return length;
}
