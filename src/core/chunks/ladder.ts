/**
 * What a run gives up when its machine is too slow, rung by rung. Knows how long chunks took and how long one lasts;
 * refuses to know why they were slow, and never climbs within a run: a plan that is quick because it is coarse says
 * nothing of how long a whole one would take.
 *
 *   rung   denoising steps   cameras
 *   0      all               all
 *   1      a half            all
 *   2      a quarter         all
 *   3      a quarter         the first
 *
 * Rungs that change nothing are left out (a policy of two steps has no quarter). A chunk is slow when it takes longer than half
 * of what it lasts: the arm plays the half before it meanwhile, and would have to wait. One slow chunk may be a hiccup of the
 * machine; two in a row step down.
 */
import type { ChunkReduction } from '#contracts/chunk.ts';

export interface LadderPolicy {
  readonly denoisingSteps: number;
  /** As the robot names them, in the policy's order. */
  readonly cameras: readonly string[];
  readonly chunkRows: number;
  readonly fps: number;
}

export interface Ladder {
  /** What the next chunk gives up; null on the top rung. */
  readonly reduction: ChunkReduction | null;
  /** A chunk of this rung took so long, observing included. */
  look(chunkMs: number): void;
}

const SLOW_IN_A_ROW = 2;

export function ladderRungs({ denoisingSteps, cameras }: LadderPolicy): readonly ChunkReduction[] {
  const half = Math.ceil(denoisingSteps / 2);
  const quarter = Math.ceil(denoisingSteps / 4);
  const wanted = [
    { steps: half, cameras },
    { steps: quarter, cameras },
    { steps: quarter, cameras: cameras.slice(0, 1) },
  ];
  const rungs: ChunkReduction[] = [];
  let last = { steps: denoisingSteps, cameras };
  for (const one of wanted) {
    if (one.steps === last.steps && one.cameras.length === last.cameras.length) continue;
    rungs.push({ rung: rungs.length + 1, ...one });
    last = one;
  }
  return rungs;
}

/** A chunk that takes longer than this is slow, milliseconds. */
export function slowMs({ chunkRows, fps }: LadderPolicy): number {
  return (500 * chunkRows) / fps;
}

export function ladder(policy: LadderPolicy): Ladder {
  const rungs = ladderRungs(policy);
  const limitMs = slowMs(policy);
  let at = 0;
  let slow = 0;
  return {
    get reduction() {
      return at === 0 ? null : rungs[at - 1]!;
    },
    look(chunkMs) {
      slow = chunkMs > limitMs ? slow + 1 : 0;
      if (slow < SLOW_IN_A_ROW || at === rungs.length) return;
      at++;
      slow = 0;
    },
  };
}
