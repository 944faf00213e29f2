/** The shoulder: the bracket and collar of an SO-100's, with a clip for the cable at the collar's corner. Drawn in that one's frame, millimetres. */
import * as THREE from 'three';
import type { ArmPart } from '../finish.ts';
import { moved } from '../shapes.ts';
import { addShoulder as addSo100Shoulder } from '../so100/shoulder.ts';
import { clip } from './clip.ts';

export function addShoulder(part: ArmPart): void {
  addSo100Shoulder(part);
  const turned = new THREE.Matrix4().makeRotationY(Math.PI / 4).setPosition(23.2, 76, 18.4);
  part.add('print', ...clip([-2, -6.5, -4.6], [3.2, 6.5, 4.6], 1).map((solid) => moved(solid, turned)));
}
