/**
 * The arms this worker can open by their kind alone: the simulated one, and those of servos as they calibrated themselves. The virtual
 * arm is the whole serial path with virtual servos at its end, and behind those the simulated arm on the table.
 */
import type { ArmKind } from '#contracts/control.ts';
import type { RobotName } from '#contracts/robot.ts';
import type { Arm } from '#core/arm/arm.ts';
import { simulatedArm, type SimulatedArmMemory } from '#core/arm/simulated.ts';
import { FailureError } from '#core/lib/failure.ts';
import { robotNamed } from '#core/robots/known.ts';
import type { Bench } from './bench.ts';

export interface ArmsParts {
  readonly memory: SimulatedArmMemory;
  readonly bench: Bench;
}

/** The simulated arm at once, the others later. Throws `arm/unsupported`; rejects as `connectServos`. */
export function openArm(kind: ArmKind, body: RobotName, { memory, bench }: ArmsParts): Arm | Promise<Arm> {
  switch (kind) {
    case 'simulated':
      return simulatedArm(memory, robotNamed(body));
    case 'virtual':
      return bench.open({ place: { kind, body }, calibration: 'in-servos' }).then(({ arm }) => arm);
    case 'serial':
      return bench.open({ place: { kind, adapter: null, body }, calibration: 'in-servos' }).then(({ arm }) => arm);
    case 'replay':
      throw new FailureError('arm/unsupported', { kind });
  }
}
