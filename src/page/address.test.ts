import { describe, expect, it } from 'vitest';
import { DEFAULT_SEED, readAddress } from './address.ts';

describe('the address', () => {
  it('forces an engine, gives a seed, fills the box', () => {
    expect(readAddress('?engine=wasm&seed=12&task=pick%20up%20the%20red%20cube')).toEqual({ engine: 'wasm', seed: 12, task: 'pick up the red cube', ladder: 'on', arm: null, robot: 'so100', only: 'page' });
  });

  it('takes nothing it does not understand', () => {
    expect(readAddress('?engine=cuda&seed=-1&seed=2')).toEqual({ engine: null, seed: DEFAULT_SEED, task: '', ladder: 'on', arm: null, robot: 'so100', only: 'page' });
    expect(['virtual', 'serial', 'simulated', 'real'].map((arm) => readAddress(`?arm=${arm}`).arm)).toEqual(['virtual', 'serial', null, null]);
    expect(['off', 'on', 'steps'].map((ladder) => readAddress(`?ladder=${ladder}`).ladder)).toEqual(['off', 'on', 'on']);
    expect(['episodes', 'bench', 'arm'].map((only) => readAddress(`?only=${only}`).only)).toEqual(['episodes', 'bench', 'page']);
    expect(readAddress('?seed=1e9')).toEqual({ engine: null, seed: DEFAULT_SEED, task: '', ladder: 'on', arm: null, robot: 'so100', only: 'page' });
    expect(readAddress(`?task=${'a'.repeat(1000)}`).task.length).toBe(200);
  });
});
