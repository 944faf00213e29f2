/**
 * The last seconds of every joint, for the plot: measured and target, LeRobot joint units, one sample a control tick.
 * A fixed amount of memory, oldest samples fall out. It refuses to know how it is drawn, and it is no store: whoever
 * draws subscribes and reads columns.
 */
import { JOINT_COUNT } from '#contracts/joints.ts';

export const HISTORY_SECONDS = 20;
/** 20 s at 100 Hz, the fastest loop. */
const CAPACITY = 2000;

export interface HistorySample {
  readonly atMs: number;
  /** Null where the reading failed: the curve has a hole there. */
  readonly measured: readonly number[] | null;
  readonly target: readonly number[];
}

export interface JointColumns {
  /** Seconds before the newest sample, so -20 .. 0. */
  readonly seconds: readonly number[];
  readonly measured: readonly (number | null)[];
  readonly target: readonly (number | null)[];
}

export interface PlotHistory {
  push(samples: readonly HistorySample[]): void;
  columns(joint: number): JointColumns;
  clear(): void;
  /** Called after new samples. */
  subscribe(listener: () => void): () => void;
}

export function plotHistory(): PlotHistory {
  let samples: HistorySample[] = [];
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    push(more) {
      samples = [...samples, ...more];
      const newest = samples.at(-1)?.atMs ?? 0;
      const firstKept = samples.findIndex((sample) => sample.atMs >= newest - HISTORY_SECONDS * 1000);
      samples = samples.slice(Math.max(firstKept, samples.length - CAPACITY, 0));
      tell();
    },
    columns(joint) {
      if (!Number.isInteger(joint) || joint < 0 || joint >= JOINT_COUNT) throw new RangeError(`joint ${joint}`);
      const newest = samples.at(-1)?.atMs ?? 0;
      return {
        seconds: samples.map((sample) => (sample.atMs - newest) / 1000),
        measured: samples.map((sample) => sample.measured?.[joint] ?? null),
        target: samples.map((sample) => sample.target[joint] ?? null),
      };
    },
    clear() {
      samples = [];
      tell();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
