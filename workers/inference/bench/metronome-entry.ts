/** A loop that does nothing but be on time: what it loses while a policy computes, an arm's control loop would lose too. */
import type { MetronomeApi } from '#contracts/bench.ts';
import { serveWorker } from '#workers/shared/serve.ts';

/** An hour at 30 Hz. */
const MOST_BEATS = 108_000;

serveWorker<MetronomeApi>({
  name: 'metronome',
  start: async () => {
    let off: number[] = [];
    let generation = 0;
    return {
      async start(rateHz) {
        const mine = ++generation;
        const periodMs = 1000 / rateHz;
        off = [];
        let last: number | null = null;
        let due = performance.now() + periodMs;
        const beat = (): void => {
          if (mine !== generation || off.length >= MOST_BEATS) return;
          const nowMs = performance.now();
          if (last !== null) off.push(Math.abs(nowMs - last - periodMs));
          last = nowMs;
          // Beats that are late are skipped, not made up for, as control does.
          due = Math.max(due + periodMs, nowMs);
          setTimeout(beat, due - nowMs);
        };
        setTimeout(beat, periodMs);
        return { ok: true, value: null };
      },
      async stop() {
        generation++;
        return { ok: true, value: off };
      },
    };
  },
});
