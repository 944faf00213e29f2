/** The little clips that hold the cables of an SO-101 along its links. Millimetres. */
import { roundedBox, type Solid } from '../shapes.ts';

type Corner3 = readonly [number, number, number];

/** Two prongs between two corners of a box, with a gap for the cable across `across` (0: x, 1: y, 2: z). */
export function clip(least: Corner3, most: Corner3, across: 0 | 1 | 2): Solid[] {
  const third = (most[across] - least[across]) * 0.38;
  const cut = (corner: Corner3, at: number): Corner3 => corner.map((v, i) => (i === across ? at : v)) as unknown as Corner3;
  return [roundedBox(least, cut(most, least[across] + third), 0.6, 1), roundedBox(cut(least, most[across] - third), most, 0.6, 1)];
}
