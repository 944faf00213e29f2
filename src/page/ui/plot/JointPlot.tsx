/**
 * The joints over the last seconds, target against actual, one small plot a joint under the stage. Drawn ten times a
 * second straight from the plot's memory; React only opens and closes it.
 */
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { GRIPPER_INDEX, JOINT_NAMES } from '#contracts/joints.ts';
import { useSession } from '../context.ts';
import { JOINT_MARKS } from '../joint-marks.ts';
import { HISTORY_SECONDS, type PlotHistory } from '#page/session/history.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { PLOT } from '#page/words/panels.ts';
import './plot.css';

const HEIGHT = 104;
/** A still joint is a flat line, not magnified noise: at least this much from bottom to top, degrees or percent. */
const LEAST_SPAN = 10;

export function JointPlot() {
  const [open, setOpen] = useState(false);
  return (
    <section className="plot" data-testid="plot">
      <button type="button" className="plot-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? PLOT.hide : PLOT.show}
        <span className="quiet">{PLOT.legend}</span>
      </button>
      {open ? <Plots /> : null}
    </section>
  );
}

function Plots() {
  const { history } = useSession();
  const box = useRef<HTMLDivElement>(null);
  const [theme, setTheme] = useState(0);

  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const turn = (): void => setTheme((count) => count + 1);
    dark.addEventListener('change', turn);
    return () => dark.removeEventListener('change', turn);
  }, []);

  useEffect(() => {
    const places = [...(box.current?.children ?? [])].filter((place) => place instanceof HTMLElement);
    const plots = places.map((place, joint) => createPlot(place, joint));
    const draw = (): void => plots.forEach((plot, joint) => plot.setData(dataOf(history, joint)));
    draw();
    const off = history.subscribe(draw);
    const resize = new ResizeObserver(() => plots.forEach((plot, joint) => plot.setSize({ width: places[joint]?.clientWidth ?? 200, height: HEIGHT })));
    if (box.current !== null) resize.observe(box.current);
    return () => {
      off();
      resize.disconnect();
      for (const plot of plots) plot.destroy();
    };
    // A changed theme means other colours, which a plot takes when it is made.
  }, [history, theme]);

  return (
    <div className="plot-grid" ref={box}>
      {JOINT_NAMES.map((name) => (
        <div key={name} className="plot-place" />
      ))}
    </div>
  );
}

function dataOf(history: PlotHistory, joint: number): uPlot.AlignedData {
  const { seconds, measured, target } = history.columns(joint);
  return [[...seconds], [...target], [...measured]];
}

function createPlot(place: HTMLElement, joint: number): uPlot {
  const style = getComputedStyle(place);
  const ink = style.getPropertyValue('--ink-2');
  const line = style.getPropertyValue('--line');
  const colour = colourOf(place, JOINT_MARKS[joint]?.colour ?? 'gray');
  const inkColour = colourOf(place, ink);
  const grid = { stroke: colourOf(place, line), width: 1 };
  const ticks = { show: false };
  const font = '11px system-ui, sans-serif';
  const name = JOINT_NAMES[joint];
  const options: uPlot.Options = {
    width: place.clientWidth,
    height: HEIGHT,
    title: `${JOINT_MARKS[joint]?.number}  ${name === undefined ? '' : JOINT_LABELS[name]} (${joint === GRIPPER_INDEX ? '%' : '°'})`,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-HISTORY_SECONDS, 0] }, y: { range: (_plot, least, most) => spanOf(least, most) } },
    axes: [
      { stroke: inkColour, grid, ticks, font, size: 18, gap: 2, values: (_plot, values) => values.map((value) => `${value} s`), space: 60 },
      { stroke: inkColour, grid, ticks, font, size: 34, gap: 3, space: 26 },
    ],
    series: [
      {},
      { stroke: inkColour, width: 1.5, dash: [4, 4], points: { show: false } },
      { stroke: colour, width: 2, points: { show: false } },
    ],
  };
  return new uPlot(options, [[], [], []], place);
}

/** A canvas does not understand custom properties or light-dark(): let the browser work the colour out. */
function colourOf(place: HTMLElement, colour: string): string {
  const before = place.style.color;
  place.style.color = colour;
  const resolved = getComputedStyle(place).color;
  place.style.color = before;
  return resolved;
}

function spanOf(least: number | null, most: number | null): [number, number] {
  if (least === null || most === null) return [-LEAST_SPAN / 2, LEAST_SPAN / 2];
  const middle = (least + most) / 2;
  const half = Math.max(LEAST_SPAN, (most - least) * 1.15) / 2;
  return [middle - half, middle + half];
}
