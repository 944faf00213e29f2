/**
 * What a chunk asks of the three graphs, however their tensors are kept: `runs-bound.ts` on a device with fixed places,
 * `runs-loose.ts` everywhere else. Knows the order of the asking and what is handed over; knows no tensor's name.
 */
import type { EyesReport, GraphFile, HostTensor } from '#contracts/engine.ts';
import type { Picture } from '#contracts/picture.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { Guide, LoadOptions } from '../policy.ts';
import type { SmolVlaSettings } from './settings.ts';
import { guidedVelocity, stepFactors, type Head } from './heads.ts';
import { eulerTimes } from './tables.ts';

export interface GraphRuns {
  readonly eyes: EyesReport | null;
  /** What camera `slot` shows, null where it is absent. Does on the host what is done there; the picture of last time costs nothing. */
  prepare(slot: number, picture: Picture | null): Promise<void>;
  /** Tokens of all that was prepared. A picture that was seen before is not seen again. */
  see(): Promise<void>;
  /** Fills the cache. `use` names what the masks in `feeds` say, so that the same ones need not be handed over again. */
  read(feeds: { readonly use: string; readonly tail: HostTensor; readonly prefix: Feeds; readonly step: Feeds }): Promise<void>;
  denoise(problem: DenoiseProblem): Promise<Float32Array>;
  /** The next pictures are seen, whatever was seen before. */
  forget(): void;
  dispose(): Promise<void>;
}

export type GraphName = 'vision' | 'prefix' | 'step';

/** A graph of the policy with its weights, made when it is asked for. */
export type PolicyGraphs = (name: GraphName) => Promise<GraphFile>;

export type Feeds = Readonly<Record<string, HostTensor>>;

export interface DenoiseProblem {
  readonly noise: Float32Array;
  /** One for each step; of bins a single one, and the noise is not looked at. */
  readonly timeBiases: readonly Float32Array[];
  /** Null for bins: there is no step to guide. */
  readonly guide: Guide | null;
}

/** A head that goes from noise to a chunk in steps. */
export type SteppingHead = Exclude<Head, { readonly kind: 'bins' }>;

/**
 * The loop of steps with a hand on the velocity: x comes back to the host after every step. The graph gives keep x + turn v; the v
 * that is read out of it has lost at most a rounding of x over turn, 1e-6 of x.
 */
export async function guidedSteps({ noise, timeBiases, guide }: DenoiseProblem & { readonly guide: Guide }, head: SteppingHead, columns: number, next: (x: Float32Array, step: number) => Promise<Float32Array>): Promise<Float32Array> {
  const steps = timeBiases.length;
  const { keep, turn } = stepFactors(head, steps);
  let x = noise.slice();
  for (const [s, t] of eulerTimes(steps).entries()) {
    const after = await next(x, s);
    const before = x;
    const velocity = after.map((value, i) => (value - keep * before[i]!) / turn);
    const guided = guidedVelocity(head, guide, { noisy: before, velocity, t, columns });
    if (guided.length !== velocity.length) throw new Error(`a guide gave ${guided.length} numbers for ${velocity.length}`);
    x = before.map((value, i) => keep * value + turn * guided[i]!);
  }
  return x;
}

export async function letterboxed(letterbox: LoadOptions['letterbox'], picture: Picture, { vision }: SmolVlaSettings): Promise<Float32Array> {
  const side = vision.imageSize;
  const image = await letterbox(picture, { width: side, height: side });
  if (image.length !== 3 * side * side) throw new Error(`letterbox gave ${image.length} numbers for 3 x ${side} x ${side}`);
  return image;
}

/**
 * What each camera last showed, so that a picture that has not changed is seen once. Told by its bytes, all of them: a camera
 * that stands still shows the same ones, and nothing else does. A picture that differs does so within its first few bytes;
 * 640 x 480 equal ones take 0.3 ms. What is kept is a copy: the picture itself is moved to whoever records the run.
 */
export class LastShown {
  private readonly pictures = new Map<number, Picture>();

  same(slot: number, picture: Picture): boolean {
    const last = this.pictures.get(slot);
    return last !== undefined && last.width === picture.width && last.height === picture.height && last.channels === picture.channels && sameBytes(last.data, picture.data);
  }

  keep(slot: number, picture: Picture): void {
    this.pictures.set(slot, { ...picture, data: picture.data.slice() });
  }

  forget(slot: number): void {
    this.pictures.delete(slot);
  }

  clear(): void {
    this.pictures.clear();
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Four at a time where both begin on a word.
  const words = a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0 ? Math.floor(a.length / 4) : 0;
  const [left, right] = [new Uint32Array(a.buffer, words === 0 ? 0 : a.byteOffset, words), new Uint32Array(b.buffer, words === 0 ? 0 : b.byteOffset, words)];
  for (let i = 0; i < words; i++) if (left[i] !== right[i]) return false;
  for (let i = 4 * words; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function float32(dims: readonly number[]): HostTensor & { readonly type: 'float32' } {
  return { type: 'float32', dims, data: new Float32Array(dims.reduce((product, dim) => product * dim, 1)) };
}

export function floats(tensor: HostTensor): Float32Array {
  if (tensor.type !== 'float32') throw new FailureError('internal', { message: `a graph gave ${tensor.type} for float32` });
  return tensor.data;
}
