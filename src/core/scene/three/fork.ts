/**
 * The fork that upper and lower arm of both arms are: two legs that hold the horns of the joint below, and a web that joins them and
 * carries the next servo at its far end. Drawn lying: x across, y along the arm, z through it, the joint's axis through the origin.
 * Millimetres.
 */
import { extrude, slot, type Corner, type Solid } from './shapes.ts';
import { hornScrews } from './finish.ts';

/** Half the thickness of the fork. */
export const FORK_HALF = 12;
const EDGE = 3.6;
const LEG_INNER = 18.6;

export interface Fork {
  /** Outer side of the two legs, and of the web at its far end. */
  readonly leftOuter: number;
  readonly rightOuter: number;
  readonly leftTop: number;
  readonly rightTop: number;
  /** Where the straight part of the legs ends, where the web has its final width, where it ends. */
  readonly taperFrom: number;
  readonly taperTo: number;
  readonly end: number;
}

/** The fork lies in x (across) and y (along), z through it. */
export function forkSolids(fork: Fork): Solid[] {
  const web: Corner[] = [
    [fork.rightOuter, 8],
    [fork.rightOuter, fork.taperFrom, 12],
    [fork.rightTop, fork.taperTo, 12],
    [fork.rightTop, fork.end, 2],
    [-fork.leftTop, fork.end, 2],
    [-fork.leftTop, fork.taperTo, 12],
    [-fork.leftOuter, fork.taperFrom, 12],
    [-fork.leftOuter, 8],
    [-LEG_INNER, 8],
    [-LEG_INNER + 1, 24, 6],
    [-8.6, 43, 4],
    [-7.4, 50.4, 7],
    [7.4, 50.4, 7],
    [8.6, 43, 4],
    [LEG_INNER - 1, 24, 6],
    [LEG_INNER, 8],
  ];
  const stadium: Corner[] = [
    [-12, -FORK_HALF, FORK_HALF - 0.01],
    [16, -FORK_HALF],
    [16, FORK_HALF],
    [-12, FORK_HALF, FORK_HALF - 0.01],
  ];
  return [
    extrude({ plane: 'xy', outline: web, holes: [slot(0, 76, 97, 7.9)], from: -FORK_HALF, to: FORK_HALF, bevel: EDGE, bevelSegments: 3 }),
    // Round about the joint's axis: pulled along x, so that its edges continue those of the web.
    extrude({ plane: 'yz', outline: stadium, from: LEG_INNER - 0.2, to: fork.rightOuter, bevel: EDGE, bevelSegments: 3 }),
    extrude({ plane: 'yz', outline: stadium, from: -fork.leftOuter, to: -LEG_INNER + 0.2, bevel: EDGE, bevelSegments: 3 }),
  ];
}

export function jointScrews(fork: Fork): Solid[] {
  return [...hornScrews('x', [0, 0], fork.rightOuter, 1), ...hornScrews('x', [0, 0], -fork.leftOuter, -1)];
}

/** What holds the servo at the end of a lower arm, seen along it; drawn in by `inset`. */
export function collar(inset: number): Corner[] {
  const radius = 6.5 - inset * 0.6;
  return [
    [-26.2 + inset, -15 + inset, radius],
    [26.2 - inset, -15 + inset, radius],
    [26.2 - inset, 21.4 - inset, radius],
    [-26.2 + inset, 21.4 - inset, radius],
  ];
}
