/**
 * Keeps the stores true: control's reports, the workers' lives, the world's status. It only listens; nothing here
 * starts, stops or moves anything.
 */
import type { ControlReport } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import type { WorkersState } from './stores.ts';
import { WORKER_NAMES } from '#page/runtime/house.ts';
import { unitsOf } from './arm-reader.ts';
import type { SessionContext } from './context.ts';
import type { PlotHistory } from './history.ts';
import { standingComplaint } from './passing.ts';

const WORLD_STATUS_EVERY_MS = 1000;

export function startMonitor(context: SessionContext, history: PlotHistory, isHidden: () => boolean): void {
  watchWorkers(context);
  const complaint = standingComplaint();
  let told: Failure['code'] | null = null;
  context.house.onReport((report) => {
    takeReport(context, history, report);
    const failure = complaint.take(report.failure, context.clock.nowMs());
    if (failure !== null && failure.code !== told) context.report(failure);
    told = failure?.code ?? null;
  });
  void pollWorld(context, isHidden);
}

function watchWorkers({ house, stores, report }: SessionContext): void {
  for (const name of WORKER_NAMES) {
    house[name].onState((state) => {
      const change: Partial<WorkersState> = { [name]: state };
      stores.workers.setState(change);
      if (state.kind === 'dead') report(state.failure);
    });
  }
}

function takeReport(context: SessionContext, history: PlotHistory, report: ControlReport): void {
  const { stores, events } = context;
  const previous = stores.arm.getState();
  const snapshot = context.readArm();
  stores.arm.setState({
    mode: report.mode,
    failure: report.failure,
    safety: report.safety,
    ...(snapshot === null
      ? {}
      : {
          tick: snapshot.tick,
          measured: snapshot.measured,
          readingAgeMs: snapshot.readingAtMs === null ? null : Math.max(0, snapshot.tickAtMs - snapshot.readingAtMs),
          target: snapshot.target,
          limited: snapshot.limited,
        }),
  });
  stores.speed.setState({ rateHz: report.rateHz, jitter: report.jitter });
  history.push(
    report.ticks.map((tick) => ({
      atMs: tick.atMs,
      measured: tick.measured === null ? null : unitsOf(tick.measured),
      target: unitsOf(tick.target),
    })),
  );
  if (report.mode !== previous.mode) events.emit('mode', { mode: report.mode, previous: previous.mode });
  events.emit('ticks', report.ticks);
  // The world behind a real arm stands still: the drawn one follows the readings.
  const measured = report.ticks.at(-1)?.measured ?? null;
  if (stores.arm.getState().kind === 'serial' && measured !== null) events.emit('twin', measured);
  // What was coming when a run ended is not coming any more.
  const path = report.mode === 'policy' ? report.comingPath : null;
  events.emit('path', path);
  events.emit('coming', path === null ? null : { path, rules: report.comingRules ?? [], drive: stores.options.getState().drive });
}

/** Asked, not told: the world has nothing to say while nobody looks. */
async function pollWorld({ house, stores, clock, report }: SessionContext, isHidden: () => boolean): Promise<never> {
  for (;;) {
    await clock.sleepUntil(clock.nowMs() + WORLD_STATUS_EVERY_MS);
    if (isHidden() || house.world.state().kind !== 'alive') continue;
    const answer = await house.world.api.status();
    const before = stores.world.getState().status?.failure?.code;
    stores.world.setState({ status: answer.ok ? answer.value : null });
    if (answer.ok && answer.value.failure !== null && answer.value.failure.code !== before) report(answer.value.failure);
  }
}
