/**
 * Two arms on one command: the one that counts, and the simulated one that goes along, so that a policy may look at the simulation while a
 * real arm moves. Readings, faults and ranges are the real arm's alone: what the gate and the watch decide, they decide for the arm that
 * can hurt somebody. The drawn arm gets every command that the real one took, and its own trouble stops nothing real.
 */
import type { Arm } from './arm.ts';

export function mirrored(real: Arm, drawn: Arm): Arm {
  /** Of the simulated world: a policy that looks at it must not go on with a plan from before a reset. */
  let epoch = 0;
  const look = (nowMs: number): void => {
    const reading = drawn.read(nowMs);
    if (reading.kind !== 'failed') ({ epoch } = reading.value);
  };
  return {
    ...real,
    read(nowMs) {
      look(nowMs);
      const reading = real.read(nowMs);
      return reading.kind === 'failed' ? reading : { ...reading, value: { ...reading.value, epoch } };
    },
    async engage(at, stamp) {
      await real.engage(at, stamp);
      look(stamp.atMs);
      await drawn.engage(at, stamp);
    },
    async release(stamp) {
      await real.release(stamp);
      await drawn.release(stamp);
    },
    send(command, stamp) {
      real.send(command, stamp);
      drawn.send(command, stamp);
    },
    async close() {
      await drawn.close();
      await real.close();
    },
  };
}
