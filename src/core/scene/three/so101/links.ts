/**
 * The SO-101's links by name: the whole model in one value. Its links are drawn in the frames of `so100/`, because the printed parts are
 * of one family, and carried into its own (`SO101_DRAWN`); the base and the jaw lie in them as they are, but for a shift.
 */
import * as THREE from 'three';
import { SO101_DRAWN } from '#core/robots/so101.ts';
import { type ArmPart, partIn } from '../finish.ts';
import { addMovingJaw } from '../so100/gripper.ts';
import { addLowerArm, addUpperArm } from './arms.ts';
import { addBase } from './base.ts';
import { addFixedJaw } from './gripper.ts';
import { addShoulder } from './shoulder.ts';
import { addWrist } from './wrist.ts';

const MM = 1000;

export const SO101_MODEL = {
  base: drawnAs('base', addBase),
  shoulder: drawnAs('shoulder', addShoulder),
  upper_arm: drawnAs('upper_arm', addUpperArm),
  lower_arm: drawnAs('lower_arm', addLowerArm),
  wrist: drawnAs('wrist', addWrist),
  gripper: drawnAs('gripper', addFixedJaw),
  jaw: drawnAs('jaw', addMovingJaw),
};

function drawnAs(link: keyof typeof SO101_DRAWN, model: (part: ArmPart) => void): (part: ArmPart) => void {
  const { position, rotation } = SO101_DRAWN[link];
  const frame = new THREE.Matrix4().makeRotationFromQuaternion(new THREE.Quaternion(rotation[1], rotation[2], rotation[3], rotation[0]));
  frame.setPosition(position[0] * MM, position[1] * MM, position[2] * MM);
  return (part) => model(partIn(part, frame));
}
