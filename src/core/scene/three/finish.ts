/** The finishes a printed arm is made of, and the small hardware that every link repeats. Millimetres. */
import type * as THREE from 'three';
import { circle, drum, flat, moved, type Corner, type Part, type Plane, type Solid } from './shapes.ts';

/**
 * print  matte printed plastic
 * case   black servo housing
 * trim   the slightly lighter black of horns, labels and connectors
 * metal  screws and output shafts
 * hole   what one sees in a hole: nearly nothing
 * recess what one sees in a hole through pale plastic
 * board  the driver board behind the base
 */
export type Finish = 'print' | 'case' | 'trim' | 'metal' | 'hole' | 'recess' | 'board';
export type ArmPart = Part<Finish>;

/** The same part, drawn in `frame` (a rotation and a shift, millimetres). */
export function partIn(part: ArmPart, frame: THREE.Matrix4): ArmPart {
  return { ...part, add: (finish, ...solids) => part.add(finish, ...solids.map((solid) => moved(solid, frame))) };
}

/** How far flush details stand out, so that they never fight the surface they lie on. */
const PROUD = 0.12;

/** A screw head on a face. `at` is the face, `side` the way it looks. */
export function screw(axis: 'x' | 'y' | 'z', centre: readonly [number, number], at: number, side: 1 | -1, radius = 1.6): Solid {
  const inner = at - side * 0.3;
  const outer = at + side * 0.5;
  const head = drum(axis, centre, radius, Math.min(inner, outer), Math.max(inner, outer), 0.25, 12);
  // From afar a screw is a grey dot.
  const dot = flat(axis === 'x' ? 'yz' : axis === 'y' ? 'xz' : 'xy', circle(centre[0], centre[1], radius, 6), at + side * 0.3, side);
  return (detail) => (detail === 'fine' ? head(detail) : dot(detail));
}

/** The look of a hole: a dark patch, flush with the face. */
export function mark(plane: Plane, outline: readonly Corner[], at: number, side: 1 | -1): Solid {
  return flat(plane, outline, at + side * PROUD, side);
}

/** The four screws that hold a link to a horn, around the shaft. */
export function hornScrews(axis: 'x' | 'y' | 'z', centre: readonly [number, number], at: number, side: 1 | -1): Solid[] {
  const away = 5;
  return [
    [away, away],
    [-away, away],
    [away, -away],
    [-away, -away],
  ].map(([a = 0, b = 0]) => screw(axis, [centre[0] + a, centre[1] + b], at, side, 1.5));
}
