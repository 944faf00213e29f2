/** The arms that are described, by name. */
import type { RobotDescription, RobotName } from '#contracts/robot.ts';
import { SO100 } from './so100.ts';
import { SO101 } from './so101.ts';

const ROBOTS: Readonly<Record<RobotName, RobotDescription>> = { so100: SO100, so101: SO101 };

export function robotNamed(name: RobotName): RobotDescription {
  return ROBOTS[name];
}
