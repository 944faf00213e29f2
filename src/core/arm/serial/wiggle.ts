/**
 * Which of several arms is the one in a person's hand: the one whose joint turns. Two boards of one make cannot be told apart by anything
 * they say, and torque on the wrong one throws an arm that somebody holds, so this is asked before anything is written to either.
 * Pure: steps go in, a verdict comes out. It answers only when one arm has clearly moved and every other has clearly not.
 */
import { TICKS_PER_TURN } from './feetech/registers.ts';

/** 15 degrees: nobody does that to a joint by leaning on the table. */
export const MOVED_STEPS = 170;
/** 2 degrees: a limp arm settles by less, and a reading jitters by one or two steps. */
export const STILL_STEPS = 25;

export type WiggleVerdict =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'moved'; readonly port: number; readonly joint: number }
  /** Another one moved too: put them down and begin again. */
  | { readonly kind: 'both' };

export interface Wiggle {
  /** One reading of a port's joints, steps 0 to 4095; null where a servo did not answer. */
  add(port: number, steps: readonly (number | null)[]): void;
  /** Furthest way of any of the port's joints so far, steps. */
  travel(port: number): number;
  verdict(): WiggleVerdict;
}

interface Track {
  readonly last: number;
  /** Unwrapped: a joint that crosses the encoder's seam moved one step, not 4095. */
  readonly at: number;
  readonly least: number;
  readonly most: number;
}

export function createWiggle(ports: number): Wiggle {
  const tracks: Map<number, Track>[] = Array.from({ length: ports }, () => new Map());
  const furthest = (port: number): { readonly joint: number; readonly steps: number } => {
    let best = { joint: 0, steps: 0 };
    for (const [joint, { least, most }] of tracks[port] ?? []) if (most - least > best.steps) best = { joint, steps: most - least };
    return best;
  };
  return {
    add(port, steps) {
      steps.forEach((now, joint) => {
        if (now === null) return;
        const track = tracks[port]?.get(joint);
        const half = TICKS_PER_TURN / 2;
        const at = track === undefined ? now : track.at + ((((now - track.last + half) % TICKS_PER_TURN) + TICKS_PER_TURN) % TICKS_PER_TURN) - half;
        tracks[port]?.set(joint, { last: now, at, least: Math.min(track?.least ?? at, at), most: Math.max(track?.most ?? at, at) });
      });
    },
    travel: (port) => furthest(port).steps,
    verdict() {
      const ways = tracks.map((_, port) => ({ port, ...furthest(port) }));
      const moved = ways.filter(({ steps }) => steps >= MOVED_STEPS);
      const [only] = moved;
      if (only === undefined) return { kind: 'waiting' };
      if (moved.length > 1 || ways.some(({ port, steps }) => port !== only.port && steps > STILL_STEPS)) return { kind: 'both' };
      return { kind: 'moved', port: only.port, joint: only.joint };
    },
  };
}
