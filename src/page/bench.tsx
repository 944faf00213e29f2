/**
 * `?only=bench`: the benchmark's page, put together. A script of its own, loaded when the address asks for it. Command line
 * tools drive it by `window.bench` (`tools/bench-policy.ts`).
 */
import type { BenchReport } from '#contracts/bench.ts';
import type { EngineChoice } from '#contracts/inference.ts';
import { systemClock } from '#core/lib/clock.ts';
import { openBenchHouse } from '#page/runtime/bench.ts';
import { createBench, type Bench } from '#page/session/bench.ts';
import { mountBench } from '#page/ui/bench/Bench.tsx';
import type { OperatingSystem } from '#page/words/failures.ts';

declare global {
  interface Window {
    bench?: Bench;
  }
}

export function openBench(place: HTMLElement, options: { readonly baseUrl: string; readonly os: OperatingSystem; readonly engine: EngineChoice; readonly appVersion: string }): void {
  const bench = createBench({
    house: openBenchHouse(options.baseUrl, (progress) => bench.onProgress(progress)),
    clock: systemClock(),
    appVersion: options.appVersion,
    machine: () => machine(options.os),
    today: () => new Date().toISOString().slice(0, 10),
  });
  window.bench = bench;
  mountBench(place, { bench, os: options.os, engine: options.engine });
}

/** The browser by name and major version, nothing that tells one visitor from another. */
function machine(platform: OperatingSystem): Omit<BenchReport['machine'], 'adapter'> {
  const version = /(?:Chrome|Firefox|Version)\/\d+/.exec(navigator.userAgent)?.[0] ?? 'unknown';
  return { browser: version.replace('/', ' '), platform, cores: navigator.hardwareConcurrency, crossOriginIsolated: globalThis.crossOriginIsolated };
}
