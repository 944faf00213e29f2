/**
 * The wrist: a fork on the wrist-flex servo that swells into the housing of the wrist-roll servo. Frame of the link
 * `wrist`, millimetres: the roll axis is -y, the flex axis x.
 */
import { extrude, lathe, moved, type Corner } from '../shapes.ts';
import { type ArmPart, hornScrews, mark, screw } from '../finish.ts';
import { addServo } from '../servo.ts';
import * as THREE from 'three';

/** The housing from above (x across, y up): straight on the servo's long end, a bow on the other side. */
const HOUSING: readonly Corner[] = [
  [-35.2, -62.3, 2],
  [-9, -62.3, 6],
  [4, -57.5, 20],
  [15, -50.5, 16],
  [23, -41, 14],
  [27.8, -29, 14],
  [27, -19, 4],
  [17.8, -18, 1],
  [15.5, -21.5, 3],
  [9, -23.6, 6],
  [-18, -23.6, 1],
  [-18, -16, 1],
  [-27.5, -16.2, 6],
  [-35.2, -23.5, 7],
];

export function addWrist(part: ArmPart): void {
  part.add(
    'print',
    extrude({ plane: 'xy', outline: HOUSING, from: -15.6, to: 15.6, bevel: 2, bevelSegments: 3 }),
    // Fork legs: round about the flex axis, waisted, then flaring into the housing.
    extrude({ plane: 'yz', outline: waisted(-24), from: 18, to: 27, bevel: 1.2, bevelSegments: 2 }),
    extrude({ plane: 'yz', outline: waisted(-22), from: -25, to: -18, bevel: 1, bevelSegments: 2 }),
    // The left leg reaches the idler horn by a cone and a disc.
    moved(lathe([[0, 0], [10.5, 0], [7, 7.4], [0, 7.4]], 32), alongMinusX(-24.8)),
    moved(lathe([[0, 0], [11.6, 0], [12, 0.4], [12, 2.2], [11.6, 2.6], [0, 2.6]], 36), alongMinusX(-32.6)),
  );
  part.add('metal', ...hornScrews('x', [0, 0], 27, 1), ...hornScrews('x', [0, 0], -35.2, -1));
  // Windows: the servo's end, and the two slanted slots on top and below.
  part.add('case', mark('yz', [[-60, -12.4, 1], [-26.5, -12.4, 1], [-26.5, 12.4, 1], [-60, 12.4, 1]], -35.2, -1));
  part.add('trim', mark('yz', [[-50, -8], [-36, -8], [-36, 8], [-50, 8]], -35.4, -1));
  for (const side of [-1, 1] as const) {
    for (const y of [-28, -42]) part.add('hole', mark('xy', [[-27.2, y], [-22.6, y], [-13.4, y - 8.8], [-17.8, y - 12.4], [-27.2, y - 4]], side * 15.6, side));
    part.add('metal', screw('y', [-29, side * 10], -62.3, -1, 1.4));
  }
  addServo(part, { centre: [0, -42.6, 0], shaft: [0, -1, 0], shortEnd: [1, 0, 0] });
}

/** y across, z up: a lobe of 12 mm about the axis, a waist of 7.5 mm, then the width of the housing at `flareY`. */
function waisted(flareY: number): Corner[] {
  const points: Corner[] = [];
  for (let i = 0; i <= 16; i++) {
    const angle = -2.2 + (4.4 * i) / 16;
    points.push([12 * Math.cos(angle), 12 * Math.sin(angle)]);
  }
  return [...points, [-14.5, 7.2, 8], [flareY, 13, 5], [flareY - 7, 14.6], [flareY - 7, -14.6], [flareY, -13, 5], [-14.5, -7.2, 8]];
}

function alongMinusX(from: number): THREE.Matrix4 {
  return new THREE.Matrix4().makeRotationY(-Math.PI / 2).setPosition(from, 0, 0);
}
