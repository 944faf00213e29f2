/**
 * The fixed jaw: the plate on the roll horn, slanted cheeks around the jaw's servo, the finger with the steps of its gripping face. Drawn
 * in the frame of an SO-100's (roll axis y, fingers along -y), millimetres. The moving jaw is that one's own.
 */
import { type ArmPart, hornScrews, mark, screw } from '../finish.ts';
import { addServo } from '../servo.ts';
import { circle, drum, extrude, loft, roundedBox, type Corner, type Ring } from '../shapes.ts';
import { clip } from './clip.ts';

/** Seen from behind: x across, z up. */
const PLATE: readonly Corner[] = [
  [35.2, -15.8, 3],
  [25, -16.4, 5],
  [13, -24, 4],
  [-21.5, -24, 0],
  [-30, -17.5, 9],
  [-30, 17.5, 9],
  [-21.5, 24, 0],
  [13, 24, 4],
  [25, 16.4, 5],
  [35.2, 15.8, 3],
];
const BLOCK: readonly Corner[] = [
  [13, -24, 4],
  [25, -16.4, 5],
  [35.2, -15.8, 3],
  [35.2, 15.8, 3],
  [25, 16.4, 5],
  [13, 24, 4],
];

/** A cheek over the servo, seen along z: x across, y up; slanted from `top` to `bottom` at its free end. */
function cheek(top: number, bottom: number): Corner[] {
  return [
    [top, -6],
    [20, -6],
    [20, -37.2, 2],
    [bottom, -37.2, 2],
    [top, -10.5, 2],
  ];
}

export function addFixedJaw(part: ArmPart): void {
  part.add(
    'print',
    extrude({ plane: 'xz', outline: PLATE, from: -11, to: -5, bevel: 1.8, bevelSegments: 3 }),
    extrude({ plane: 'xz', outline: BLOCK, from: -37.2, to: -6, bevel: 1.6, bevelSegments: 3 }),
    extrude({ plane: 'xy', outline: cheek(-15, -2), from: 19.6, to: 24, bevel: 1.2, bevelSegments: 2 }),
    extrude({ plane: 'xy', outline: cheek(-4, 5), from: -24, to: -19.6, bevel: 1.2, bevelSegments: 2 }),
    // The boss on the roll horn, with its foot.
    drum('y', [0, 0], 12, -6, 0.9, 0.5, 36),
    roundedBox([8, -6, -6.5], [18.6, -1.8, 6.5], 0.8, 1),
    ...clip([-12.5, -10.8, -28], [1, -5.4, -23], 0),
    finger(),
  );
  part.add('hole', mark('yz', circle(-23.4, 0, 5, 24), 35.2, 1));
  for (const y of [-41, -49.6, -59, -68.4, -77.8, -87.2]) part.add('hole', mark('yz', circle(y, 0, 0.8, 10), innerAt(y), -1));
  for (const [side, xs] of [[1, [13.2, 9]], [-1, [12.6, 8.4]]] as const) {
    for (const x of xs) part.add('metal', screw('z', [x, -13], side * 24, side, 1.5), screw('z', [x, -33.6], side * 24, side, 1.5));
  }
  part.add('metal', ...hornScrews('y', [0, 0], 0.8, 1));
  addServo(part, { centre: [-20.2, -23.4, 0], shaft: [0, 0, 1], shortEnd: [-1, 0, 0] });
}

/** Where the gripping face steps in, and how far it stands from the roll axis from there on. */
const STEPS = [
  [-36, 14.8],
  [-45, 12.9],
  [-65, 11.4],
  [-84.5, 9.6],
  [-94.5, 7.7],
] as const;

function innerAt(y: number): number {
  return STEPS.findLast(([from]) => y <= from)?.[1] ?? 14.8;
}

/** Half the finger's width along it. */
const WIDTHS = [
  [-36, 16],
  [-40, 14.6],
  [-43, 13],
  [-47, 11.6],
  [-53, 10.2],
  [-62, 9],
  [-72, 8.4],
  [-84, 7.5],
  [-94, 6.2],
  [-100, 4.6],
  [-103, 2.8],
  [-104.4, 1.2],
] as const;

function finger() {
  const places = [...WIDTHS.map(([y]) => y), ...STEPS.slice(1).flatMap(([y]) => [y + 0.01, y - 0.2])].toSorted((a, b) => b - a);
  return loft(
    places.map((y): Ring => {
      const half = widthAt(y);
      // Straight behind the knuckle, then one slant to the tip.
      const outer = y > -43 ? 35.2 : 35.2 - ((-43 - y) * 21.6) / 61.4;
      const rounded = y < -103.5 ? 0.9 : 0;
      return { y, x: [innerAt(y) + rounded, outer - rounded], z: [-half, half], radius: Math.min(3, half * 0.7) };
    }),
  );
}

function widthAt(y: number): number {
  const next = WIDTHS.findIndex(([at]) => at <= y);
  const [y1, w1] = WIDTHS[next] ?? [y, 1.2];
  const [y0, w0] = WIDTHS[next - 1] ?? [y1 + 1, w1];
  return w0 + ((w1 - w0) * (y0 - y)) / (y0 - y1);
}
