/**
 * The shoulder: a C-shaped bracket that holds the pan servo by both horns, with the collar of the lift servo on top.
 * Frame of the link `shoulder`, millimetres: y up along the pan axis, z forward.
 */
import { circle, diamond, drum, extrude, type Corner } from '../shapes.ts';
import { type ArmPart, hornScrews, mark, screw } from '../finish.ts';
import { addServo } from '../servo.ts';

/** Front wall seen from the side (y across, z up): chamfered at the foot, running up to the collar. */
const WALL: readonly Corner[] = [
  [2, 26],
  [2, 35, 1.5],
  [15, 48, 2],
  [62, 48, 1],
  [62, 23, 1],
  [45, 23, 2],
  [45, 39, 3],
  [15, 39, 3],
  [12, 26, 2],
];

export function addShoulder(part: ArmPart): void {
  part.add(
    'print',
    extrude({ plane: 'yz', outline: WALL, from: -19.8, to: 19.8, bevel: 1.6, bevelSegments: 2 }),
    // What stiffens the wall between the legs.
    extrude({ plane: 'yz', outline: [[13, 30, 2], [46, 30, 2], [46, 42], [13, 42]], from: -14, to: 14, bevel: 1 }),
    // Lower leg, on the lower horn.
    extrude({ plane: 'xz', outline: leg(19.5, 36), from: 2, to: 12, bevel: 1.4, bevelSegments: 2 }),
    drum('y', [0, 0], 10, 0.2, 3, 0.4, 32),
    // Upper leg, on the upper horn, with the rib that carries it.
    extrude({ plane: 'xz', outline: leg(14, 30), from: 49, to: 59, bevel: 1.4, bevelSegments: 2 }),
    // Collar around the lift servo.
    extrude({ plane: 'xz', outline: ring(0), holes: [ring(3.2)], from: 58.4, to: 86.2, bevel: 0.9, bevelSegments: 2 }),
    extrude({ plane: 'xz', outline: ring(0.6), from: 58.6, to: 62, bevel: 0.4, bevelSegments: 1 }),
    // The bed the servo lies on.
    extrude({ plane: 'xz', outline: [[-17, 17], [17, 17], [17, 48], [-17, 48]], from: 60, to: 68, bevel: 0.3, bevelSegments: 1 }),
  );
  for (const x of [-12.3, -4.1, 4.1, 12.3]) {
    for (const y of [67.5, 77.5]) part.add('hole', mark('xy', diamond(x, y, 2.2, 2.2), 50.8, 1));
  }
  for (const side of [-1, 1] as const) {
    for (const z of [20, 41]) part.add('metal', screw('x', [69.5, z], side * 26.1, side, 1.4));
  }
  part.add('metal', ...hornScrews('y', [0, 0], 2, -1));
  part.add('hole', mark('xz', circle(0, 0, 2.6, 18), 0.2, -1));
  addServo(part, { centre: [0, 102.5, 30.6], shaft: [1, 0, 0], shortEnd: [0, 1, 0] });
}

/** Round about the pan axis, waisted, then as wide as the wall. x across, z up. */
function leg(wallHalfWidth: number, wallZ: number): Corner[] {
  const lobe: Corner[] = [];
  for (let i = 0; i <= 16; i++) {
    const angle = Math.PI + (Math.PI * i) / 16;
    lobe.push([12 * Math.cos(angle), 12 * Math.sin(angle)]);
  }
  return [...lobe, [10.2, 15, 8], [wallHalfWidth, wallZ, 2], [wallHalfWidth, wallZ + 8], [-wallHalfWidth, wallZ + 8], [-wallHalfWidth, wallZ, 2], [-10.2, 15, 8]];
}

function ring(inset: number): Corner[] {
  const radius = 7 - inset * 0.6;
  return [
    [-26.2 + inset, 15 + inset, radius],
    [26.2 - inset, 15 + inset, radius],
    [26.2 - inset, 50.8 - inset, radius],
    [-26.2 + inset, 50.8 - inset, radius],
  ];
}
