/** The SO-100's links by name: the whole model in one value. */
import { addLowerArm, addUpperArm } from './arms.ts';
import { addBase } from './base.ts';
import { addFixedJaw, addMovingJaw } from './gripper.ts';
import { addShoulder } from './shoulder.ts';
import { addWrist } from './wrist.ts';

export const SO100_MODEL = { base: addBase, shoulder: addShoulder, upper_arm: addUpperArm, lower_arm: addLowerArm, wrist: addWrist, gripper: addFixedJaw, jaw: addMovingJaw };
