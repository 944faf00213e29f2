/**
 * The base: two lattice feet, the housing that carries the pan servo, the head over it with its cable hole, and the plate at the back for
 * the driver board, which sits lower than an SO-100's. Frame of the link `base`, millimetres: z up, the arm looks along -y.
 */
import * as THREE from 'three';
import { type ArmPart, mark, partIn, screw } from '../finish.ts';
import { addServo } from '../servo.ts';
import { circle, diamond, drum, extrude, mirrored, roundedBox, type Corner } from '../shapes.ts';
import { addDriverBoard } from '../so100/base.ts';
import { clip } from './clip.ts';

const FOOT_HEIGHT = 17.3;
/** One foot, counter-clockwise from its inner corner at the back. */
const FOOT: readonly Corner[] = [
  [10, 15.8],
  [43.4, 15.8, 3],
  [43.4, 0, 2],
  [55.5, -20.6, 4],
  [55.5, -31.4, 4],
  [32.8, -71, 3],
  [26, -71, 4],
  [16, -52, 2],
  [10, -30, 2],
];
const FOOT_SCREWS = [
  [32, 7.4],
  [29.2, -62.4],
] as const;

export function addBase(part: ArmPart): void {
  const holes = lattice();
  const openHoles = part.detail === 'fine' ? holes : [];
  if (part.detail === 'plain') part.add('recess', ...holes.flatMap((hole) => [mark('xy', hole, FOOT_HEIGHT, 1), mark('xy', other(hole), FOOT_HEIGHT, 1)]));
  part.add(
    'print',
    extrude({ plane: 'xy', outline: FOOT, holes: openHoles, from: 0, to: FOOT_HEIGHT, bevel: 1.4, bevelSegments: 2 }),
    extrude({ plane: 'xy', outline: other(FOOT), holes: openHoles.map(other), from: 0, to: FOOT_HEIGHT, bevel: 1.4, bevelSegments: 2 }),
    // The floor between the feet, and the block under the servo.
    roundedBox([-12, -32, 0], [12, 15.6, 6.6], 0.8, 1),
    // Pillars either side of the cable opening, and the bridge above it.
    ...[-1, 1].map((side) => extrude({ plane: 'xy', outline: [[side * 9.4, 15.7, 1], [side * 22.4, 15.7, 2.5], [side * 22.4, -18, 4], [side * 9.4, -26.4, 3]], from: 2, to: 40, bevel: 0.8 })),
    roundedBox([-21, -12, 32], [21, 15.4, 41], 1.2),
    // The belt around the servo, higher behind than in front.
    extrude({ plane: 'xy', outline: belt(), holes: [[[-12.8, -8], [12.8, -8], [12.8, -56], [-12.8, -56]]], from: 38.6, to: 58.4, bevel: 1.3, bevelSegments: 2 }),
    ...[-1, 1].map((side) => extrude({ plane: 'xy', outline: [[side * 18.4, 20.6, 2], [side * 22.2, 20.6, 2], [side * 22.2, -11.8, 2], [side * 18.4, -11.8, 2]], from: 57, to: 69.4, bevel: 0.8 })),
    extrude({ plane: 'xy', outline: mirrored([[8, 17, 1], [22, 17, 1], [22, 20.6, 2]]), from: 57, to: 69.4, bevel: 0.8 }),
    // The head, with its round cable hole.
    extrude({ plane: 'xy', outline: mirrored([[6.5, -30.4, 6], [13.8, -19, 6], [17.4, -8, 8], [17.4, 15.7, 4]]), holes: [circle(0, -0.4, 5.6)], from: 57, to: 72, bevel: 1.8, bevelSegments: 3 }),
    backPlate(),
    ...clip([22, -25, 43.8], [25.2, -13.4, 54.4], 1),
  );
  for (const side of [-1, 1] as const) {
    for (const [x, y] of FOOT_SCREWS) {
      part.add('print', drum('z', [side * x, y], 5.2, FOOT_HEIGHT - 3, FOOT_HEIGHT + 0.35, 0.3, 24));
      part.add('hole', mark('xy', circle(side * x, y, 3.7, 20), FOOT_HEIGHT + 0.35, 1));
      part.add('metal', screw('z', [side * x, y], FOOT_HEIGHT + 0.4, 1, 2.6));
    }
    part.add('metal', screw('x', [4, 48.4], side * 22, side, 1.3));
    part.add('hole', mark('xz', circle(side * 18.2, 65.4, 2.2, 20), 17.1, -1));
  }
  addServo(part, { centre: [0, -45.2, 46.5], shaft: [0, 0, 1], shortEnd: [0, -1, 0] });
  addDriverBoard(partIn(part, new THREE.Matrix4().makeTranslation(0, -0.3, -13.2)));
}

/** The foot on the other side. */
function other(outline: readonly Corner[]): Corner[] {
  return [...outline].reverse().map(([x, y, radius]) => [-x, y, radius ?? 0] as const);
}

function belt(): Corner[] {
  return mirrored([
    [15.4, -59.3, 4],
    [17.8, -40, 30],
    [22.2, -12, 8],
    [22.2, 20.6, 4],
  ]);
}

/** Staggered diamonds over one foot, clear of its edges, of the housing and of the screws. */
function lattice(): Corner[][] {
  const holes: Corner[][] = [];
  for (let row = 0; row < 10; row++) {
    for (let column = 0; column < 6; column++) {
      const x = 25.6 + column * 5.4;
      const y = 9 - row * 8.6 - (column % 2) * 4.3;
      const nearScrew = FOOT_SCREWS.some(([sx, sy]) => Math.hypot(sx - x, sy - y) < 8.6);
      if (nearScrew || insideBy(x, y) < 4.6) continue;
      holes.push(diamond(x, y, 2.1, 3.1));
    }
  }
  return holes;
}

/** How far a point lies inside the foot, millimetres; its corners all turn one way. */
function insideBy(x: number, y: number): number {
  return FOOT.reduce((least, [ax, ay], i) => {
    const [bx, by] = FOOT[(i + 1) % FOOT.length] as Corner;
    return Math.min(least, ((ay - by) * (ax - x) - (ax - bx) * (ay - y)) / Math.hypot(bx - ax, by - ay));
  }, Number.POSITIVE_INFINITY);
}

function backPlate() {
  return extrude({
    plane: 'xz',
    outline: [[-25.5, 28.8, 6], [25.5, 28.8, 6], [25.5, 70.8, 6], [-25.5, 70.8, 6]],
    holes: [circle(-18.2, 65.4, 2.2, 20), circle(18.2, 65.4, 2.2, 20)],
    from: 17,
    to: 24.6,
    bevel: 0.8,
    bevelSegments: 2,
  });
}
