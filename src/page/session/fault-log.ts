/**
 * What stopped or held the arm, kept with everything needed to look into it later: the rule, the ticks before and after, the
 * pictures of the moment, the limits and the versions. Listens; stops nothing. A file of it is evidence for whoever is asked
 * for help, so it holds no more than the page showed.
 */
import type { ControlReport, SafetyRule, TickReport } from '#contracts/control.ts';
import type { Fact, Failure, FailureCode } from '#contracts/failure.ts';
import type { CameraPicture } from '#contracts/picture.ts';
import type { SafetyProfile } from '#contracts/safety.ts';
import type { SessionContext } from './context.ts';
import { encodeTyped } from './run-file.ts';

export interface FaultEntry {
  readonly id: number;
  readonly atMs: number;
  /** `held` let go by itself, `latched` waited for a person, `stop` was a person, `failure` is any other complaint. */
  readonly kind: 'latched' | 'held' | 'stop' | 'failure';
  readonly rule: SafetyRule | null;
  readonly code: FailureCode | null;
  readonly facts: Readonly<Record<string, Fact>>;
  readonly sentence: string | null;
  /** LeRobot joint units. */
  readonly measured: readonly number[] | null;
  readonly target: readonly number[] | null;
  /** Two seconds before and one after, radians. */
  readonly ticks: readonly TickReport[];
  /** What people saw of the cameras at that moment, each with its own time; empty where nobody had looked yet. */
  readonly pictures: readonly CameraPicture[];
  readonly profile: SafetyProfile | null;
  readonly versions: { readonly app: string; readonly scene: string | null; readonly policy: string | null; readonly engine: string | null; readonly browser: string };
}

export interface FaultVerbs {
  /** The whole log as text of JSON, pictures and ticks included. */
  exportFaults(): string;
  clearFaults(): void;
}

export const FAULTS_FORMAT = 'vla-playground-faults';
const MOST_ENTRIES = 20;
const TICKS_BEFORE = 60;
const TICKS_AFTER = 30;
/** A hold shorter than this is a hiccup of a busy machine: two reports. */
const LEAST_REPORTS = 2;
/** The same thing again within this is the same thing. */
const SAME_MS = 2000;
const AFTER_MS = 1200;

export function startFaultLog(context: SessionContext, browser: string): FaultVerbs {
  const { house, stores, events, clock } = context;
  let recent: TickReport[] = [];
  let nextId = 1;
  const heldFor = new Map<SafetyRule, number>();
  const toldFaults = new Set<string>();

  const change = (id: number, part: Partial<FaultEntry>): void => stores.faults.setState(stores.faults.getState().map((entry) => (entry.id === id ? { ...entry, ...part } : entry)), true);

  const add = (kind: FaultEntry['kind'], rule: SafetyRule | null, failure: Failure | null, facts: FaultEntry['facts']): void => {
    const atMs = clock.nowMs();
    const known = stores.faults.getState();
    if (known.some((entry) => entry.rule === rule && entry.code === (failure?.code ?? null) && atMs - entry.atMs < SAME_MS)) return;
    const policy = stores.policy.getState();
    const run = stores.run.getState();
    const arm = context.readArm();
    const entry: FaultEntry = {
      id: nextId++,
      atMs,
      kind,
      rule,
      code: failure?.code ?? null,
      facts,
      sentence: run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing' ? run.sentence : run.kind === 'over' ? run.report.sentence : null,
      measured: arm?.measured ?? null,
      target: arm?.target ?? null,
      ticks: recent,
      pictures: house.cameras.latest(),
      profile: stores.safety.getState().profile,
      versions: {
        app: context.appVersion,
        scene: stores.world.getState().scene?.hash ?? null,
        policy: policy.kind === 'ready' ? policy.storedName : null,
        engine: policy.kind === 'ready' ? policy.engine.provider : null,
        browser,
      },
    };
    stores.faults.setState([...known, entry].slice(-MOST_ENTRIES), true);
    const lastTick = recent.at(-1)?.tick ?? 0;
    void clock.sleepUntil(atMs + AFTER_MS).then(() => change(entry.id, { ticks: [...entry.ticks, ...recent.filter(({ tick }) => tick > lastTick).slice(0, TICKS_AFTER)] }));
  };

  const take = (report: ControlReport): void => {
    recent = [...recent, ...report.ticks].slice(-TICKS_BEFORE - TICKS_AFTER);
    const moving = report.mode === 'policy' || report.mode === 'manual';
    for (const fault of report.safety.faults) {
      const key = `${fault.rule} ${fault.tick}`;
      if (toldFaults.has(key)) continue;
      toldFaults.add(key);
      add('latched', fault.rule, null, fault.facts);
    }
    for (const rule of heldFor.keys()) if (!report.safety.holding.includes(rule)) heldFor.delete(rule);
    if (!moving) return;
    for (const rule of report.safety.holding) {
      const reports = (heldFor.get(rule) ?? 0) + 1;
      heldFor.set(rule, reports);
      if (reports === LEAST_REPORTS) add('held', rule, null, {});
    }
  };

  house.onReport(take);
  events.on('failure', (failure) => {
    // A latched fault is in the report already, with its own facts.
    if (failure.code !== 'safety/latched') add('failure', null, failure, failure.facts);
  });
  events.on('stop', (stop) => add('stop', null, null, { confirmedAfterMs: stop.confirmedAfterMs, frozenTicks: stop.frozenTick - stop.acknowledgedTick, settlingRad: stop.settlingRad, driftRad: stop.driftRad }));

  return {
    exportFaults: () => encodeTyped({ format: FAULTS_FORMAT, version: 1, exportedAtMs: clock.nowMs(), entries: stores.faults.getState() }),
    clearFaults: () => stores.faults.setState([], true),
  };
}
