/** What a policy sees once: pictures by camera name, joint state, and the sentence. */
import type { CameraPicture } from './picture.ts';
import type { JointUnitsVector } from './units.ts';

export interface Observation {
  /** Keyed as the robot names its cameras; the policy's own rename map applies later. */
  readonly pictures: Readonly<Record<string, CameraPicture>>;
  /** LeRobot joint units. The length is the policy's state size, 6 for our arms. */
  readonly state: JointUnitsVector;
  readonly stateAtMs: number;
  readonly sentence: string;
}
