/**
 * The gripper: the fixed jaw with the jaw servo's cradle, and the moving jaw. Frames of the links `gripper` (roll axis
 * y, fingers along -y) and `jaw` (hinge z through the origin, finger along -y), millimetres.
 *
 * The gripping faces step in towards the tip, so the jaws meet there first.
 */
import { circle, drum, extrude, loft, type Corner } from '../shapes.ts';
import { type ArmPart, hornScrews, mark, screw } from '../finish.ts';
import { addServo } from '../servo.ts';

export function addFixedJaw(part: ArmPart): void {
  // Outlines seen from behind: x across, z up.
  const back: Corner[] = [
    [35.2, -16, 3],
    [26, -16.8, 6],
    [16.5, -24, 4],
    [-18, -24, 0],
    [-30.4, -20, 9],
    [-30.4, 20, 9],
    [-18, 24, 0],
    [16.5, 24, 4],
    [26, 16.8, 6],
    [35.2, 16, 3],
  ];
  const block: Corner[] = [
    [13.5, -24],
    [16.5, -24, 4],
    [26, -16.8, 6],
    [35.2, -16, 3],
    [35.2, 16, 3],
    [26, 16.8, 6],
    [16.5, 24, 4],
    [13.5, 24],
  ];
  // Cheeks over the servo, seen along z: x across, y up.
  const cheek: Corner[] = [
    [-16, -6.5],
    [20, -6.5],
    [20, -38.8, 2],
    [-3, -38.8, 3],
    [-9.5, -21, 8],
    [-16, -13.5, 2],
  ];
  part.add(
    'print',
    extrude({ plane: 'xz', outline: back, from: -12, to: -6, bevel: 1.8, bevelSegments: 3 }),
    extrude({ plane: 'xz', outline: block, from: -38.8, to: -7, bevel: 1.8, bevelSegments: 3 }),
    extrude({ plane: 'xy', outline: cheek, from: 19.6, to: 24, bevel: 1.2, bevelSegments: 2 }),
    extrude({ plane: 'xy', outline: cheek, from: -24, to: -19.6, bevel: 1.2, bevelSegments: 2 }),
    // The boss on the roll horn, with its foot.
    drum('y', [0, 0], 12, -7, -0.1, 0.5, 36),
    extrude({ plane: 'xz', outline: [[2, -8, 2], [16, -8, 2], [16, 8, 2], [2, 8, 2]], from: -7, to: -1.5, bevel: 1 }),
    finger([
      { y: -37, inner: 15, outer: 35.2, half: 16 },
      { y: -40, inner: 15, outer: 35, half: 14.6 },
      { y: -43, inner: 15, outer: 34.8, half: 13 },
      { y: -47, inner: 14.6, outer: 34, half: 11.6 },
      { y: -53, inner: 13.6, outer: 32, half: 10 },
      { y: -62, inner: 13.2, outer: 28.8, half: 8.8 },
      { y: -72, inner: 12.4, outer: 25.2, half: 8 },
      { y: -84, inner: 11.4, outer: 20.9, half: 7.1 },
      { y: -94, inner: 9.6, outer: 17.3, half: 6.1 },
      { y: -100, inner: 8.4, outer: 15.2, half: 4.9 },
      { y: -104, inner: 8.2, outer: 13.7, half: 3.4 },
      { y: -105.8, inner: 8.4, outer: 12.6, half: 2.1 },
      { y: -106.4, inner: 9.2, outer: 11.6, half: 1 },
    ]),
  );
  part.add('hole', mark('yz', circle(-24.4, 0, 7.5, 28), 35.2, 1));
  part.add('metal', drum('x', [-24.4, 0], 2, 34.9, 35.6, 0.2, 14));
  for (const y of [-15, -34]) for (const z of [-12.6, 12.6]) part.add('metal', screw('x', [y, z], 35.2, 1, 1.3));
  for (const side of [-1, 1] as const) {
    part.add('metal', screw('z', [9, -14], side * 24, side, 1.5), screw('z', [9, -34.5], side * 24, side, 1.5), screw('z', [-12, -10.5], side * 24, side, 1.5));
  }
  part.add('metal', ...hornScrews('y', [0, 0], -0.2, 1));
  addServo(part, { centre: [-20.2, -24.4, 0], shaft: [0, 0, 1], shortEnd: [-1, 0, 0] });
}

export function addMovingJaw(part: ArmPart): void {
  // One side plate, seen along the hinge: round about it, straight down to the bridge.
  const plate: Corner[] = [];
  for (let i = 0; i <= 16; i++) {
    const angle = (Math.PI * i) / 16;
    plate.push([10 * Math.cos(angle), 10 * Math.sin(angle)]);
  }
  plate.push([-10, -20.5, 1.5], [7.8, -20.5, 1.5]);
  // The bridge from one plate to the other, seen along x: y across, z up.
  const bridge: Corner[] = mirroredUp([
    [-4, 24],
    [-4, 19.7],
    [-11, 19.7],
    [-14.8, 16.5, 4],
  ], [
    [-24.5, 11, 4],
    [-21.8, 15.5, 4],
    [-20.8, 20.2, 3],
    [-7, 23.8, 4],
  ]);
  part.add(
    'print',
    extrude({ plane: 'xy', outline: plate, from: 19.7, to: 23.9, bevel: 0.8, bevelSegments: 2 }),
    extrude({ plane: 'xy', outline: plate, from: -23.9, to: -19.7, bevel: 0.8, bevelSegments: 2 }),
    extrude({ plane: 'yz', outline: bridge, from: -9.9, to: 7.9, bevel: 1.4, bevelSegments: 3 }),
    finger([
      { y: -19, inner: -8.2, outer: 8, half: 13 },
      { y: -23, inner: -8.2, outer: 7.6, half: 12 },
      { y: -27, inner: -8.2, outer: 7.2, half: 10.6 },
      { y: -34, inner: -8.2, outer: 6.4, half: 9.4 },
      { y: -46, inner: -8.2, outer: 5.1, half: 8.3 },
      { y: -59, inner: -8.4, outer: 3.6, half: 7.3 },
      { y: -62, inner: -9.6, outer: 2.2, half: 7 },
      { y: -70, inner: -10.6, outer: -1.6, half: 6 },
      { y: -75, inner: -12, outer: -4.1, half: 5 },
      { y: -79, inner: -12.2, outer: -6, half: 3.6 },
      { y: -81.3, inner: -11.8, outer: -7.4, half: 2 },
      { y: -82, inner: -11, outer: -8.6, half: 1 },
    ]),
  );
  for (const side of [-1, 1] as const) part.add('metal', ...hornScrews('z', [0, 0], side * 23.9, side));
}

interface FingerRing {
  readonly y: number;
  readonly inner: number;
  readonly outer: number;
  readonly half: number;
}

function finger(rings: readonly FingerRing[]) {
  return loft(rings.map(({ y, inner, outer, half }) => ({ y, x: [inner, outer] as const, z: [-half, half] as const, radius: Math.min(3, half * 0.8) })));
}

/** Closes an outline by its mirror image in "up": the inside runs out, the outside runs back. */
function mirroredUp(inside: readonly Corner[], outside: readonly Corner[]): Corner[] {
  const flip = (corners: readonly Corner[]): Corner[] => [...corners].reverse().map(([across, up, radius]) => [across, -up, radius ?? 0] as const);
  return [...inside, ...flip(inside), ...flip(outside), ...outside];
}
