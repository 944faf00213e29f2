/**
 * Three families of action heads on one expert: what of its last rows becomes a chunk, and in how many passes.
 *
 *   flow        straight from noise to actions      N passes   x <- x - v / N                       SmolVLA, pi0; LeRobot's own
 *   diffusion   on a circle from one to the other   N passes   x <- cos(d) x - sin(d) v, d = pi/2N  Diffusion Policy, Octo
 *   bins        each number one of 256 bins         1 pass     the likeliest bin's middle           RT-2, OpenVLA
 *
 * Diffusion here: cosine schedule, x(a) = cos(a) x0 + sin(a) noise with a = t pi/2, the network says v = cos(a) noise - sin(a) x0
 * (Salimans and Ho 2022); the deterministic DDIM step between two such times is the rotation above, exactly. Bins: all numbers of
 * a chunk in one pass, as OpenVLA-OFT reads them, not one after another as RT-2 does.
 *
 * A checkpoint says which head it has in `action_head.json`, a file of ours beside LeRobot's; without it, it is the flow. Knows
 * the arithmetic of heads; knows no graph.
 */
import * as v from 'valibot';
import type { CheckpointView } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { count, parseConfig } from '../door.ts';
import type { Guide } from '../policy.ts';

const finite = v.pipe(v.number(), v.finite());

export const HeadSchema = v.variant('kind', [
  v.object({ kind: v.literal('flow') }),
  v.object({ kind: v.literal('diffusion') }),
  v.object({
    kind: v.literal('bins'),
    /** Equal bins a number, from `low` to `high`, one each a joint, normalised. */
    count: count(2, 4096),
    low: v.pipe(v.array(finite), v.maxLength(1024)),
    high: v.pipe(v.array(finite), v.maxLength(1024)),
  }),
]);

export type Head = v.InferOutput<typeof HeadSchema>;

/** Of a checkpoint; the flow where it says nothing. Rejects with `checkpoint/config`. */
export function readHead(checkpoint: CheckpointView): Head {
  const file = checkpoint.json.get('action_head.json');
  return file === undefined ? { kind: 'flow' } : parseConfig(HeadSchema, 'action_head.json', file);
}

/** `checkpoint/config` where the bins are not one range a joint, or bins are asked for more than once. */
export function checkHead(head: Head, joints: number, steps: number): void {
  if (head.kind !== 'bins') return;
  const refuse = (field: string, expected: string, found: number): never => {
    throw new FailureError('checkpoint/config', { field, expected, found });
  };
  for (const side of ['low', 'high'] as const) if (head[side].length !== joints) refuse(`action_head.json: ${side}`, `${joints} numbers`, head[side].length);
  for (const [i, low] of head.low.entries()) if (!(head.high[i]! > low)) refuse('action_head.json: high', `more than ${low}`, head.high[i]!);
  if (steps !== 1) refuse('config.json: num_steps', '1 for bins', steps);
}

/** x' = keep x + turn v: the two numbers of a step, the same for every step of a run of `steps`. Bins take what the network says. */
export function stepFactors(head: Head, steps: number): { readonly keep: number; readonly turn: number } {
  switch (head.kind) {
    case 'flow':
      return { keep: 1, turn: Math.fround(-1 / steps) };
    case 'diffusion': {
      const angle = Math.PI / 2 / steps;
      return { keep: Math.fround(Math.cos(angle)), turn: Math.fround(-Math.sin(angle)) };
    }
    case 'bins':
      return { keep: 0, turn: 1 };
    default:
      return unreachable(head);
  }
}

/**
 * A guide pulls at where a step is heading, its clean chunk, and speaks of it as a flow does: x0 = x - t v. For a diffusion
 * the same chunk is put into that form, and what the guide makes of it is put back.
 */
export function guidedVelocity(head: Exclude<Head, { readonly kind: 'bins' }>, guide: Guide, step: Parameters<Guide>[0]): Float32Array {
  switch (head.kind) {
    case 'flow':
      return guide(step);
    case 'diffusion': {
      const { noisy, velocity, t } = step;
      const [cos, sin] = [Math.cos((t * Math.PI) / 2), Math.sin((t * Math.PI) / 2)];
      const straight = noisy.map((x, i) => (x - (cos * x - sin * velocity[i]!)) / t);
      const guided = guide({ ...step, velocity: straight });
      return guided.map((flow, i) => (cos * noisy[i]! - (noisy[i]! - t * flow)) / sin);
    }
    default:
      return unreachable(head);
  }
}

/** Scores [rows, joints x count] to a chunk [rows, columns], normalised; columns beyond the joints are 0. NaN where a score is none. */
export function likeliest({ count: bins, low, high }: Extract<Head, { readonly kind: 'bins' }>, scores: Float32Array, columns: number): Float32Array {
  const joints = low.length;
  const rows = scores.length / (joints * bins);
  const chunk = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let joint = 0; joint < joints; joint++) {
      const of = scores.subarray((row * joints + joint) * bins, (row * joints + joint + 1) * bins);
      let best = 0;
      for (let bin = 1; bin < bins; bin++) if (of[bin]! > of[best]!) best = bin;
      const middle = low[joint]! + ((best + 0.5) * (high[joint]! - low[joint]!)) / bins;
      chunk[row * columns + joint] = of.every(Number.isFinite) ? middle : Number.NaN;
    }
  }
  return chunk;
}
