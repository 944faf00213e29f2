/** What stands against motion as the arm and its cameras are now: pictures of a simulated arm do not move a real one that it does not go along with. */
import { expect, it } from 'vitest';
import type { ArmKind } from '#contracts/control.ts';
import type { PolicyInfo } from '#contracts/policy.ts';
import { sceneFor } from '#core/scene/description.ts';
import type { SessionContext } from './context.ts';
import { standsAgainstMotion } from './model-verbs.ts';
import type { ReadyPolicy } from './policy-verbs.ts';
import { createStores, type RunOptions, type WorkersState } from './stores.ts';

const POLICY = {
  family: 'smolvla',
  parameterCount: 1e6,
  cameras: ['front', 'wrist'].map((name) => ({ key: `observation.images.${name}`, robotKey: `observation.images.${name}`, width: 192, height: 192 })),
  stateSize: 6,
  actionSize: 6,
  fps: 30,
  missingStatistics: [],
  statistics: null,
  stage: 'tuned',
  training: { kind: 'unknown' },
} as unknown as PolicyInfo;

function against(kind: ArmKind, mirror: 'on' | 'off', real: readonly string[], drive: RunOptions['drive'] = 'arm'): string | null {
  const stores = createStores({} as WorkersState);
  const description = sceneFor({ task: '', seed: 1 });
  stores.world.setState({ scene: { request: { task: '', seed: 1 }, description, hash: '', bodies: { names: [] } } });
  stores.arm.setState({ kind });
  stores.options.setState({ drive });
  stores.robot.setState({ connected: { mirror } as never });
  stores.cameras.setState({ places: Object.fromEntries(real.map((name) => [`observation.images.${name}`, { kind: 'opening', device: null } as const])) });
  const policy = { info: POLICY, source: { kind: 'shipped', name: 'x' }, fit: {} } as unknown as ReadyPolicy;
  return standsAgainstMotion({ stores } as unknown as SessionContext, policy)?.finding ?? null;
}

it('lets the simulated and the virtual arm be moved by simulated pictures', () => {
  expect(against('simulated', 'off', [])).toBeNull();
  expect(against('virtual', 'on', [])).toBeNull();
});

it('a real arm by real cameras, by the simulation only in a mirror, and a rehearsal by anything', () => {
  expect(against('serial', 'off', [])).toBe('camera/unknown');
  expect(against('serial', 'off', ['front'])).toBe('camera/unknown');
  expect(against('serial', 'off', ['front', 'wrist'])).toBeNull();
  expect(against('serial', 'on', [])).toBeNull();
  expect(against('serial', 'off', [], 'shadow')).toBeNull();
});
