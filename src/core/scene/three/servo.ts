/**
 * The STS3215 servo: 45.2 x 24.7 x 35 mm of black nylon in three shells, a horn on either side. Modelled with its
 * output shaft along z through the origin and its long end towards -x; `placeServo` puts it into a link.
 */
import * as THREE from 'three';
import { drum, extrude, moved, type Corner, type Solid } from './shapes.ts';
import { type ArmPart, screw } from './finish.ts';

export interface ServoPlace {
  /** A point on the shaft, half way between the horns. */
  readonly centre: readonly [number, number, number];
  /** Where the driven horn looks. */
  readonly shaft: readonly [number, number, number];
  /** Where the short end (nearest the shaft) looks. */
  readonly shortEnd: readonly [number, number, number];
}

const SHORT_END = 10.2;
const LONG_END = -35;
const HALF_WIDTH = 12.35;
/** The middle shell is this high; the covers above and below are a little narrower. */
const MIDDLE = 9;
const COVER = 15.6;
const HORN_FROM = 16;
const HORN_TO = 19.4;
const HORN_RADIUS = 10;

export function addServo(part: ArmPart, place: ServoPlace): void {
  const shaft = new THREE.Vector3(...place.shaft);
  const shortEnd = new THREE.Vector3(...place.shortEnd);
  const frame = new THREE.Matrix4().makeBasis(shortEnd, shaft.clone().cross(shortEnd), shaft).setPosition(...place.centre);
  const put = (solid: Solid): Solid => moved(solid, frame);

  part.add('case', put(extrude({ plane: 'xy', outline: housing(0), from: -MIDDLE, to: MIDDLE, bevel: 0.5, bevelSegments: 1 })));
  for (const side of [1, -1] as const) {
    const [from, to] = side === 1 ? [MIDDLE - 0.1, COVER] : [-COVER, -MIDDLE + 0.1];
    part.add('case', put(extrude({ plane: 'xy', outline: housing(0.35), from, to, bevel: 0.8, bevelSegments: 2 })));
    // The round gear cover under the horn and the four case screws.
    const [low, high] = side === 1 ? [COVER - 0.2, HORN_FROM] : [-HORN_FROM, -COVER + 0.2];
    part.add('trim', put(drum('z', [0, 0], 6, low, high, 0.1, 20)));
    const [bottom, top] = side === 1 ? [HORN_FROM, HORN_TO] : [-HORN_TO, -HORN_FROM];
    part.add('trim', put(drum('z', [0, 0], HORN_RADIUS, bottom, top, 0.5, 28)));
    part.add('metal', put(screw('z', [0, 0], side * HORN_TO, side, 2.6)));
    for (const across of [-8.6, 8.6]) part.add('metal', put(screw('z', [-32, across], side * COVER, side, 1.3)));
  }
  // The connector block at the long end.
  part.add('trim', put(extrude({ plane: 'yz', outline: [[-8, -5], [8, -5], [8, 3], [-8, 3]], from: LONG_END - 1.2, to: LONG_END + 1, bevel: 0.3, bevelSegments: 1 })));
}

/** Seen along the shaft, drawn in by `inset`; the short end has its corners cut. */
function housing(inset: number): Corner[] {
  const width = HALF_WIDTH - inset;
  const cut = 3.2;
  return [
    [LONG_END + inset, -width, 1.2],
    [SHORT_END - cut, -width, 0.8],
    [SHORT_END - inset, -width + cut, 0.8],
    [SHORT_END - inset, width - cut, 0.8],
    [SHORT_END - cut, width, 0.8],
    [LONG_END + inset, width, 1.2],
  ];
}
