/** The kernels as a module: its bytes, an instance on a memory, and which form of them this processor computes rightly and soonest. */
import { DOT_FORMS, kernelFunctions, ROW_FACTS_BYTES, TILE, WIDTH_STEP, type DotForm, type Kernels } from './kernels.ts';
import { fillMatrix } from './fill.ts';
import { PAGE_BYTES, writeModule } from './wasm.ts';

export function kernelModule(form: DotForm): Uint8Array<ArrayBuffer> {
  return writeModule(kernelFunctions(form));
}

/**
 * The quicker of the forms that hold, or null where none does. They give the same bits, so nothing but time depends on which. Takes
 * some 0.1 s: a form is timed until the compiler has had its second look at it.
 */
export async function quickestModule(clock: { nowMs(): number }): Promise<WebAssembly.Module | null> {
  let quickest: { readonly module: WebAssembly.Module; readonly ms: number } | null = null;
  for (const form of DOT_FORMS) {
    const module = await WebAssembly.compile(kernelModule(form));
    if (!kernelsHold(module)) continue;
    const ms = productMs(module, clock);
    if (quickest === null || ms < quickest.ms) quickest = { module, ms };
  }
  return quickest?.module ?? null;
}

/** Until then a form is timed; its best product counts. */
const TIMING_MS = 40;

/** Of a product of 50 rows with [768, 384]: 0.03 GOP, 0.1 to 0.3 ms. */
function productMs(module: WebAssembly.Module, clock: { nowMs(): number }): number {
  const [rows, k, n] = [50, 768, 384];
  const pages = 12;
  const kernels = instantiate(module, new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  const [codes, facts, matrix, tileFacts, out] = [0, 40_960, 65_536, 372_736, 409_600] as const;
  if (out + 4 * rows * n > pages * PAGE_BYTES) throw new Error('the products have no room');
  const began = clock.nowMs();
  let best = Number.POSITIVE_INFINITY;
  for (let from = began; from - began < TIMING_MS; ) {
    kernels.product(codes, facts, matrix, tileFacts, out, rows, k, n / TILE, 4 * n);
    const until = clock.nowMs();
    best = Math.min(best, until - from);
    from = until;
  }
  return best;
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
