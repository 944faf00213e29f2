/**
 * Choosing a policy: look at a checkpoint (headers only), put it to this robot (cameras, units, precision), see the list of
 * checks change with every choice, and load it when nothing stands against it. Also what is stored. Knows the order of
 * things; the checks are `core/preflight`'s, loading is `policy-verbs.ts`'.
 */
import type { Outcome } from '#contracts/failure.ts';
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { PolicySource, Precision, UnitEra } from '#contracts/policy.ts';
import type { PreflightLine } from '#contracts/preflight.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import { preflight, type PreflightFacts, standsAgainst } from '#core/preflight/preflight.ts';
import type { SessionContext } from './context.ts';
import type { Candidate } from './models-state.ts';
import type { PolicyVerbs, ReadyPolicy } from './policy-verbs.ts';
import { askedPrecision, defaultPrecision, withPrecision } from './precision.ts';

export interface ModelVerbs {
  /** Looks at a checkpoint; its findings are in the store `models`. Resolves with the list of checks. */
  lookAt(source: PolicySource): Promise<readonly PreflightLine[]>;
  /** A camera for one of the policy's slots, null to leave the slot out. */
  wire(slot: string, camera: string | null): void;
  /** The person's word for what the joint values are. */
  confirmUnits(units: UnitEra): void;
  choosePrecision(precision: Precision): Promise<void>;
  /** Loads what was looked at. Rejects with `policy/preflight` where a red line stands. */
  loadCandidate(): Promise<ReadyPolicy>;
  cancelLoading(): Promise<void>;
  forgetCandidate(): void;
  refreshStored(): Promise<void>;
  /** What goes wrong is reported too: nobody else shows it. */
  renameStored(name: string, title: string): Promise<void>;
  /** Rejects with `store/busy` while any tab loads it; reported too. */
  removeStored(name: string): Promise<void>;
  /** An access token for the Hub, in memory only. */
  setHubToken(token: string | null): Promise<void>;
}

type Looked = Extract<Candidate, { readonly kind: 'looked' }>;

export function modelVerbs(context: SessionContext, policies: PolicyVerbs): ModelVerbs {
  const { house, stores } = context;
  const api = house.conversion.api;
  const enter = (candidate: Candidate): void => stores.models.setState({ candidate });
  const current = (): Looked | null => {
    const { candidate } = stores.models.getState();
    return candidate.kind === 'looked' ? candidate : null;
  };
  let asked = 0;

  const judged = async (looked: Omit<Looked, 'lines'>): Promise<Looked> => ({ ...looked, lines: preflight(await factsFor(context, looked)) });

  const lookAt = async (source: PolicySource): Promise<readonly PreflightLine[]> => {
    const mine = ++asked;
    // Looked at again, what was chosen stays chosen.
    const before = current();
    const kept = before !== null && before.source.kind === source.kind && before.source.name === source.name ? before : null;
    enter({ kind: 'looking', source });
    try {
      const first = unwrap(await api.inspect(source));
      const precision = askedPrecision(source) ?? (source.kind === 'stored' ? first.info.precision : defaultPrecision(unwrap(await house.inference.api.likely(context.engineChoice)), first.info.parameterCount));
      const chosen = withPrecision(source, precision);
      const report = precision === first.info.precision ? first : unwrap(await api.inspect(chosen));
      // What ships with the page was trained in its units.
      const looked = await judged({ kind: 'looked', source: chosen, report, precision, wiring: kept?.wiring ?? {}, units: source.kind === 'shipped' ? 'degrees' : (kept?.units ?? null) });
      if (mine === asked) enter(looked);
      return looked.lines;
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (mine === asked) enter({ kind: 'failed', source, failure });
      throw new FailureError(failure.code, failure.facts);
    }
  };

  const change = (changes: Partial<Omit<Looked, 'kind' | 'lines'>>): void => {
    const looked = current();
    if (looked === null) return;
    const mine = asked;
    void judged({ ...looked, ...changes }).then((next) => mine === asked && enter(next));
  };

  const refreshStored = async (): Promise<void> => stores.models.setState({ stored: unwrap(await api.stored()) });

  const changeStored = async (work: () => Promise<Outcome<null>>): Promise<void> => {
    const done = await work();
    if (!done.ok) context.report(done.failure);
    await refreshStored();
    unwrap(done);
  };

  return {
    lookAt,
    wire: (slot, camera) => change({ wiring: { ...current()?.wiring, [slot]: camera } }),
    confirmUnits: (units) => change({ units }),
    choosePrecision: async (precision) => {
      const looked = current();
      if (looked === null || looked.source.kind === 'stored') return;
      const source = withPrecision(looked.source, precision);
      const mine = asked;
      const report = unwrap(await api.inspect(source));
      const next = await judged({ ...looked, source, precision, report });
      if (mine === asked) enter(next);
    },
    loadCandidate: async () => {
      const looked = current();
      if (looked === null) throw new FailureError('policy/none-loaded');
      const against = standsAgainst(looked.lines);
      if (against !== null) throw new FailureError('policy/preflight', { ...against.facts, check: against.check });
      await keepStore(context);
      try {
        return await policies.load(looked.source, { wiring: looked.wiring, ...(looked.units === null ? {} : { units: looked.units }) });
      } finally {
        await refreshStored().catch(() => undefined);
      }
    },
    cancelLoading: async () => void unwrap(await api.cancel()),
    forgetCandidate: () => {
      asked += 1;
      enter({ kind: 'none' });
    },
    refreshStored,
    renameStored: (name, title) => changeStored(() => api.rename(name, title)),
    removeStored: (name) => changeStored(() => api.remove(name)),
    setHubToken: async (token) => void unwrap(await api.setToken(token)),
  };
}

/** Before motion once more: the loaded policy against the robot as it is now. Null where nothing stands against it. */
export function standsAgainstMotion(context: SessionContext, { info, source, fit }: ReadyPolicy): PreflightLine | null {
  const units = source.kind === 'shipped' ? 'degrees' : (fit.units ?? null);
  const lines = preflight({
    policy: info,
    tokenizer: 'present',
    packBytes: 0,
    stored: true,
    machine: { freeBytes: null, memoryBytes: null },
    robot: { ...robotNow(context), cameras: camerasOfMotion(context) },
    wiring: {},
    units,
  });
  return standsAgainst(lines);
}

/** What a policy may look at while it moves this arm: beside a real one that the simulated arm does not go along with, the simulation shows another arm. */
function camerasOfMotion(context: SessionContext): PreflightFacts['robot']['cameras'] {
  const { stores } = context;
  const { cameras, kind } = robotNow(context);
  if (kind === 'simulated' || stores.robot.getState().connected?.mirror === 'on') return cameras;
  return cameras.filter(({ name }) => name in stores.cameras.getState().places);
}

async function factsFor(context: SessionContext, { report, wiring, units }: Pick<Looked, 'report' | 'wiring' | 'units'>): Promise<PreflightFacts> {
  const { quota, usage } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  const gigabytes = 'deviceMemory' in navigator && typeof navigator.deviceMemory === 'number' ? navigator.deviceMemory : null;
  return {
    policy: report.info,
    tokenizer: report.tokenizer,
    packBytes: report.packBytes,
    stored: report.stored,
    machine: { freeBytes: quota === undefined || usage === undefined ? null : quota - usage, memoryBytes: gigabytes === null ? null : gigabytes * 2 ** 30 },
    robot: robotNow(context),
    wiring,
    units,
  };
}

function robotNow({ stores }: SessionContext): PreflightFacts['robot'] {
  const { kind } = stores.arm.getState();
  const simulated = stores.world.getState().scene?.description.cameras.map(({ key }) => key) ?? [];
  const real = Object.keys(stores.cameras.getState().places);
  const names = [...new Set([...simulated, ...real])];
  // In shadow nothing is sent to the arm, whatever it is.
  const moves = kind === 'serial' && stores.options.getState().drive === 'arm';
  return { kind: moves ? 'real' : 'simulated', name: stores.world.getState().scene?.description.robot.name ?? 'so100', joints: JOINT_NAMES.length, fps: stores.speed.getState().rateHz ?? 30, cameras: names.map((name) => ({ name, size: null })) };
}

/** Asked once, before the first download: without it a browser may throw the store away when the disk fills. */
async function keepStore({ stores }: SessionContext): Promise<void> {
  if (stores.models.getState().keeps === 'promised') return;
  const kept = (await navigator.storage?.persist?.().catch(() => false)) ?? false;
  stores.models.setState({ keeps: kept ? 'promised' : 'not-promised' });
}
