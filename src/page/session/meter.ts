/**
 * The disagreement meter: calibrated by a short guided series of runs on this arm with this policy, and asked on request how
 * much plans from other noise differ. The limit is the conformal quantile of the runs' scores, and is only given where they
 * are enough; before that the meter says that it is not calibrated.
 *
 * The score of a run is the largest mean disagreement of its plans: runs are exchangeable where the table is set at random
 * before each; plans of one run are not.
 */
import type { RunReport } from '#contracts/run.ts';
import { conformalLimit, leastScores, spread } from '#core/evaluation/conformal.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { SessionContext } from './context.ts';
import type { RunRequest } from './run-verbs.ts';
import type { Calibration } from './stores.ts';

export interface MeterVerbs {
  /** Runs the sentence on as many tables as the coverage needs. Resolves with what was learnt. Stop ends it: `run/cancelled`. */
  calibrate(request: { readonly task: string; readonly seconds?: number; readonly runs?: number }): Promise<Calibration>;
  forgetCalibration(): void;
  /** Plans from other noise for what is seen now; nothing moves. Root mean variance, LeRobot joint units. */
  askSpread(request: { readonly task: string; readonly seeds?: number }): Promise<number>;
}

export const COVERAGE = 0.95;
const RUN_SECONDS = 5;
const SEEDS = 4;
/** Tables of their own: not those of the evaluation, nor the one on the stage. */
const FIRST_TABLE = 71_000;
const KEPT = 'vla-disagreement';

export interface MeterParts {
  readonly run: (request: RunRequest) => Promise<RunReport>;
  readonly reset: (request: { readonly task: string; readonly seed: number }) => Promise<unknown>;
  readonly probe: (request: { readonly task: string; readonly noiseSeed: number; readonly noiseScale: number }) => Promise<{ readonly actions: ArrayLike<number> }>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
}

/** The score of a run; null where fewer than two plans met. */
export function runScore(report: Pick<RunReport, 'control'>): number | null {
  const means = report.control.disagreements.map(({ mean }) => mean);
  return means.length === 0 ? null : Math.max(...means);
}

export function meterVerbs({ stores, clock, events }: SessionContext, parts: MeterParts): MeterVerbs {
  const { storage } = parts;
  /** Another arm, another policy: another limit. */
  const place = (): string | null => {
    const policy = stores.policy.getState();
    const { kind } = stores.arm.getState();
    return policy.kind === 'ready' && kind !== null ? `${KEPT} ${kind} ${policy.storedName}` : null;
  };
  const recall = (): void => {
    const at = place();
    stores.meter.setState({ calibration: at === null ? null : readCalibration(storage.getItem(at)), spread: null });
  };
  events.on('policy', recall);
  stores.arm.subscribe((now, before) => {
    if (now.kind !== before.kind) recall();
  });

  return {
    async calibrate({ task, seconds = RUN_SECONDS, runs = leastScores(COVERAGE) }) {
      const scores: number[] = [];
      const began = stores.world.getState().scene?.request;
      stores.meter.setState({ calibrating: { done: 0, of: runs } });
      try {
        for (let k = 0; scores.length < runs; k++) {
          // A table on which nothing could be compared says nothing; one in two of that sort is no calibration.
          if (k >= 2 * runs) throw new FailureError('run/cancelled');
          await parts.reset({ task, seed: FIRST_TABLE + k });
          const report = await parts.run({ task, seed: k, seconds });
          if (report.outcome !== 'finished') throw report.failure === null ? new FailureError('run/cancelled') : new FailureError(report.failure.code, report.failure.facts);
          const score = runScore(report);
          if (score !== null) scores.push(score);
          stores.meter.setState({ calibrating: { done: scores.length, of: runs } });
        }
        const limit = conformalLimit(scores, COVERAGE);
        const at = place();
        if (limit === null || at === null) throw new FailureError('control/out-of-range', { what: 'runs', found: scores.length, least: leastScores(COVERAGE), most: null });
        const calibration: Calibration = { limit, count: scores.length, coverage: COVERAGE };
        storage.setItem(at, JSON.stringify({ ...calibration, atMs: clock.nowMs() }));
        stores.meter.setState({ calibration });
        return calibration;
      } finally {
        stores.meter.setState({ calibrating: null });
        if (began !== undefined && stores.arm.getState().mode === 'idle') await parts.reset(began);
      }
    },
    forgetCalibration() {
      const at = place();
      if (at !== null) storage.removeItem(at);
      stores.meter.setState({ calibration: null });
      stores.options.setState({ doubt: 'nothing' });
    },
    async askSpread({ task, seeds = SEEDS }) {
      stores.meter.setState({ asking: 'yes' });
      try {
        const answers: ArrayLike<number>[] = [];
        // The whole noise, also for a policy that plans without: how far its plans could lie apart is the question.
        for (let noiseSeed = 1; noiseSeed <= seeds; noiseSeed++) answers.push((await parts.probe({ task, noiseSeed, noiseScale: 1 })).actions);
        const value = spread(answers);
        if (value === null) throw new FailureError('control/out-of-range', { what: 'seeds', found: seeds, least: 2, most: null });
        stores.meter.setState({ spread: { value, count: seeds } });
        return value;
      } finally {
        stores.meter.setState({ asking: 'no' });
      }
    },
  };
}

/** From the machine's own storage, which anybody could have written to: a bad one counts as none. */
export function readCalibration(text: string | null): Calibration | null {
  if (text === null) return null;
  try {
    const { limit, count, coverage } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof limit !== 'number' || !(limit >= 0) || typeof count !== 'number' || typeof coverage !== 'number' || !(coverage > 0 && coverage < 1) || !(count >= leastScores(coverage))) return null;
    return { limit, count, coverage };
  } catch {
    return null;
  }
}
