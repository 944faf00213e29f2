/**
 * Upper and lower arm: two printed forks of the same family. Two legs hold the horns of the joint below, a web joins
 * them, and the far end carries the next servo. Frames of the links `upper_arm` (arm along y) and `lower_arm` (arm
 * along z), millimetres.
 */
import * as THREE from 'three';
import { type ArmPart, mark, screw } from '../finish.ts';
import { collar, type Fork, FORK_HALF, forkSolids, jointScrews } from '../fork.ts';
import { addServo } from '../servo.ts';
import { diamond, extrude, moved, roundedBox } from '../shapes.ts';

const UPPER: Fork = { leftOuter: 35, rightOuter: 35, leftTop: 24.8, rightTop: 24.8, taperFrom: 48, taperTo: 90, end: 130.2 };
const LOWER: Fork = { leftOuter: 35, rightOuter: 26, leftTop: 25.5, rightTop: 25, taperFrom: 48, taperTo: 92, end: 100 };

export function addUpperArm(part: ArmPart): void {
  part.add(
    'print',
    ...forkSolids(UPPER),
    // The raised seat of the elbow servo: a floor behind and cheeks at both sides.
    roundedBox([-24.8, 95, 4], [-17.4, 130.2, 13], 1.6),
    roundedBox([17.4, 95, 4], [24.8, 130.2, 13], 1.6),
    // Cable clip.
    moved(roundedBox([18, 32, 11], [30, 42, 15.6], 0.8), turnedAbout(24, 37, -0.45)),
  );
  part.add('metal', ...jointScrews(UPPER));
  for (const side of [-1, 1] as const) for (const y of [102.5, 123]) part.add('metal', screw('x', [y, -4.5], side * 24.8, side, 1.4));
  for (const x of [-12.3, -4.1, 4.1, 12.3]) for (const y of [107.5, 115.5, 123]) part.add('hole', mark('xy', diamond(x, y, 2.3, 2.3), -FORK_HALF, -1));
  part.add('hole', mark('xz', [[-7.8, -6.5, 1], [7.8, -6.5, 1], [7.8, 9], [-7.8, 9]], 130.2, 1));
  addServo(part, { centre: [0, 112.57, 28], shaft: [1, 0, 0], shortEnd: [0, 0, 1] });
}

export function addLowerArm(part: ArmPart): void {
  // Drawn lying like the upper arm, then stood up: y along the arm becomes z, and z through it becomes -y.
  const stand = new THREE.Matrix4().makeRotationX(Math.PI / 2);
  part.add('print', ...forkSolids(LOWER).map((solid) => moved(solid, stand)));
  part.add('metal', ...jointScrews(LOWER).map((solid) => moved(solid, stand)));
  part.add(
    'print',
    extrude({ plane: 'xy', outline: collar(0), holes: [collar(3.2)], from: 91, to: 118.6, bevel: 0.9, bevelSegments: 2 }),
    extrude({ plane: 'xy', outline: collar(0.6), from: 91.2, to: 95, bevel: 0.4, bevelSegments: 1 }),
    roundedBox([-17, -13, 92], [17, 19, 100], 0.6, 1),
  );
  for (const x of [-12.3, -4.1, 4.1, 12.3]) {
    for (const z of [99.8, 109.8]) part.add('hole', mark('xz', diamond(x, z, 2.2, 2.2), 21.4, 1), mark('xz', diamond(x, z, 2.2, 2.2), -15, -1));
  }
  for (const side of [-1, 1] as const) for (const y of [-5, 15.5]) part.add('metal', screw('x', [y, 102], side * 26.2, side, 1.4));
  addServo(part, { centre: [0, 5.2, 134.9], shaft: [1, 0, 0], shortEnd: [0, 0, 1] });
}

function turnedAbout(x: number, y: number, angle: number): THREE.Matrix4 {
  return new THREE.Matrix4().makeTranslation(x, y, 0).multiply(new THREE.Matrix4().makeRotationZ(angle)).multiply(new THREE.Matrix4().makeTranslation(-x, -y, 0));
}
