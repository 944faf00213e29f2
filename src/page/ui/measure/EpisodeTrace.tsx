/** The joints of one measured episode, drawn whole, with a slider to read them at any moment. */
import { useState } from 'react';
import { GRIPPER_INDEX, JOINT_COUNT, JOINT_NAMES } from '#contracts/joints.ts';
import { JOINT_MARKS } from '../joint-marks.ts';
import type { MeasuredEpisode } from '#page/session/evaluation-state.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { MEASURE, outcomeWords } from '#page/words/measure.ts';

const TICK_HZ = 30;
const DEGREES = 180 / Math.PI;

export function EpisodeTrace({ episode }: { readonly episode: MeasuredEpisode }) {
  const { result, trace } = episode;
  const last = Math.max(0, result.ticks - 1);
  const [asked, setTick] = useState(0);
  const tick = Math.min(asked, last);
  return (
    <section className="trace" aria-label={MEASURE.trace} data-testid="trace">
      <p>
        <strong>{result.sentence === '' ? '“ ”' : `“${result.sentence}”`}</strong> <span className="quiet">{outcomeWords(result.verdict)}</span>
      </p>
      <label className="trace-time numeric">
        {MEASURE.time}
        <input type="range" min={0} max={last} value={tick} onChange={(event) => setTick(Number(event.target.value))} />
        {`${(tick / TICK_HZ).toFixed(1)} s`}
      </label>
      <ul>
        {JOINT_NAMES.map((name, joint) => (
          <li key={name}>
            <span>{JOINT_LABELS[name]}</span>
            <Line values={trace.measured} targets={trace.targets} joint={joint} ticks={result.ticks} tick={tick} />
            <span className="numeric">{`${((trace.measured[tick * JOINT_COUNT + joint] ?? Number.NaN) * DEGREES).toFixed(0)}°`}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A still joint is a flat line: at least this much from bottom to top, radians. */
const LEAST_SPAN_RAD = 10 / DEGREES;

function Line(props: { readonly values: Float64Array; readonly targets: Float64Array; readonly joint: number; readonly ticks: number; readonly tick: number }) {
  const { values, targets, joint, ticks, tick } = props;
  const of = (array: Float64Array): number[] => Array.from({ length: ticks }, (_, t) => array[t * JOINT_COUNT + joint] ?? 0);
  const measured = of(values);
  const wanted = of(targets);
  const all = [...measured, ...wanted];
  const middle = (Math.min(...all) + Math.max(...all)) / 2;
  const span = Math.max(LEAST_SPAN_RAD, Math.max(...all) - Math.min(...all));
  const path = (row: readonly number[]): string => row.map((value, t) => `${((100 * t) / Math.max(1, ticks - 1)).toFixed(1)},${(12 - (20 * (value - middle)) / span).toFixed(1)}`).join(' ');
  const x = (100 * tick) / Math.max(1, ticks - 1);
  return (
    <svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polyline className="trace-target" points={path(wanted)} />
      <polyline points={path(measured)} style={{ stroke: JOINT_MARKS[joint === GRIPPER_INDEX ? GRIPPER_INDEX : joint]?.colour ?? 'gray' }} />
      <line className="trace-now" x1={x} x2={x} y1="0" y2="24" />
    </svg>
  );
}
