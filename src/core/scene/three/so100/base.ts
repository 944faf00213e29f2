/**
 * The base: two lattice feet, the housing that carries the pan servo, the cable opening at the back and the plate with
 * the driver board. Frame of the link `base`, millimetres: z up, the arm looks along -y.
 */
import { circle, diamond, drum, extrude, mirrored, roundedBox, type Corner } from '../shapes.ts';
import { type ArmPart, mark, screw } from '../finish.ts';
import { addServo } from '../servo.ts';

const FOOT_HEIGHT = 16;
const FOOT_HALF: readonly Corner[] = [
  [10, 15.5],
  [43, 15.5, 3],
  [43, -1, 4],
  [55.4, -26, 5],
  [32.5, -71, 4],
  [22.5, -71, 4],
  [15.5, -58.5, 1],
];
const FOOT_SCREWS = [
  [32, 7.5],
  [28, -62],
] as const;

export function addBase(part: ArmPart): void {
  // Through the feet where one can look into them, on them where a hole is smaller than a pixel.
  const holes = lattice();
  if (part.detail === 'plain') part.add('recess', ...holes.map((hole) => mark('xy', hole, FOOT_HEIGHT, 1)));
  part.add(
    'print',
    extrude({ plane: 'xy', outline: foot(), holes: part.detail === 'fine' ? holes : [], from: 0, to: FOOT_HEIGHT, bevel: 1.4, bevelSegments: 2 }),
    // The block under the servo.
    extrude({ plane: 'xy', outline: mirrored([[11, -10, 2], [15, -58.5, 3]]), from: 1, to: 17.6, bevel: 1 }),
    // Pillars either side of the cable opening, and the bridge above it.
    ...[-1, 1].map((side) => extrude({ plane: 'xy', outline: [[side * 10, 15.4, 1], [side * 22, 15.4, 2.5], [side * 22, -17, 4], [side * 10, -26, 3]], from: 2, to: 39.5, bevel: 0.8 })),
    roundedBox([-21, -12, 28], [21, 15, 40], 1.2),
    // The belt around the servo.
    extrude({ plane: 'xy', outline: belt(0), holes: [[[-12.8, -8], [12.8, -8], [12.8, -56], [-12.8, -56]]], from: 38.4, to: 58, bevel: 1.3, bevelSegments: 2 }),
    // The head over it, with its round cable hole, and the lip that clamps the servo.
    extrude({ plane: 'xy', outline: mirrored([[16.5, -17, 4], [20.5, -10, 5], [20.5, 19.6, 5]]), holes: [circle(0, -1, 6.2)], from: 56, to: 72, bevel: 2, bevelSegments: 3 }),
    extrude({ plane: 'xy', outline: mirrored([[7.5, -27, 5], [13, -19, 3], [15, -8, 3]]), from: 63, to: 73.6, bevel: 1, bevelSegments: 2 }),
    // The back plate.
    roundedPlate(),
  );
  for (const side of [-1, 1]) {
    for (const [x, y] of FOOT_SCREWS) {
      part.add('print', drum('z', [side * x, y], 5, FOOT_HEIGHT - 3, FOOT_HEIGHT + 0.35, 0.3, 24));
      part.add('hole', mark('xy', circle(side * x, y, 3.6, 20), FOOT_HEIGHT + 0.35, 1));
      part.add('metal', screw('z', [side * x, y], FOOT_HEIGHT + 0.4, 1, 2.6));
    }
    part.add('metal', screw('x', [4, 48], side * 21.9, side === 1 ? 1 : -1, 1.3));
    part.add('hole', mark('xz', circle(side * 18.5, 77, 2.4, 20), 21, -1));
  }
  addServo(part, { centre: [0, -45.2, 47], shaft: [0, 0, 1], shortEnd: [0, -1, 0] });
  addDriverBoard(part);
}

function foot(): Corner[] {
  // The opening at the back runs in between the pillars.
  const right: Corner[] = [[10, -4, 1.5], ...FOOT_HALF];
  return mirrored(right);
}

function belt(grow: number): Corner[] {
  return mirrored([
    [15.8 + grow, -59.2 - grow, 4],
    [18 + grow, -40, 30],
    [22 + grow, -12, 8],
    [22 + grow, 20.4 + grow, 4],
  ]);
}

/** Staggered diamonds over both feet, kept clear of the edges, the middle and the screws. */
function lattice(): Corner[][] {
  const holes: Corner[][] = [];
  for (let row = 0; row < 9; row++) {
    for (let column = 0; column < 6; column++) {
      const x = 23 + column * 5.6;
      const y = -4 - row * 7.6 - (column % 2) * 3.8;
      // Distance inside the two slanted edges and the inner side.
      const toUpper = (55.4 - x) * 0.9 - Math.max(0, y + 26) * 0.44;
      const toLower = (55.4 - x) * 0.89 + Math.min(0, y + 26) * 0.455;
      const inner = x - 19 - Math.max(0, -y - 50) * 0.35;
      const nearScrew = FOOT_SCREWS.some(([sx, sy]) => Math.hypot(sx - x, sy - y) < 8.5);
      if (toUpper < 5.2 || toLower < 5.2 || inner < 2.5 || nearScrew) continue;
      for (const side of [-1, 1]) holes.push(diamond(side * x, y, 2, 2.9));
    }
  }
  return holes;
}

function roundedPlate() {
  return extrude({
    plane: 'xz',
    outline: [[-25.4, 42, 6], [25.4, 42, 6], [25.4, 83.5, 6], [-25.4, 83.5, 6]],
    holes: [circle(-18.5, 77, 2.4, 20), circle(18.5, 77, 2.4, 20)],
    from: 20,
    to: 24.9,
    bevel: 0.8,
    bevelSegments: 2,
  });
}

/** The bus adapter, screwed to the back plate: a board, two sockets, the power jack. */
export function addDriverBoard(part: ArmPart): void {
  part.add('board', extrude({ plane: 'xz', outline: [[-21, 45, 2], [21, 45, 2], [21, 73, 2], [-21, 73, 2]], from: 27.6, to: 29.2, bevel: 0.2, bevelSegments: 1 }));
  for (const [x, z] of [[-18, 48], [18, 48], [-18, 70], [18, 70]] as const) part.add('metal', drum('y', [x, z], 2, 24.8, 30, 0.3, 12));
  part.add('trim', roundedBox([-16, 29, 62], [-7, 37, 70], 0.6, 1), roundedBox([-4, 29, 62], [5, 37, 70], 0.6, 1), roundedBox([8, 29, 60], [17, 41, 71], 0.8, 1));
  part.add('metal', roundedBox([-5, 29, 44], [5, 36, 48], 0.8, 1));
}
