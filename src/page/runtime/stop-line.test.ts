import { describe, expect, it } from 'vitest';
import { STOP_CONFIRM_MS, STOP_FLAG, STOP_FLAG_LENGTH } from '#contracts/slots.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { stopLine } from './stop-line.ts';

function flagMemory(): { readonly memory: SharedArrayBuffer; readonly flag: Int32Array } {
  const memory = new SharedArrayBuffer(4 * STOP_FLAG_LENGTH);
  return { memory, flag: new Int32Array(memory) };
}

describe('the stop line', () => {
  it('has written the request by the time the call returns', () => {
    const { memory, flag } = flagMemory();
    void stopLine(memory, manualClock()).request();
    expect(Atomics.load(flag, STOP_FLAG.requested)).toBe(1);
  });

  it('tells how long the control loop took to acknowledge', async () => {
    const { memory, flag } = flagMemory();
    const clock = manualClock();
    const confirmation = stopLine(memory, clock).request();
    await clock.advanceBy(30);
    Atomics.store(flag, STOP_FLAG.acknowledged, 1);
    await clock.advanceBy(10);
    expect(await confirmation).toEqual({ kind: 'acknowledged', afterMs: 35 });
  });

  it('says so when nobody acknowledges in time', async () => {
    const { memory } = flagMemory();
    const clock = manualClock();
    const confirmation = stopLine(memory, clock).request();
    await clock.advanceBy(STOP_CONFIRM_MS + 10);
    expect(await confirmation).toEqual({ kind: 'not-confirmed', waitedMs: STOP_CONFIRM_MS });
  });

  it('believes an acknowledgement it sees late, as in a hidden tab', async () => {
    const { memory, flag } = flagMemory();
    const clock = manualClock();
    const confirmation = stopLine(memory, clock).request();
    Atomics.store(flag, STOP_FLAG.acknowledged, 1);
    clock.jumpTo(1000);
    await clock.advanceTo(1001);
    expect((await confirmation).kind).toBe('acknowledged');
  });

  it('does not take the answer to an earlier Stop for the answer to this one', async () => {
    const { memory, flag } = flagMemory();
    const clock = manualClock();
    const line = stopLine(memory, clock);
    void line.request();
    Atomics.store(flag, STOP_FLAG.acknowledged, 1);
    await clock.advanceBy(20);
    const second = line.request();
    await clock.advanceBy(STOP_CONFIRM_MS + 10);
    expect((await second).kind).toBe('not-confirmed');
  });

  it('keeps working when the counter wraps around', async () => {
    const { memory, flag } = flagMemory();
    Atomics.store(flag, STOP_FLAG.requested, 0x7fffffff);
    const clock = manualClock();
    const confirmation = stopLine(memory, clock).request();
    Atomics.store(flag, STOP_FLAG.acknowledged, Atomics.load(flag, STOP_FLAG.requested));
    await clock.advanceBy(20);
    expect((await confirmation).kind).toBe('acknowledged');
  });
});
