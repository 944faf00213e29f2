/** The kernels as a module: its bytes, an instance on a memory, and whether this processor computes what they rely on. */
import { kernelFunctions, ROW_FACTS_BYTES, TILE, WIDTH_STEP, type Kernels } from './kernels.ts';
import { fillMatrix } from './fill.ts';
import { writeModule } from './wasm.ts';

export function kernelModule(): Uint8Array<ArrayBuffer> {
  return writeModule(kernelFunctions());
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}

/**
 * Whether products of whole numbers come out to the last digit, with the largest that may occur: the one instruction in which
 * processors may differ. Takes a millisecond.
 */
export function kernelsHold(module: WebAssembly.Module): boolean {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const kernels = instantiate(module, memory);
  const [k, rows] = [2 * WIDTH_STEP, 8];
  const [codesAt, factsAt, matrixAt, tileAt, outAt] = [0, 1024, 2048, 4096, 8192] as const;
  const bytes = new Uint8Array(memory.buffer, codesAt, rows * k);
  const facts = new Float32Array(memory.buffer, factsAt, (rows * ROW_FACTS_BYTES) / 4);
  const codes = Int8Array.from({ length: k * TILE }, (_, i) => (i % 3 === 0 ? 127 : i % 3 === 1 ? -127 : (i * 37) % 128));
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < k; i++) bytes[row * k + i] = row === 0 ? 127 : (i * 29 + row * 11) % 128;
    facts.set([1, 0], 2 * row);
  }
  fillMatrix(memory.buffer, { codes: matrixAt, facts: tileAt, k, n: TILE }, { codes, scales: new Float32Array(TILE).fill(1) }, new Float32Array(TILE));
  kernels.product(codesAt, factsAt, matrixAt, tileAt, outAt, rows, k, 1, 4 * TILE);
  const out = new Float32Array(memory.buffer, outAt, rows * TILE);
  return out.every((found, i) => {
    let sum = 0;
    for (let j = 0; j < k; j++) sum += bytes[Math.floor(i / TILE) * k + j]! * codes[j * TILE + (i % TILE)]!;
    return found === sum;
  });
}
