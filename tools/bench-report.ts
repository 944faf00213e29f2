/** A benchmark's figures as a table for the terminal. Knows the report; measures nothing. */
import type { BenchFigures } from '#contracts/bench.ts';
import { BENCH_PARTS_NAMES, ceilingLines, gigaflops, shareOf } from '#page/words/bench.ts';

export function perSecond(ms: number): string {
  return (1000 / ms).toFixed(1);
}

/** `where` says what ran it: a browser, Dawn for Node. */
export function printFigures(figures: BenchFigures, where: string): void {
  const { engine, policy, endToEnd, ceilings } = figures;
  const adapter = engine.provider === 'webgpu' && engine.adapter !== null ? `, ${[engine.adapter.vendor, engine.adapter.architecture, engine.adapter.description].filter((part) => part !== '').join(' ')}` : '';
  console.log(`\n${engine.provider} (build ${engine.build}, ${engine.threads} threads${adapter}), ${where}; ${policy.name}, ${policy.precision}, ${policy.cameras} cameras, ${policy.denoisingSteps} steps${recordingOf(figures)}${eyesOf(figures)}`);
  console.log(`  end to end   median ${endToEnd.p50Ms.toFixed(1)} ms, 95 % ${endToEnd.p95Ms.toFixed(1)} ms, most ${endToEnd.mostMs.toFixed(1)} ms of ${endToEnd.count}; ${perSecond(endToEnd.p50Ms)} chunks a second`);
  console.log(`  ${'part'.padEnd(24)}${'median'.padStart(9)}${'95 %'.padStart(9)}${'on GPU'.padStart(9)}${'kernels'.padStart(9)}${'submits'.padStart(9)}${'up kB'.padStart(9)}${'back kB'.padStart(9)}${'arithmetic'.padStart(15)}${'of most'.padStart(9)}${'weights GB/s'.padStart(14)}`);
  for (const part of figures.parts) {
    const { wall, gpu, counts, flop, weightBytes } = part;
    const cells = [wall.p50Ms.toFixed(1), wall.p95Ms.toFixed(1), gpu === null ? '-' : gpu.p50Ms.toFixed(1), counts.dispatches, counts.submits, (counts.uploadBytes / 1000).toFixed(0), (counts.readBackBytes / 1000).toFixed(1)];
    const gbps = weightBytes === 0 ? '-' : (weightBytes / wall.p50Ms / 1e6).toFixed(2);
    console.log(`  ${BENCH_PARTS_NAMES[part.part].padEnd(24)}${cells.map((cell) => String(cell).padStart(9)).join('')}${gigaflops(flop, wall.p50Ms).padStart(15)}${shareOf(part, ceilings).padStart(9)}${gbps.padStart(14)}`);
  }
  for (const line of ceilingLines(figures)) console.log(`  ${line}`);
}

function eyesOf({ engine: { eyes } }: BenchFigures): string {
  if (eyes === null) return '';
  return eyes.kind === 'kernels' ? `; pictures by our own kernels, ${eyes.threads} threads` : `; pictures by the graph (${eyes.reason})`;
}

function recordingOf({ engine: { recording } }: BenchFigures): string {
  if (recording === null) return '';
  return recording.kind === 'recorded' ? '; commands played from a recording' : `; commands told one by one (${recording.reason === 'refused' ? recording.message : recording.reason})`;
}
