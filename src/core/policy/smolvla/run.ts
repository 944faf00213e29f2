/**
 * Runs a SmolVLA pack: three graphs on an engine, and between them the little that is not worth a GPU.
 *
 *   pictures ─ letterbox ─ patches ─► vision ─┐ tokens stay on the engine
 *   sentence ─ embedding rows ────────────────┼─► prefix ─► keys, values stay on the engine ─┐
 *   state ─ normalise ─ state token ──────────┘                                              │
 *   noise ─► step ─► x ─► step ─► ... ─► x0 (read back once) ─ denormalise ─► actions         │
 *              ▲───────────────────────────────────────────────────────────────────────────────┘
 *
 * Knows the order of things and the arithmetic on the host; graphs are in `graphs/`, rows and masks in
 * `prefix-rows.ts`. Knows no runtime, no file, no clock of its own.
 */
import type { Engine, EngineSession, EngineTensor, HostTensor, WeightFile } from '#contracts/engine.ts';
import type { OpenPack } from '#contracts/pack.ts';
import type { Picture } from '#contracts/picture.ts';
import type { CameraWiring, PolicyInfo } from '#contracts/policy.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { ChunkRequest, Guide, LoadOptions, MidTensor, Policy, PolicyChunk } from '../policy.ts';
import { prefixGraph, type SpecialRows } from './graphs/prefix.ts';
import { stepGraph } from './graphs/step.ts';
import { visionGraph } from './graphs/vision.ts';
import { denormalise, normalise } from './normalise.ts';
import { patchify } from './patches.ts';
import { chunkBias, leRobotRows, prefixBias, prefixMasks, prefixShape, slotPositions, type PrefixMasks, type PrefixShape, type PrefixUse } from './prefix-rows.ts';
import { readSettings, type SmolVlaSettings } from './settings.ts';
import { affine, eulerTimes, timeEmbedding } from './tables.ts';

/**
 * Creates the three sessions, one after another. Rejects with `store/corrupt` for settings that are not ours,
 * `observation/camera-missing` when `options.cameras` names none of the policy's, and what engine and pack throw.
 */
export async function loadSmolVla(pack: OpenPack, engine: Engine, options: LoadOptions): Promise<Policy> {
  const { manifest } = pack;
  const { settings, info } = wired(readSettings(manifest.info.name, manifest.settings), manifest.info, options.wiring);
  const cameraKeys = usedCameras(settings, options.cameras ?? (options.wiring === undefined ? undefined : info.cameras.map(({ robotKey }) => robotKey)));
  const shape = prefixShape(settings, cameraKeys.length);
  const mids = options.mids ?? 'none';
  const host = await readHostWeights(pack, settings);

  const sessions: EngineSession[] = [];
  const open = async (name: 'vision' | 'prefix' | 'step', model: Uint8Array): Promise<EngineSession> => {
    const weights: WeightFile[] = [];
    for (const part of pack.parts(name)) weights.push({ path: part, data: await pack.weights(part) });
    const session = await engine.createSession({ name, model, weights });
    sessions.push(session);
    return session;
  };
  const dispose = async (): Promise<void> => {
    for (const session of sessions.splice(0)) await session.dispose();
  };
  try {
    const loaded: Loaded = {
      pack,
      engine,
      options,
      settings,
      cameraKeys,
      shape,
      mids,
      host,
      vision: await open('vision', visionGraph(settings, manifest, engine.provider, mids)),
      prefix: await open('prefix', prefixGraph(settings, shape, host.special, manifest, engine.provider, mids)),
      step: await open('step', stepGraph(settings, shape, manifest, engine.provider, mids)),
      masks: null,
      language: null,
    };
    return {
      info,
      provider: engine.provider,
      text: { ending: '\n', maxTokens: settings.maxTokens, padding: settings.tokenPadding, truncation: settings.tokenTruncation },
      noiseColumns: settings.actionColumns,
      predictChunk: (request) => predictChunk(loaded, request),
      dispose,
    };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

/** The rename map as a person wired it: slots that get no camera are absent ones. */
function wired(settings: SmolVlaSettings, info: PolicyInfo, wiring: CameraWiring | undefined): { readonly settings: SmolVlaSettings; readonly info: PolicyInfo } {
  if (wiring === undefined) return { settings, info };
  const fed = info.cameras.flatMap((slot) => {
    const robotKey = slot.key in wiring ? wiring[slot.key] : slot.robotKey;
    return robotKey === null || robotKey === undefined ? [] : [{ ...slot, robotKey }];
  });
  return { settings: { ...settings, renameMap: Object.fromEntries(fed.map(({ key, robotKey }) => [robotKey, key])) }, info: { ...info, cameras: fed } };
}

/** The policy's cameras that will be fed, in the prefix's order. */
function usedCameras(settings: SmolVlaSettings, wanted: readonly string[] | undefined): string[] {
  if (wanted === undefined) return settings.cameraKeys;
  const keys = wanted.map((camera) => settings.renameMap[camera] ?? camera);
  const used = settings.cameraKeys.filter((key) => keys.includes(key));
  if (used.length === 0) throw new FailureError('observation/camera-missing', { camera: settings.cameraKeys.join(', '), present: wanted.join(', ') });
  return used;
}

/** What the runner itself multiplies with. */
interface HostWeights {
  readonly stateWeight: Float32Array;
  readonly stateBias: Float32Array;
  /** [E] for each of so many Euler steps: the time half of action_time_mlp_in, with its bias. Computed once each. */
  readonly timeBiases: (steps: number) => readonly HostTensor[];
  readonly special: SpecialRows | null;
}

async function readHostWeights(pack: OpenPack, settings: SmolVlaSettings): Promise<HostWeights> {
  const { specialTokens, expert } = settings;
  const row = (id: number): Promise<Float32Array> => pack.rows('embed', id, 1);
  const timeWeight = await pack.tensor('time.weight');
  const timeBias = await pack.tensor('time.bias');
  const biases = new Map<number, readonly HostTensor[]>();
  return {
    stateWeight: await pack.tensor('state.weight'),
    stateBias: await pack.tensor('state.bias'),
    timeBiases: (steps) => {
      const known = biases.get(steps);
      if (known !== undefined) return known;
      const made = eulerTimes(steps).map((t): HostTensor => ({
        type: 'float32',
        dims: [expert.hidden],
        data: affine(timeWeight, timeEmbedding(t, expert.hidden, settings.minPeriod, settings.maxPeriod), timeBias),
      }));
      biases.set(steps, made);
      return made;
    },
    special:
      specialTokens === null
        ? null
        : { before: Float32Array.of(...(await row(specialTokens.fake)), ...(await row(specialTokens.global))), after: await row(specialTokens.fake) },
  };
}

interface Loaded {
  readonly pack: OpenPack;
  readonly engine: Engine;
  readonly options: LoadOptions;
  readonly settings: SmolVlaSettings;
  readonly cameraKeys: readonly string[];
  readonly shape: PrefixShape;
  readonly mids: 'none' | 'all';
  readonly host: HostWeights;
  readonly vision: EngineSession;
  readonly prefix: EngineSession;
  readonly step: EngineSession;
  /** Of the last call: the same cameras and sentence length give the same masks. */
  masks: MaskFeeds | null;
  /** Of the last call: the same sentence gives the same rows. */
  language: { readonly ids: string; readonly rows: Float32Array } | null;
}

interface MaskFeeds {
  readonly use: string;
  readonly masks: PrefixMasks;
  readonly prefix: Readonly<Record<string, HostTensor>>;
  readonly step: Readonly<Record<string, HostTensor>>;
}

async function predictChunk(loaded: Loaded, request: ChunkRequest): Promise<PolicyChunk> {
  const { settings, shape, options } = loaded;
  const startMs = options.clock.nowMs();
  checkRequest(settings, request);
  const mids = new Map<string, MidTensor>();
  const kept = new Kept();
  try {
    const present = presentPictures(loaded, request);
    const use: PrefixUse = {
      present: present.map((picture) => picture !== null),
      placeholders: Math.min(settings.emptyCameras, settings.cameraKeys.length + settings.placeholderKeys.length - present.filter((picture) => picture !== null).length),
      tokens: [...Array(request.tokens.length).keys()].filter((i) => request.tokenMask[i] !== 0).length,
    };
    if (use.tokens > settings.maxTokens) throw new FailureError('observation/sentence-too-long', { tokens: use.tokens, limit: settings.maxTokens });
    const feeds = maskFeeds(loaded, use);
    const images = await Promise.all(present.map((picture) => (picture === null ? null : preparePicture(loaded, picture))));
    const state = new Float32Array(settings.stateColumns);
    state.set(normalise(settings.state, request.state));
    const tail = await tailRows(loaded, use, request, state);
    const preparedMs = options.clock.nowMs();

    const tokens: Record<string, HostTensor | EngineTensor> = {};
    let seen = 0;
    for (const [slot, image] of images.entries()) {
      tokens[`image.${slot}`] = image === null ? float32([1, shape.tokensPerImage, settings.text.hidden]) : kept.add(await seePicture(loaded, image, seen++, mids));
    }
    const seenMs = options.clock.nowMs();

    const cache = await fillCache(loaded, { ...tokens, ...feeds.prefix, tail }, kept, (values) => {
      mids.set('state_padded', { dims: [settings.stateColumns], data: state });
      notePrefix(loaded, use, request, feeds.masks, values, mids);
    });
    const filledMs = options.clock.nowMs();

    const fixed = { ...cache, ...feeds.step };
    const steps = request.steps ?? settings.steps;
    const x0 = request.guide === undefined ? await denoise(loaded, request.noise, steps, fixed, kept, mids) : await denoiseGuided(loaded, request.noise, steps, fixed, request.guide);
    const actions = finishActions(settings, x0);
    const endMs = options.clock.nowMs();
    return {
      actions,
      x0,
      mids,
      timings: { preprocessMs: preparedMs - startMs, visionMs: seenMs - preparedMs, prefixMs: filledMs - seenMs, denoiseMs: endMs - filledMs, totalMs: endMs - startMs },
    };
  } finally {
    kept.dispose();
  }
}

function checkRequest(settings: SmolVlaSettings, request: ChunkRequest): void {
  if (request.state.length !== settings.stateSize) throw new FailureError('observation/state-size', { expected: settings.stateSize, found: request.state.length });
  if (request.noise.length !== settings.chunkRows * settings.actionColumns) {
    throw new FailureError('checkpoint/tensor-shape', { tensor: 'noise', expected: `[${settings.chunkRows}, ${settings.actionColumns}]`, found: `${request.noise.length} values` });
  }
  const { steps = settings.steps } = request;
  if (!Number.isInteger(steps) || steps < 1 || steps > settings.steps) {
    throw new FailureError('checkpoint/config', { field: 'steps', expected: `1 to ${settings.steps}`, found: steps });
  }
  if (request.tokenMask.length !== request.tokens.length) {
    throw new FailureError('checkpoint/tensor-shape', { tensor: 'token_mask', expected: `[${request.tokens.length}]`, found: `[${request.tokenMask.length}]` });
  }
}

/** By camera slot: its picture after the rename map, or null where the camera is absent. */
function presentPictures({ settings, cameraKeys }: Loaded, request: ChunkRequest): (Picture | null)[] {
  const byKey = new Map<string, Picture>();
  for (const [camera, picture] of request.pictures) byKey.set(settings.renameMap[camera] ?? camera, picture);
  const present = cameraKeys.map((key) => byKey.get(key) ?? null);
  if (present.every((picture) => picture === null)) {
    throw new FailureError('observation/camera-missing', { camera: cameraKeys.join(', '), present: [...request.pictures.keys()].join(', ') });
  }
  return present;
}

async function preparePicture({ settings, options }: Loaded, picture: Picture): Promise<Float32Array> {
  const side = settings.vision.imageSize;
  const image = await options.letterbox(picture, { width: side, height: side });
  if (image.length !== 3 * side * side) throw new Error(`letterbox gave ${image.length} numbers for 3 x ${side} x ${side}`);
  return image;
}

/** Tokens of one picture, kept by the engine. `index` counts the present cameras. */
async function seePicture({ vision, settings, shape, mids: wanted }: Loaded, image: Float32Array, index: number, mids: Map<string, MidTensor>): Promise<EngineTensor> {
  const { imageSize, patchSize, hidden } = settings.vision;
  const patches = (imageSize / patchSize) ** 2;
  const feeds = { patches: { type: 'float32', dims: [1, patches, 3 * patchSize * patchSize], data: patchify(image, imageSize, patchSize) } } as const;
  if (wanted === 'all') {
    const seen = await vision.run(feeds, { tokens: 'host', vision_out: 'host' });
    const scale = Math.sqrt(settings.text.hidden);
    mids.set(`image.${index}`, { dims: [3, imageSize, imageSize], data: image });
    mids.set(`vision_out.${index}`, { dims: [patches, hidden], data: floats(seen.vision_out) });
    mids.set(`connector_out.${index}`, { dims: [shape.tokensPerImage, settings.text.hidden], data: floats(seen.tokens).map((value) => value / scale) });
  }
  return (await vision.run(feeds, { tokens: 'engine' })).tokens;
}

/** The rows after the pictures: placeholders' special tokens, the sentence, the state. Unused rows are 0. */
async function tailRows(loaded: Loaded, use: PrefixUse, request: ChunkRequest, state: Float32Array): Promise<HostTensor> {
  const { settings, shape, host } = loaded;
  const width = settings.text.hidden;
  const tail = float32([1, shape.tailRows, width]);
  let at = 0;
  const put = (rows: Float32Array): void => {
    tail.data.set(rows, at);
    at += rows.length;
  };
  for (let i = 0; i < use.placeholders && host.special !== null; i++) {
    put(host.special.before);
    put(host.special.after);
  }
  put(await languageRows(loaded, request));
  put(affine(host.stateWeight, state, host.stateBias));
  return tail;
}

/** Embedding rows of the sentence, padding left out, times sqrt(width). */
async function languageRows(loaded: Loaded, request: ChunkRequest): Promise<Float32Array> {
  const { settings, pack } = loaded;
  const { hidden, vocabulary } = settings.text;
  const ids: number[] = [];
  for (let i = 0; i < request.tokens.length; i++) if (request.tokenMask[i] !== 0) ids.push(request.tokens[i]!);
  const key = ids.join();
  if (loaded.language?.ids === key) return loaded.language.rows;
  const rows = new Float32Array(ids.length * hidden);
  for (const [i, id] of ids.entries()) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabulary) throw new FailureError('checkpoint/config', { field: 'tokens', expected: `ids below ${vocabulary}`, found: id });
    rows.set(await pack.rows('embed', id, 1), i * hidden);
  }
  const scale = Math.fround(Math.sqrt(hidden));
  for (let i = 0; i < rows.length; i++) rows[i]! *= scale;
  loaded.language = { ids: key, rows };
  return rows;
}

function maskFeeds(loaded: Loaded, use: PrefixUse): MaskFeeds {
  const key = JSON.stringify(use);
  if (loaded.masks?.use === key) return loaded.masks;
  const { settings, shape } = loaded;
  const { chunkRows, text, expert } = settings;
  const group = text.heads / text.kvHeads;
  const masks = prefixMasks(shape, use);
  const attentions = expert.layers.map((layer) => layer.attention);
  const ownPositions = BigInt64Array.from({ length: chunkRows }, (_, i) => BigInt(masks.validRows + i));
  const prefix: Record<string, HostTensor> = { positions: { type: 'int64', dims: [1, shape.rows], data: masks.positions } };
  if (text.layers > 1) {
    prefix['positions.qkv'] = { type: 'int64', dims: [shape.rows, group + 2], data: slotPositions(masks.positions, group) };
    prefix['bias'] = { type: 'float32', dims: [1, 1, shape.rows * group, shape.rows], data: prefixBias(shape, masks, group) };
  }
  const step: Record<string, HostTensor> = {};
  if (attentions.includes('self')) {
    step['positions'] = { type: 'int64', dims: [chunkRows, group + 2], data: slotPositions(ownPositions, group) };
    step['bias_self'] = { type: 'float32', dims: [1, 1, chunkRows * group, shape.rows + chunkRows], data: chunkBias(shape, masks, chunkRows, 'causal', group) };
  }
  if (attentions.includes('cross')) {
    step['bias_cross'] = { type: 'float32', dims: [1, 1, chunkRows * group, shape.rows], data: chunkBias(shape, masks, chunkRows, 'none', group) };
  }
  loaded.masks = { use: key, masks, prefix, step };
  return loaded.masks;
}

/** Keys and values for every expert layer, kept by the engine. */
async function fillCache(
  { prefix, settings, mids: wanted }: Loaded,
  feeds: Readonly<Record<string, HostTensor | EngineTensor>>,
  kept: Kept,
  note: (values: Readonly<Record<string, HostTensor>>) => void,
): Promise<Record<string, EngineTensor>> {
  if (wanted === 'all') {
    const fetches: Record<string, 'host'> = { prefix_embs: 'host' };
    for (let l = 0; l < settings.text.layers; l++) fetches[`cache_k.${l}`] = fetches[`cache_v.${l}`] = 'host';
    note(await prefix.run(feeds, fetches));
  }
  const fetches: Record<string, 'engine'> = {};
  for (const j of settings.expert.layers.keys()) fetches[`k.${j}`] = fetches[`v.${j}`] = 'engine';
  const cache = await prefix.run(feeds, fetches);
  for (const tensor of Object.values(cache)) kept.add(tensor);
  return cache;
}

/** The Euler loop: x <- x + dt v(x, t). Only the last x leaves the engine. */
async function denoise(loaded: Loaded, noise: Float32Array, steps: number, fixed: Readonly<Record<string, HostTensor | EngineTensor>>, kept: Kept, mids: Map<string, MidTensor>): Promise<Float32Array> {
  const { step, settings, host } = loaded;
  const { chunkRows, actionColumns, expert } = settings;
  const dt: HostTensor = { type: 'float32', dims: [1], data: Float32Array.of(-1 / steps) };
  let x: HostTensor | EngineTensor = { type: 'float32', dims: [1, chunkRows, actionColumns], data: noise.slice() };
  for (const [s, timeBias] of host.timeBiases(steps).entries()) {
    const feeds: Record<string, HostTensor | EngineTensor> = { ...fixed, x, dt, time_bias: timeBias };
    if (s === 0 && loaded.mids === 'all') {
      const first = await step.run(feeds, { suffix_embs: 'host', v_t: 'host' });
      mids.set('suffix_embs.t1', { dims: [chunkRows, expert.hidden], data: floats(first.suffix_embs) });
      mids.set('v_t.step0', { dims: [chunkRows, actionColumns], data: floats(first.v_t) });
    }
    if (s === steps - 1) return floats((await step.run(feeds, { x_next: 'host' })).x_next);
    const { x_next: next } = await step.run(feeds, { x_next: 'engine' });
    kept.replace(x, next);
    x = next;
  }
  throw new Error('a policy without Euler steps');
}

/**
 * The same loop with a hand on the velocity: x comes back to the host after every step. The graph gives x + dt v; the v that
 * is read out of it has lost at most a rounding of x over dt, 1e-6 of x.
 */
async function denoiseGuided({ step, settings, host }: Loaded, noise: Float32Array, steps: number, fixed: Readonly<Record<string, HostTensor | EngineTensor>>, guide: Guide): Promise<Float32Array> {
  const { chunkRows, actionColumns } = settings;
  const dt = Math.fround(-1 / steps);
  const times = eulerTimes(steps);
  let x = noise.slice();
  for (const [s, timeBias] of host.timeBiases(steps).entries()) {
    const feeds: Record<string, HostTensor | EngineTensor> = {
      ...fixed,
      x: { type: 'float32', dims: [1, chunkRows, actionColumns], data: x },
      dt: { type: 'float32', dims: [1], data: Float32Array.of(dt) },
      time_bias: timeBias,
    };
    const next = floats((await step.run(feeds, { x_next: 'host' })).x_next);
    const before = x;
    const velocity = next.map((value, i) => (value - before[i]!) / dt);
    const guided = guide({ noisy: before, velocity, t: times[s]!, columns: actionColumns });
    if (guided.length !== velocity.length) throw new Error(`a guide gave ${guided.length} numbers for ${velocity.length}`);
    x = before.map((value, i) => value + dt * guided[i]!);
  }
  return x;
}

/** The real action columns in joint units. `policy/output-not-finite` names the first number that is none. */
function finishActions({ chunkRows, actionColumns, actionSize, action }: SmolVlaSettings, x0: Float32Array): Float32Array {
  const bad = x0.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new FailureError('policy/output-not-finite', { row: Math.floor(bad / actionColumns), column: bad % actionColumns });
  const actions = new Float32Array(chunkRows * actionSize);
  for (let row = 0; row < chunkRows; row++) {
    for (let column = 0; column < actionSize; column++) actions[row * actionSize + column] = denormalise(action, x0[row * actionColumns + column]!, column);
  }
  return actions;
}

/** Prefix values in LeRobot's own row order; rows that it pads are 0. */
function notePrefix(
  { shape, settings }: Loaded,
  use: PrefixUse,
  request: ChunkRequest,
  masks: PrefixMasks,
  values: Readonly<Record<string, HostTensor>>,
  mids: Map<string, MidTensor>,
): void {
  const order = leRobotRows(shape, use, request.tokenMask, settings.prefixLength);
  const { kvHeads, headSize, hidden } = settings.text;
  const reorder = (data: Float32Array, width: number): Float32Array => {
    const out = new Float32Array(order.length * width);
    for (const [to, from] of order.entries()) if (from >= 0) out.set(data.subarray(from * width, (from + 1) * width), to * width);
    return out;
  };
  for (const [name, tensor] of Object.entries(values)) {
    const cache = name.startsWith('cache_');
    mids.set(name, { dims: cache ? [order.length, kvHeads, headSize] : [order.length, hidden], data: reorder(floats(tensor), cache ? kvHeads * headSize : hidden) });
  }
  let next = -1;
  mids.set('prefix_pad', { dims: [order.length], data: Float32Array.from(order, (from) => (from >= 0 ? 1 : 0)) });
  mids.set('prefix_positions', { dims: [order.length], data: Float32Array.from(order, (from) => (from >= 0 ? (next = Number(masks.positions[from])) : Math.max(next, 0))) });
}

/** Tensors that the engine keeps for us until the chunk is done, whatever happens. */
class Kept {
  private readonly tensors = new Set<EngineTensor>();

  add(tensor: EngineTensor): EngineTensor {
    this.tensors.add(tensor);
    return tensor;
  }

  /** Keeps `next` and lets go of `old`, where the engine kept that. */
  replace(old: HostTensor | EngineTensor, next: EngineTensor): void {
    if ('location' in old && this.tensors.delete(old)) old.dispose();
    this.tensors.add(next);
  }

  dispose(): void {
    for (const tensor of this.tensors) tensor.dispose();
    this.tensors.clear();
  }
}

function float32(dims: readonly number[]): HostTensor & { readonly type: 'float32' } {
  return { type: 'float32', dims, data: new Float32Array(dims.reduce((product, dim) => product * dim, 1)) };
}

function floats(tensor: HostTensor): Float32Array {
  if (tensor.type !== 'float32') throw new Error(`a graph gave ${tensor.type} for float32`);
  return tensor.data;
}
