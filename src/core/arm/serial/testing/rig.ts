/** Virtual servos, a bus over them and an arm over that, on a manual clock: what the tests of this room stand on. */
import { manualClock, type ManualClock } from '#core/lib/manual-clock.ts';
import { createGate } from '#core/safety/gate.ts';
import type { SafeCommand } from '#core/safety/safe-command.ts';
import { SO100 } from '#core/robots/so100.ts';
import { virtualArm, virtualPlant, type VirtualArm, type VirtualArmOptions } from '../../virtual/virtual-arm.ts';
import type { SimplePlant } from '../../virtual/simple-plant.ts';
import { connectSerialArm, type ConnectedArm, type ConnectOptions } from '../connect.ts';
import { createBus, type Bus } from '../feetech/bus.ts';

export interface ServoRig {
  readonly clock: ManualClock;
  readonly servos: VirtualArm;
  readonly plant: SimplePlant;
  /** Lets time pass until `work` is settled; rejects after a minute of the clock. */
  drive<T>(work: Promise<T>): Promise<T>;
}

export function servoRig(options: Partial<VirtualArmOptions> = {}): ServoRig {
  const clock = manualClock(1_000_000);
  const plant = virtualPlant(options.start ?? [0.1, -0.5, 0.4, 0.2, 0, 0.3], options.robot);
  const servos = virtualArm({ clock, plant, ...options });
  servos.run(5);
  return { clock, servos, plant, drive: (work) => drive(clock, work) };
}

export function busRig(options: Partial<VirtualArmOptions> = {}): ServoRig & { readonly bus: Bus } {
  const rig = servoRig(options);
  return { ...rig, bus: createBus(rig.servos.link, { clock: rig.clock }) };
}

export async function armRig(options: Partial<VirtualArmOptions> = {}, connect: Partial<ConnectOptions> = {}): Promise<ServoRig & ConnectedArm> {
  const rig = servoRig(options);
  const connected = await rig.drive(connectTo(rig, connect));
  return { ...rig, ...connected };
}

export function connectTo(rig: ServoRig, connect: Partial<ConnectOptions> = {}): Promise<ConnectedArm> {
  return connectSerialArm({ link: rig.servos.link, clock: rig.clock, calibration: rig.servos.calibration, robot: SO100, kind: 'virtual', configure: 'write', ...connect });
}

async function drive<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  work.then(done, done);
  const limitMs = clock.nowMs() + 60_000;
  while (!settled) {
    if (clock.nowMs() >= limitMs) throw new Error('a minute of the clock was not enough');
    await clock.advanceBy(0.5);
  }
  return work;
}

/** What the gate makes of standing at `positions`. */
export function holdAt(positions: ArrayLike<number>): SafeCommand {
  const limits = Array.from({ length: 6 }, () => ({ least: -3.2, most: 3.2, marginRad: 0, maxSpeedRadPerS: 2, maxAccelerationRadPerS2: 12 }));
  return createGate({ limits, tickSeconds: 1 / 30, staleAfterMs: 200 }, positions).pass(null, { stateAgeMs: 0 }).command;
}
