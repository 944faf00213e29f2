/**
 * Runs a SmolVLA pack: three graphs on an engine, and between them the little that is not worth a GPU.
 *
 *   pictures ─ letterbox ─ patches ─► vision ─┐ tokens stay on the engine
 *   sentence ─ embedding rows ────────────────┼─► prefix ─► keys, values stay on the engine ─┐
 *   state ─ normalise ─ state token ──────────┘                                              │
 *   noise ─► step ─► x ─► step ─► ... ─► x0 (read back once) ─ denormalise ─► actions         │
 *              ▲───────────────────────────────────────────────────────────────────────────────┘
 *
 * Knows the order of things and the arithmetic on the host; graphs are in `graphs/`, who keeps their tensors in
 * `runs-*.ts`, rows and masks in `prefix-rows.ts`. Knows no runtime, no file, no clock of its own.
 */
import type { Engine, HostTensor, WeightFile } from '#contracts/engine.ts';
import type { OpenPack } from '#contracts/pack.ts';
import type { Picture } from '#contracts/picture.ts';
import type { CameraWiring, PolicyInfo } from '#contracts/policy.ts';
import { FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import type { ChunkRequest, LoadOptions, MidTensor, Policy, PolicyChunk } from '../policy.ts';
import { prefixGraph, type SpecialRows } from './graphs/prefix.ts';
import { stepGraph } from './graphs/step.ts';
import { visionGraph } from './graphs/vision.ts';
import { visionTower } from './tower.ts';
import { denormalise, normalise } from './normalise.ts';
import { chunkBias, leRobotRows, prefixBias, prefixMasks, prefixShape, slotPositions, type PrefixMasks, type PrefixShape, type PrefixUse } from './prefix-rows.ts';
import { boundRuns } from './runs-bound.ts';
import { looseRuns, type MidSink } from './runs-loose.ts';
import { float32, floats, type GraphName, type GraphRuns, type PolicyGraphs } from './runs.ts';
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
  const activations = options.activations ?? 'float32';
  const host = await readHostWeights(pack, settings);

  const graphs: PolicyGraphs = async (name) => {
    const weights: WeightFile[] = [];
    for (const part of pack.parts(name)) weights.push({ path: part, data: await pack.weights(part) });
    // Intermediate values are the graph's alone.
    const tower = name === 'vision' && mids === 'none' ? visionTower(pack, settings) : null;
    return { name, model: written(name), weights, ...(tower === null ? {} : { tower }) };
  };
  const written = (name: GraphName): Uint8Array => {
    switch (name) {
      case 'vision':
        return visionGraph(settings, manifest, engine.provider, mids, activations);
      case 'prefix':
        return prefixGraph(settings, shape, host.special, manifest, engine.provider, mids, activations);
      case 'step':
        return stepGraph(settings, shape, manifest, engine.provider, mids);
      default:
        return unreachable(name);
    }
  };
  const collected = mids === 'all' ? new Mids() : null;
  const { letterbox } = options;
  const runs = engine.device === undefined || collected !== null ? await looseRuns({ engine, graphs, settings, shape, letterbox, mids: collected }) : await boundRuns({ device: engine.device, manner: options.manner ?? 'plain', graphs, settings, shape, letterbox });
  const loaded: Loaded = { pack, options, settings, cameraKeys, shape, host, runs, mids: collected, masks: null, language: null };
  return {
    info,
    provider: engine.provider,
    eyes: runs.eyes,
    text: { ending: '\n', maxTokens: settings.maxTokens, padding: settings.tokenPadding, truncation: settings.tokenTruncation },
    noiseColumns: settings.actionColumns,
    predictChunk: (request) => predictChunk(loaded, request),
    forget: () => runs.forget(),
    dispose: () => runs.dispose(),
  };
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
  readonly timeBiases: (steps: number) => readonly Float32Array[];
  readonly special: SpecialRows | null;
}

async function readHostWeights(pack: OpenPack, settings: SmolVlaSettings): Promise<HostWeights> {
  const { specialTokens, expert } = settings;
  const row = (id: number): Promise<Float32Array> => pack.rows('embed', id, 1);
  const timeWeight = await pack.tensor('time.weight');
  const timeBias = await pack.tensor('time.bias');
  const biases = new Map<number, readonly Float32Array[]>();
  return {
    stateWeight: await pack.tensor('state.weight'),
    stateBias: await pack.tensor('state.bias'),
    timeBiases: (steps) => {
      const known = biases.get(steps);
      if (known !== undefined) return known;
      const made = eulerTimes(steps).map((t) => affine(timeWeight, timeEmbedding(t, expert.hidden, settings.minPeriod, settings.maxPeriod), timeBias));
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
  readonly options: LoadOptions;
  readonly settings: SmolVlaSettings;
  readonly cameraKeys: readonly string[];
  readonly shape: PrefixShape;
  readonly host: HostWeights;
  readonly runs: GraphRuns;
  readonly mids: Mids | null;
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
  const { settings, options, runs } = loaded;
  const startMs = options.clock.nowMs();
  checkRequest(settings, request);
  const present = presentPictures(loaded, request);
  const use: PrefixUse = {
    present: present.map((picture) => picture !== null),
    placeholders: Math.min(settings.emptyCameras, settings.cameraKeys.length + settings.placeholderKeys.length - present.filter((picture) => picture !== null).length),
    tokens: [...Array(request.tokens.length).keys()].filter((i) => request.tokenMask[i] !== 0).length,
  };
  if (use.tokens > settings.maxTokens) throw new FailureError('observation/sentence-too-long', { tokens: use.tokens, limit: settings.maxTokens });
  const feeds = maskFeeds(loaded, use);
  for (const [slot, picture] of present.entries()) await runs.prepare(slot, picture);
  const state = new Float32Array(settings.stateColumns);
  state.set(normalise(settings.state, request.state));
  const tail = await tailRows(loaded, use, request, state);
  loaded.mids?.begin(loaded, use, request, feeds.masks, state);
  const preparedMs = options.clock.nowMs();

  await runs.see();
  const seenMs = options.clock.nowMs();

  await runs.read({ ...feeds, tail });
  const filledMs = options.clock.nowMs();

  const x0 = await runs.denoise({ noise: request.noise, timeBiases: loaded.host.timeBiases(request.steps ?? settings.steps), guide: settings.head.kind === 'bins' ? null : (request.guide ?? null) });
  const actions = finishActions(settings, x0);
  const endMs = options.clock.nowMs();
  return {
    actions,
    x0,
    mids: loaded.mids?.take() ?? new Map(),
    timings: { preprocessMs: preparedMs - startMs, visionMs: seenMs - preparedMs, prefixMs: filledMs - seenMs, denoiseMs: endMs - filledMs, totalMs: endMs - startMs },
  };
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

/** Intermediate values of one chunk, named and shaped as LeRobot's own. */
class Mids implements MidSink {
  private values = new Map<string, MidTensor>();
  private order: Int32Array = new Int32Array();
  private widths: { readonly cache: readonly [number, number]; readonly hidden: number } = { cache: [0, 0], hidden: 0 };

  begin({ shape, settings }: Loaded, use: PrefixUse, request: ChunkRequest, masks: PrefixMasks, state: Float32Array): void {
    const { kvHeads, headSize, hidden } = settings.text;
    this.values = new Map();
    this.order = leRobotRows(shape, use, request.tokenMask, settings.prefixLength);
    this.widths = { cache: [kvHeads, headSize], hidden };
    let next = -1;
    this.note('state_padded', { dims: [settings.stateColumns], data: state });
    this.note('prefix_pad', { dims: [this.order.length], data: Float32Array.from(this.order, (from) => (from >= 0 ? 1 : 0)) });
    this.note('prefix_positions', { dims: [this.order.length], data: Float32Array.from(this.order, (from) => (from >= 0 ? (next = Number(masks.positions[from])) : Math.max(next, 0))) });
  }

  note(name: string, value: MidTensor): void {
    this.values.set(name, value);
  }

  /** In LeRobot's own row order; rows that it pads are 0. */
  notePrefix(values: Readonly<Record<string, HostTensor>>): void {
    for (const [name, tensor] of Object.entries(values)) {
      const each = name.startsWith('cache_') ? this.widths.cache : [this.widths.hidden];
      const width = each.reduce((product, size) => product * size, 1);
      const data = new Float32Array(this.order.length * width);
      for (const [to, from] of this.order.entries()) if (from >= 0) data.set(floats(tensor).subarray(from * width, (from + 1) * width), to * width);
      this.note(name, { dims: [this.order.length, ...each], data });
    }
  }

  take(): ReadonlyMap<string, MidTensor> {
    const taken = this.values;
    this.values = new Map();
    return taken;
  }
}
