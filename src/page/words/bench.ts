/** The benchmark's page. */
import type { BenchCeilings, BenchFigures, BenchPart, BenchPartFigures, EvenFigures, LapKind } from '#contracts/bench.ts';
import { unreachable } from '#core/lib/never.ts';
import { PROVIDER_LABELS } from './labels.ts';
import { bytes, milliseconds, MISSING } from './numbers.ts';

export const BENCH = {
  heading: 'How fast is this computer?',
  lead: 'This page computes action plans and times every part. It has no arm: nothing can move. Nothing leaves this computer.',
  engine: 'Engine',
  engines: { best: 'The quicker one', webgpu: 'WebGPU', wasm: 'WASM on the CPU' },
  policy: 'Policy',
  shipped: 'The one that came with the page',
  measure: 'Measure',
  again: 'Measure again',
  save: 'Save the figures',
  back: 'Back to the arm',
  parts: 'Where the time goes',
  columns: { part: 'Part', time: 'Median', late: '95 %', gpu: 'On the GPU', dispatches: 'Kernels', arithmetic: 'Arithmetic', share: 'Of the most' },
  ceilings: 'The most this computer was seen to do',
  beside: 'Meanwhile',
  idle: 'before',
  computing: 'while computing',
  loop: '30 Hz loop, off by',
  frame: 'Page frame',
  gpuTimes: 'GPU times come from the browser in steps of 0.1 ms; many short kernels add up to less than they took.',
  byPart: 'By part, every graph is waited for; end to end nothing waits, as in a run.',
  quiet: 'Close other tabs first. A busy computer measures itself slow.',
} as const;

export const BENCH_PARTS_NAMES: Readonly<Record<BenchPart, string>> = { preprocess: 'Pictures to numbers', vision: 'Seeing', prefix: 'Reading the sentence', steps: 'Planning the motion', 'read-back': 'Reading the plan back' };

export function measuringLine(what: 'idle' | LapKind | 'ceilings', done: number, of: number): string {
  switch (what) {
    case 'idle':
      return 'Listening to the computer at rest, 2 s.';
    case 'warm-up':
      return 'Warming up. The first plan compiles what the others use.';
    case 'end-to-end':
      return `Plan ${done + 1} of ${of}, end to end.`;
    case 'by-part':
      return `Plan ${done + 1} of ${of}, part by part.`;
    case 'ceilings':
      return 'One large multiplication, one large copy: the most this computer can do.';
    default:
      return unreachable(what);
  }
}

export function endToEndLine({ endToEnd, policy, engine }: BenchFigures): string {
  const lasts = (policy.chunkRows / policy.fps) * 1000;
  return `for ${milliseconds(lasts)} of motion, on ${PROVIDER_LABELS[engine.provider]}. 95 % within ${milliseconds(endToEnd.p95Ms)}, of ${endToEnd.count}.`;
}

export function gigaflops(flop: number | null, ms: number): string {
  if (flop === null || flop === 0 || !(ms > 0)) return MISSING;
  return rate(flop / ms / 1e6);
}

export function shareOf({ flop, wall }: BenchPartFigures, ceilings: BenchCeilings): string {
  const most = mostGflops(ceilings);
  return flop === null || flop === 0 || !(wall.p50Ms > 0) ? MISSING : `${((100 * flop) / wall.p50Ms / 1e6 / most).toFixed(0)} %`;
}

export function mostGflops({ runtimeGflops, ownGflops }: BenchCeilings): number {
  return Math.max(runtimeGflops, ownGflops ?? 0);
}

export function ceilingLines({ ceilings: { matmulSize, runtimeGflops, ownGflops, copyBytes, copyGbps }, gpuPeakBytes, heapBytes }: Pick<BenchFigures, 'ceilings' | 'gpuPeakBytes' | 'heapBytes'>): readonly string[] {
  const size = `${matmulSize} × ${matmulSize}`;
  return [
    `Multiplying matrices of ${size}: ${rate(runtimeGflops)} by onnxruntime${ownGflops === null ? ' in float32; products of whole numbers may pass it' : `, ${rate(ownGflops)} by our own kernel`}.`,
    `Copying ${bytes(copyBytes)}: ${copyGbps.toFixed(1)} GB/s, reading and writing.`,
    ...(gpuPeakBytes === null ? [] : [`Graphics memory in use, most: ${bytes(gpuPeakBytes)}.`]),
    `The engine’s own memory, most: ${bytes(heapBytes)}.`,
  ];
}

export function evenLine(figures: EvenFigures | null): string {
  return figures === null ? MISSING : `${milliseconds(figures.p50Ms)} (99 %: ${milliseconds(figures.p99Ms)}, most ${milliseconds(figures.mostMs)})`;
}

function rate(gflops: number): string {
  return gflops >= 1000 ? `${(gflops / 1000).toFixed(2)} TFLOP/s` : `${gflops.toFixed(gflops < 10 ? 1 : 0)} GFLOP/s`;
}
