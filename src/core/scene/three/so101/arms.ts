/**
 * Upper and lower arm: forks like an SO-100's, narrower at the joint, with cable clips on the outer leg. Drawn in that one's frames
 * (upper arm along y, lower arm along z), millimetres.
 */
import * as THREE from 'three';
import { type ArmPart, mark, screw } from '../finish.ts';
import { collar, type Fork, FORK_HALF, forkSolids, jointScrews } from '../fork.ts';
import { addServo } from '../servo.ts';
import { diamond, extrude, moved, roundedBox } from '../shapes.ts';
import { clip } from './clip.ts';

const UPPER: Fork = { leftOuter: 31.7, rightOuter: 31.7, leftTop: 24.9, rightTop: 24.9, taperFrom: 62, taperTo: 90, end: 130.2 };
const LOWER: Fork = { leftOuter: 30.2, rightOuter: 30.2, leftTop: 26, rightTop: 26, taperFrom: 40, taperTo: 51, end: 100 };

export function addUpperArm(part: ArmPart): void {
  part.add(
    'print',
    ...forkSolids(UPPER),
    // The seat of the elbow servo: cheeks at both sides, a floor behind.
    roundedBox([-24.9, 98, 4], [-17.4, 130.2, 12.6], 1.6),
    roundedBox([17.4, 98, 4], [24.9, 130.2, 12.6], 1.6),
    ...clip([31.2, 15.5, -7.4], [35.6, 26.5, 6.2], 2),
  );
  part.add('metal', ...jointScrews(UPPER));
  for (const side of [-1, 1] as const) for (const y of [102.5, 123]) part.add('metal', screw('x', [y, -4.5], side * 24.9, side, 1.4));
  for (const x of [-12.6, -4.3, 4.1, 12.4]) for (const y of [99.6, 107.4, 115.2, 123]) part.add('hole', mark('xy', diamond(x, y, 2.1, 2.1), -FORK_HALF, -1));
  part.add('case', mark('xz', [[-7.8, -6.5], [7.8, -6.5], [7.8, 12], [-7.8, 12]], 130.2, 1));
  addServo(part, { centre: [0, 112.57, 28], shaft: [1, 0, 0], shortEnd: [0, 0, 1] });
}

export function addLowerArm(part: ArmPart): void {
  // Drawn lying like the upper arm, then stood up: y along the arm becomes z, and z through it becomes -y.
  const stand = new THREE.Matrix4().makeRotationX(Math.PI / 2);
  part.add('print', ...forkSolids(LOWER).map((solid) => moved(solid, stand)));
  part.add('metal', ...jointScrews(LOWER).map((solid) => moved(solid, stand)));
  part.add(
    'print',
    extrude({ plane: 'xy', outline: collar(0), holes: [collar(3.2)], from: 90.8, to: 118.6, bevel: 0.9, bevelSegments: 2 }),
    roundedBox([-17, -13, 92], [17, 19, 100], 0.6, 1),
    ...clip([29.8, -7.2, 10.8], [34.2, 6.4, 21.4], 1),
    ...clip([25.8, -7.8, 105.5], [30, 4.4, 114], 1),
  );
  for (const x of [-12.3, -4.1, 4.1, 12.3]) {
    for (const z of [99.6, 109.6]) part.add('hole', mark('xz', diamond(x, z, 2.2, 2.2), 21.4, 1), mark('xz', diamond(x, z, 2.2, 2.2), -15, -1));
  }
  for (const side of [-1, 1] as const) for (const y of [-5, 15.5]) part.add('metal', screw('x', [y, 102], side * 26.2, side, 1.4));
  addServo(part, { centre: [0, 5.2, 134.9], shaft: [1, 0, 0], shortEnd: [0, 0, 1] });
}
