/**
 * The wrist: two straight legs on the wrist-flex servo that run into the bow of the housing of the wrist-roll servo. More compact than an
 * SO-100's, whose left leg stands out. Drawn in that one's frame (roll axis -y, flex axis x), millimetres.
 */
import { type ArmPart, hornScrews, mark } from '../finish.ts';
import { addServo } from '../servo.ts';
import { extrude, roundedBox, type Corner } from '../shapes.ts';
import { clip } from './clip.ts';

/** The housing from above (x across, y up): straight where the servo's long end is, a bow on the other side. */
const HOUSING: readonly Corner[] = [
  [-35.2, -62.3, 2],
  [-13.3, -62.3, 8],
  [0.7, -58.6, 24],
  [10.7, -54, 24],
  [20.7, -46, 18],
  [24.7, -40.6, 14],
  [27, -33, 10],
  [27, -20, 1.5],
  [17.8, -19.5, 1],
  [14.5, -21.6, 4],
  [6, -23, 6],
  [-18, -23, 1],
  [-18, -12, 1],
  [-26.8, -12, 1],
  [-28.6, -17, 8],
  [-35.2, -24.6, 8],
];

/** Seen along the flex axis: round about it, straight to the housing. y across, z up. */
const LEG: readonly Corner[] = [
  [12, -12, 11.99],
  [12, 12, 11.99],
  [-24, 12, 1],
  [-27, 15, 1],
  [-30, 15],
  [-30, -15],
  [-27, -15, 1],
  [-24, -12, 1],
];

/** The two slanted windows on either side. */
const WINDOW: readonly Corner[] = [
  [-18.3, -54, 1],
  [-13.7, -49],
  [-21.3, -41.6],
  [-26.9, -41.6, 1],
  [-26.9, -46.6],
];

export function addWrist(part: ArmPart): void {
  part.add(
    'print',
    extrude({ plane: 'xy', outline: HOUSING, from: -15.5, to: 15.6, bevel: 2, bevelSegments: 3 }),
    extrude({ plane: 'yz', outline: LEG, from: 17.8, to: 27, bevel: 1.6, bevelSegments: 2 }),
    extrude({ plane: 'yz', outline: LEG, from: -26.9, to: -17.8, bevel: 1.6, bevelSegments: 2 }),
    ...clip([-3.4, -49, -20], [9, -38, -15], 0),
    // The hook at the corner over which the gripper's cable goes.
    roundedBox([-19.4, -65.7, -15.4], [-12.4, -61, -8.4], 0.8, 1),
  );
  part.add('metal', ...hornScrews('x', [0, 0], 27, 1), ...hornScrews('x', [0, 0], -26.9, -1));
  // The servo's end looks out at the straight side.
  part.add('case', mark('yz', [[-58, -12.4, 1], [-25.5, -12.4, 1], [-25.5, 12.4, 1], [-58, 12.4, 1]], -35.2, -1));
  part.add('trim', mark('yz', [[-50, -8], [-36, -8], [-36, 8], [-50, 8]], -35.4, -1));
  for (const [at, side] of [[15.6, 1], [-15.5, -1]] as const) {
    for (const shift of [0, 13.8]) part.add('hole', mark('xy', WINDOW.map(([x, y, radius]) => [x, y + shift, radius ?? 0] as const), at, side));
  }
  addServo(part, { centre: [0, -42.6, 0], shaft: [0, -1, 0], shortEnd: [1, 0, 0] });
}
