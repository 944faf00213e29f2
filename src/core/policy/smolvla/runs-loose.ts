/**
 * The graphs on an engine that makes a new tensor for every answer: the CPU's way, and the way in which intermediate values
 * are read back for comparisons. Tensors that go from graph to graph stay on the engine.
 */
import type { Engine, EngineSession, EngineTensor, EyesReport, HostTensor } from '#contracts/engine.ts';
import type { Picture } from '#contracts/picture.ts';
import type { LoadOptions, MidTensor } from '../policy.ts';
import { patchify } from './patches.ts';
import type { PrefixShape } from './prefix-rows.ts';
import { likeliest, stepFactors, type Head } from './heads.ts';
import { float32, floats, guidedSteps, LastShown, letterboxed, type DenoiseProblem, type Feeds, type GraphName, type GraphRuns, type PolicyGraphs } from './runs.ts';
import type { SmolVlaSettings } from './settings.ts';

export interface LooseParts {
  readonly engine: Engine;
  readonly graphs: PolicyGraphs;
  readonly settings: SmolVlaSettings;
  readonly shape: PrefixShape;
  readonly letterbox: LoadOptions['letterbox'];
  /** Where intermediate values go; null where nobody wants them. */
  readonly mids: MidSink | null;
}

export interface MidSink {
  /** By LeRobot's own name. */
  note(name: string, value: MidTensor): void;
  /** The prefix' rows in our own order. */
  notePrefix(values: Feeds): void;
}

export async function looseRuns(parts: LooseParts): Promise<GraphRuns> {
  const opened: EngineSession[] = [];
  const open = async (name: GraphName): Promise<EngineSession> => {
    const session = await parts.engine.createSession(await parts.graphs(name));
    opened.push(session);
    return session;
  };
  try {
    return new LooseRuns(parts, { vision: await open('vision'), prefix: await open('prefix'), step: await open('step') });
  } catch (thrown) {
    for (const session of opened) await session.dispose();
    throw thrown;
  }
}

class LooseRuns implements GraphRuns {
  readonly eyes: EyesReport | null;
  private readonly parts: LooseParts;
  private readonly sessions: Readonly<Record<GraphName, EngineSession>>;
  private readonly shown = new LastShown();
  /** By slot: what it is prepared to show, as patches; null where it is absent. A slot without an entry shows what it did. */
  private readonly prepared = new Map<number, { readonly picture: Picture; readonly image: Float32Array } | null>();
  /** By slot. */
  private readonly tokens = new Map<number, HostTensor | EngineTensor>();
  private cache: Readonly<Record<string, EngineTensor>> = {};
  private masks: Feeds = {};

  constructor(parts: LooseParts, sessions: LooseRuns['sessions']) {
    this.parts = parts;
    this.sessions = sessions;
    this.eyes = sessions.vision.eyes ?? null;
  }

  async prepare(slot: number, picture: Picture | null): Promise<void> {
    const { letterbox, settings } = this.parts;
    if (picture !== null && this.shown.same(slot, picture)) this.prepared.delete(slot);
    else this.prepared.set(slot, picture === null ? null : { picture, image: await letterboxed(letterbox, picture, settings) });
  }

  async see(): Promise<void> {
    const { shape, settings } = this.parts;
    // The number of a picture among those that are there, as LeRobot counts them.
    let index = 0;
    for (let slot = 0; slot < shape.cameras; slot++) {
      const next = this.prepared.get(slot);
      if (next !== undefined) {
        this.shown.forget(slot);
        this.drop(slot);
        this.tokens.set(slot, next === null ? float32([1, shape.tokensPerImage, settings.text.hidden]) : await this.seePicture(next.image, index));
        if (next !== null && this.parts.mids === null) this.shown.keep(slot, next.picture);
      }
      if (next !== null) index++;
    }
    this.prepared.clear();
  }

  async read({ tail, prefix: masks, step }: Parameters<GraphRuns['read']>[0]): Promise<void> {
    const { mids, settings } = this.parts;
    this.dropCache();
    const feeds: Record<string, HostTensor | EngineTensor> = { ...masks, tail };
    for (const [slot, tokens] of this.tokens) feeds[`image.${slot}`] = tokens;
    if (mids !== null) {
      const fetches: Record<string, 'host'> = { prefix_embs: 'host' };
      for (let l = 0; l < settings.text.layers; l++) fetches[`cache_k.${l}`] = fetches[`cache_v.${l}`] = 'host';
      mids.notePrefix(await this.sessions.prefix.run(feeds, fetches));
    }
    const fetches: Record<string, 'engine'> = {};
    for (const j of settings.expert.layers.keys()) fetches[`k.${j}`] = fetches[`v.${j}`] = 'engine';
    this.cache = await this.sessions.prefix.run(feeds, fetches);
    this.masks = step;
  }

  /** x <- keep x + turn v(x, t). Only the last x leaves the engine, or every one where somebody guides. */
  async denoise(problem: DenoiseProblem): Promise<Float32Array> {
    const { settings, mids } = this.parts;
    const { chunkRows, actionColumns, expert, head } = settings;
    const { step } = this.sessions;
    const steps = problem.timeBiases.length;
    const factors = factorFeeds(head, steps);
    const feedsOf = (x: HostTensor | EngineTensor, s: number): Record<string, HostTensor | EngineTensor> => ({
      ...this.cache,
      ...this.masks,
      x,
      ...factors,
      time_bias: { type: 'float32', dims: [expert.hidden], data: problem.timeBiases[s]! },
    });
    const hostX = (data: Float32Array): HostTensor => ({ type: 'float32', dims: [1, chunkRows, actionColumns], data });
    const { guide } = problem;
    let x: HostTensor | EngineTensor = hostX(problem.noise.slice());
    try {
      if (head.kind === 'bins') {
        const { scores } = await step.run(feedsOf(hostX(new Float32Array(problem.noise.length)), 0), { scores: 'host' });
        return likeliest(head, floats(scores), actionColumns);
      }
      if (guide !== null) return await guidedSteps({ ...problem, guide }, head, actionColumns, async (now, s) => floats((await step.run(feedsOf(hostX(now), s), { x_next: 'host' })).x_next));
      if (mids !== null) {
        const first = await step.run(feedsOf(x, 0), { suffix_embs: 'host', v_t: 'host' });
        mids.note('suffix_embs.t1', { dims: [chunkRows, expert.hidden], data: floats(first.suffix_embs) });
        mids.note('v_t.step0', { dims: [chunkRows, actionColumns], data: floats(first.v_t) });
      }
      for (let s = 0; s < steps - 1; s++) {
        const { x_next: next }: { readonly x_next: EngineTensor } = await step.run(feedsOf(x, s), { x_next: 'engine' });
        dispose(x);
        x = next;
      }
      return floats((await step.run(feedsOf(x, steps - 1), { x_next: 'host' })).x_next);
    } finally {
      dispose(x);
      this.dropCache();
    }
  }

  forget(): void {
    this.shown.clear();
  }

  async dispose(): Promise<void> {
    this.dropCache();
    // A map may lose entries while it is walked.
    for (const slot of this.tokens.keys()) this.drop(slot);
    for (const session of Object.values(this.sessions)) await session.dispose();
  }

  /** Tokens of one picture, kept by the engine. */
  private async seePicture(image: Float32Array, index: number): Promise<EngineTensor> {
    const { settings, shape, mids } = this.parts;
    const { imageSize, patchSize, hidden } = settings.vision;
    const patches = (imageSize / patchSize) ** 2;
    const feeds = { patches: { type: 'float32', dims: [1, patches, 3 * patchSize * patchSize], data: patchify(image, imageSize, patchSize) } } as const;
    if (mids !== null) {
      const seen = await this.sessions.vision.run(feeds, { tokens: 'host', vision_out: 'host' });
      const scale = Math.sqrt(settings.text.hidden);
      mids.note(`image.${index}`, { dims: [3, imageSize, imageSize], data: image });
      mids.note(`vision_out.${index}`, { dims: [patches, hidden], data: floats(seen.vision_out) });
      mids.note(`connector_out.${index}`, { dims: [shape.tokensPerImage, settings.text.hidden], data: floats(seen.tokens).map((value) => value / scale) });
    }
    return (await this.sessions.vision.run(feeds, { tokens: 'engine' })).tokens;
  }

  private drop(slot: number): void {
    const tokens = this.tokens.get(slot);
    this.tokens.delete(slot);
    if (tokens !== undefined) dispose(tokens);
  }

  private dropCache(): void {
    for (const tensor of Object.values(this.cache)) tensor.dispose();
    this.cache = {};
  }
}

/** The two numbers of a step, as the graph of this head asks for them. */
function factorFeeds(head: Head, steps: number): Feeds {
  const { keep, turn } = stepFactors(head, steps);
  const one = (value: number): HostTensor => ({ type: 'float32', dims: [1], data: Float32Array.of(value) });
  return head.kind === 'diffusion' ? { keep: one(keep), turn: one(turn) } : { turn: one(turn) };
}

function dispose(tensor: HostTensor | EngineTensor): void {
  if ('location' in tensor) tensor.dispose();
}
