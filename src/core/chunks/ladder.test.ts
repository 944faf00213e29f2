import { describe, expect, test } from 'vitest';
import { ladder, ladderRungs, slowMs } from './ladder.ts';

const SMOLVLA = { denoisingSteps: 10, cameras: ['front', 'wrist'], chunkRows: 50, fps: 30 };

describe('the rungs', () => {
  test('fewer steps, then one camera', () => {
    expect(ladderRungs(SMOLVLA)).toEqual([
      { rung: 1, steps: 5, cameras: ['front', 'wrist'] },
      { rung: 2, steps: 3, cameras: ['front', 'wrist'] },
      { rung: 3, steps: 3, cameras: ['front'] },
    ]);
  });

  test('none that changes nothing', () => {
    expect(ladderRungs({ ...SMOLVLA, denoisingSteps: 2, cameras: ['front'] })).toEqual([{ rung: 1, steps: 1, cameras: ['front'] }]);
    expect(ladderRungs({ ...SMOLVLA, denoisingSteps: 1, cameras: ['front'] })).toEqual([]);
    expect(ladderRungs({ ...SMOLVLA, denoisingSteps: 1 })).toEqual([{ rung: 1, steps: 1, cameras: ['front'] }]);
  });
});

describe('stepping down', () => {
  test('833 ms for 50 actions at 30 a second', () => {
    expect(slowMs(SMOLVLA)).toBeCloseTo(833.3, 1);
  });

  test('one slow chunk is a hiccup, two in a row are a slow machine', () => {
    const one = ladder(SMOLVLA);
    for (const ms of [900, 800, 900, 833, 834]) one.look(ms);
    expect(one.reduction).toBeNull();
    one.look(834);
    expect(one.reduction).toMatchObject({ rung: 1, steps: 5 });
  });

  test('each rung gets its own two chunks; below the last there is none; nothing climbs', () => {
    const one = ladder(SMOLVLA);
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 9; i++) {
      one.look(5000);
      seen.push(one.reduction?.rung);
    }
    expect(seen).toEqual([undefined, 1, 1, 2, 2, 3, 3, 3, 3]);
    for (let i = 0; i < 20; i++) one.look(1);
    expect(one.reduction?.rung).toBe(3);
  });
});
