/**
 * The button under *How exact is it?*, pressed: the pocket policy in 4 bits, the real inference worker, the real verbs and
 * panel. What the table says must be what two chunks say when the test asks for them itself, and it must be joint units: the
 * difference in the policy's own normalised numbers times each joint's spread in training.
 */
import { createRoot, type Root } from 'react-dom/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { JOINT_NAMES } from '#contracts/joints.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { systemClock } from '#core/lib/clock.ts';
import { unwrap } from '#core/lib/failure.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import type { SessionContext } from '#page/session/context.ts';
import { parityVerbs } from '#page/session/parity-verbs.ts';
import { policyVerbs, type ReadyPolicy } from '#page/session/policy-verbs.ts';
import type { Session } from '#page/session/session.ts';
import { createStores, type WorkersState } from '#page/session/stores.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { PARITY } from '#page/words/models.ts';
import { ConversionService } from '../../../../workers/conversion/service.ts';
import { startInference, type WorkerHouse } from '../../../../workers/inference/testing/worker-house.ts';
import { UiContextHolder, useNoun } from '../context.ts';
import { ParityPanel } from './ParityPanel.tsx';

const SMALL = { kind: 'shipped', name: 'policies/pocket', precision: 'q4' } as const;

let inference: WorkerHouse;
let root: Root;
const stores = createStores({} as WorkersState);
const reported: unknown[] = [];
beforeAll(async () => {
  inference = await startInference();
});
afterAll(async () => {
  root.unmount();
  inference.terminate();
  await (await navigator.storage.getDirectory()).removeEntry('packs', { recursive: true }).catch(() => undefined);
});

/** The verbs of the session that the panel is about, on what they need of the house. */
function session() {
  const api = new ConversionService({ baseUrl: new URL('/', location.href).href, store: opfsStore(), recipe: anyFamilyRecipe, onProgress: () => undefined, clock: systemClock() });
  const house = { conversion: { api }, inference: { api: inference.api, onState: () => () => undefined }, onProgress: () => () => undefined };
  const context = { house, stores, clock: systemClock(), engineChoice: 'wasm', events: { emit: () => undefined }, failures: { clear: () => undefined }, report: (failure: unknown) => void reported.push(failure) } as unknown as SessionContext;
  const policies = policyVerbs(context);
  return { policies, ...parityVerbs(context, policies) };
}

function Panel() {
  const policy = useNoun('policy');
  return policy.kind === 'ready' ? <ParityPanel policy={policy} /> : <p>loading</p>;
}

function rows(): string[][] {
  return [...document.querySelectorAll('[data-testid="models-parity"] tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent));
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 50));
}

const spread = (values: Iterable<number>): { readonly largest: number; readonly mean: number } => {
  const sizes = [...values].map(Math.abs);
  return { largest: Math.max(...sizes), mean: sizes.reduce((sum, size) => sum + size, 0) / sizes.length };
};

test('tells per joint, in joint units, what 4 bits cost, and the policy is what it was', { timeout: 240_000 }, async () => {
  const { policies, compareWithReference } = session();
  const element = document.createElement('div');
  document.body.append(element);
  root = createRoot(element);
  const ui = { session: { stores, compareWithReference } as unknown as Session, os: 'linux', first: { task: '', seed: 1, arm: null, reset: { task: '', seed: 1 } } } as const;
  root.render(
    <UiContextHolder value={ui}>
      <Panel />
    </UiContextHolder>,
  );

  // What the test finds by itself: both chunks of the same observation and noise.
  const ready = await policies.load({ ...SMALL, precision: 'f32' });
  await until(() => document.querySelector('[data-testid="models-parity"]') !== null);
  expect(document.querySelector('[data-testid="models-compare"]')).toBeNull();
  expect(document.querySelector('[data-testid="models-parity"]')?.textContent).toContain(PARITY.reference);
  const exact = unwrap(await inference.api.sample());
  const { storedName } = await policies.load(SMALL);
  const rounded = unwrap(await inference.api.sample());

  await until(() => document.querySelector('[data-testid="models-compare"]') !== null);
  document.querySelector<HTMLButtonElement>('[data-testid="models-compare"]')?.click();
  await until(() => rows().length > 0 || stores.models.getState().parity.kind === 'failed');
  expect(reported).toEqual([]);

  const table = rows();
  expect(table.map(([label]) => label)).toEqual([...JOINT_NAMES.map((name) => JOINT_LABELS[name]), PARITY.whole]);
  const { actionSize, chunkRows, statistics } = ready.info;
  const columns = exact.x0.length / chunkRows;
  for (let joint = 0; joint < actionSize; joint++) {
    const std = statistics?.action?.std[joint] ?? Number.NaN;
    const { largest, mean } = spread(Array.from({ length: chunkRows }, (_, row) => std * ((rounded.x0[row * columns + joint] ?? Number.NaN) - (exact.x0[row * columns + joint] ?? Number.NaN))));
    expect(Math.abs(Number(table[joint]?.[1]) - largest), `joint ${joint + 1}`).toBeLessThan(0.002);
    expect(Math.abs(Number(table[joint]?.[2]) - mean), `joint ${joint + 1}`).toBeLessThan(0.002);
  }
  // Rounding shows, and nothing but rounding.
  const shown = table.map((row) => Number(row[1]));
  expect(Math.max(...shown)).toBeGreaterThan(0.01);
  expect(Number(table.at(-1)?.[3])).toBeGreaterThan(0.99);
  expect(document.querySelector('[data-testid="models-parity"]')?.textContent).toContain(PARITY.unit);
  expect(stores.policy.getState()).toMatchObject({ kind: 'ready', storedName, info: { precision: 'q4' } } satisfies { kind: 'ready'; storedName: string; info: Partial<ReadyPolicy['info']> });
  expect(unwrap(await inference.api.sample()).x0).toEqual(rounded.x0);
});
