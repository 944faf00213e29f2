/** A folder becomes a policy of the page; steps and cameras change in its configuration and nowhere else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { changedConfig, checkpointUnderTest } from './checkpoint-under-test.ts';

const POCKET = join(import.meta.dirname, '../../public/policies/pocket');
const CONFIG = readFileSync(join(POCKET, 'config.json'), 'utf8');

describe('a checkpoint under test', () => {
  it('serves the folder as it is, and leaves other paths alone', () => {
    const { name, replace } = checkpointUnderTest(POCKET, { steps: null, cameras: null, noiseScale: null });
    expect(name).toBe('policies/under-test/pocket');
    expect(Buffer.from(replace(`${name}/config.json`) ?? []).toString()).toBe(CONFIG);
    expect(replace(`${name}/model.safetensors`)?.length).toBe(readFileSync(join(POCKET, 'model.safetensors')).length);
    expect(replace(`${name}/nothing.json`)).toBeNull();
    expect(replace('index.html')).toBeUndefined();
  });

  it('changes steps and cameras, and with them its identity', () => {
    const changed = JSON.parse(changedConfig(CONFIG, { steps: 2, cameras: ['front'] })) as { num_steps: number; input_features: object };
    expect(changed.num_steps).toBe(2);
    expect(Object.keys(changed.input_features)).toEqual(['observation.state', 'observation.images.front']);
    const plain = checkpointUnderTest(POCKET, { steps: null, cameras: null, noiseScale: null });
    expect(checkpointUnderTest(POCKET, { steps: 2, cameras: null, noiseScale: null }).sha256).not.toBe(plain.sha256);
    expect(checkpointUnderTest(POCKET, { steps: null, cameras: null, noiseScale: null }).sha256).toBe(plain.sha256);
    const still = checkpointUnderTest(POCKET, { steps: null, cameras: null, noiseScale: 0.25 });
    expect(still.sha256).not.toBe(plain.sha256);
    expect(JSON.parse(new TextDecoder().decode(still.replace(`${still.name}/card.json`) ?? undefined))).toMatchObject({ name: 'pocket', sampling: { noise_scale: 0.25 } });
  });

  it('names the cameras there are when asked for another', () => {
    expect(() => changedConfig(CONFIG, { steps: null, cameras: ['side'] })).toThrow('expected some of front, wrist, found "side"');
  });
});
