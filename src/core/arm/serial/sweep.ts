/**
 * What a person's sweep of a joint through its range was worth: samples in, range and doubts out. A joint that crossed the
 * encoder's seam shows a range of a whole turn, and an arm calibrated so drives into its own stop; two samples more than
 * half a turn apart give it away before anything is written. Pure.
 */
import type { JointName } from '#contracts/joints.ts';
import type { Finding, SweepDoubt } from '#contracts/serial.ts';

export interface Sweep {
  /** Steps, as read. A sample that could not be read is left out by the caller, never made up. */
  add(steps: number): void;
  summary(): SweepSummary;
}

export interface SweepSummary {
  readonly samples: number;
  readonly least: number | null;
  readonly most: number | null;
  /** Times that two samples in a row lay more than half a turn apart. */
  readonly jumps: number;
  /** Samples outside 0..4095. */
  readonly outside: number;
}

const HALF_TURN = 2048;

export function createSweep(): Sweep {
  let last: number | null = null;
  let summary: SweepSummary = { samples: 0, least: null, most: null, jumps: 0, outside: 0 };
  return {
    add(steps) {
      const jumped = last !== null && Math.abs(steps - last) > HALF_TURN;
      last = steps;
      summary = {
        samples: summary.samples + 1,
        least: Math.min(summary.least ?? steps, steps),
        most: Math.max(summary.most ?? steps, steps),
        jumps: summary.jumps + (jumped ? 1 : 0),
        outside: summary.outside + (steps < 0 || steps > 4095 ? 1 : 0),
      };
    },
    summary: () => summary,
  };
}

/** A sweep shorter than this share of the joint's range stopped early; one longer than that is not this joint. */
export const NARROW_SHARE = 0.6;
export const WIDE_SHARE = 1.3;

/** Empty: the range can be used. `expectedSteps` is the span of the drawn joint; null for one that turns freely. */
export function sweepDoubts(summary: SweepSummary, expectedSteps: number | null): SweepDoubt[] {
  const { least, most, jumps, outside } = summary;
  if (least === null || most === null || least === most) return [{ kind: 'not-moved' }];
  const doubts: SweepDoubt[] = [];
  if (outside > 0) doubts.push({ kind: 'multi-turn', outside });
  if (jumps > 0) doubts.push({ kind: 'crossed-the-seam', jumps });
  if (expectedSteps === null || doubts.length > 0) return doubts;
  const span = most - least;
  if (span < NARROW_SHARE * expectedSteps) doubts.push({ kind: 'narrow', span, expected: Math.round(expectedSteps) });
  if (span > WIDE_SHARE * expectedSteps) doubts.push({ kind: 'wide', span, expected: Math.round(expectedSteps) });
  return doubts;
}

/** The same doubts about a range that is already in a file or a servo, as findings of the doctor. */
export function rangeFindings(joint: JointName, id: number, range: { readonly rangeMin: number; readonly rangeMax: number }, expectedSteps: number | null): Finding[] {
  if (expectedSteps === null) return [];
  const span = range.rangeMax - range.rangeMin;
  if (span >= 4000) return [{ code: 'range-full-turn', weight: 'refuse', facts: { id, joint } }];
  const expected = Math.round(expectedSteps);
  if (span < NARROW_SHARE * expectedSteps) return [{ code: 'range-narrow', weight: 'warn', facts: { id, joint, span, expected } }];
  if (span > WIDE_SHARE * expectedSteps) return [{ code: 'range-wide', weight: 'warn', facts: { id, joint, span, expected } }];
  return [];
}
