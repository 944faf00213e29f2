/**
 * From a SmolVLA checkpoint to a pack's plan: which tensors inference needs, in which file and layout each goes, and the
 * settings beside them. Sizes are read from the tensors and must agree with the configs; whatever is missing, of a wrong
 * shape or unsupported is refused by name before a single weight is read.
 *
 * Left behind: the language head, the text model's final norm, and of the last text layer all but its keys and values
 * (LeRobot computes the rest and throws it away). Of SmolVLA's 450.0 M parameters 393.5 M stay.
 *
 *   file      read by
 *   vision    the picture graph: patches, transformer, connector
 *   prefix    the prefix graph: text layers, and the cross layers' key and value matrices
 *   step      the denoising graph: the action expert
 *   host      the runner itself: embedding rows, state token, time embedding
 */
import type { CheckpointView, FamilyRecipe, PackPlan, PlannedTensor, TensorHeader, TensorStorage } from '#contracts/pack.ts';
import type { CameraSlot, FeatureStatistics, Precision } from '#contracts/policy.ts';
import { FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { readCard } from '../card.ts';
import { readBackbone, readConfig, readSpecialTokens, type Backbone, type SmolVlaConfig } from './config.ts';
import { checkHead, readHead } from './heads.ts';
import type { Normalisation } from './normalise.ts';
import { readProcessing, sizeOf, type Processing } from './processors.ts';
import { columnsOf, groupedHeadOrder, matMulWeight, positionRows, sideBySide, stackedRows } from './relayout.ts';
import { SETTINGS_REVISION, type SmolVlaSettings } from './settings.ts';

const VISION = 'model.vlm_with_expert.vlm.model.vision_model.';
const CONNECTOR = 'model.vlm_with_expert.vlm.model.connector.modality_projection.proj.weight';
const TEXT = 'model.vlm_with_expert.vlm.model.text_model.';
const EXPERT = 'model.vlm_with_expert.lm_expert.';

export const smolVlaRecipe: FamilyRecipe = {
  family: 'smolvla',
  async plan(checkpoint, precision): Promise<PackPlan> {
    const config = readConfig(checkpoint);
    const backbone = readBackbone(checkpoint, config);
    const processing = await readProcessing(checkpoint, config);
    const tensors = new SourceTensors(checkpoint.tensors);
    const settings = deriveSettings(checkpoint, config, backbone, processing, tensors);
    return {
      family: 'smolvla',
      info: {
        name: checkpoint.name,
        family: 'smolvla',
        precision,
        parameterCount: tensors.parameterCount(),
        cameras: cameraSlots(config, settings),
        stateSize: settings.stateSize,
        actionSize: settings.actionSize,
        chunkRows: settings.chunkRows,
        denoisingSteps: settings.steps,
        head: settings.head.kind,
        missingStatistics: processing.missingStatistics,
        statistics: { state: featureStatistics(checkpoint, processing.state, 'observation.state'), action: featureStatistics(checkpoint, processing.action, 'action') },
        stage: isBase(checkpoint, processing) ? 'base' : 'tuned',
        ...readCard(checkpoint.json.get('card.json')),
      },
      settings,
      tensors: [
        ...visionTensors(settings, tensors, precision),
        ...prefixTensors(settings, tensors, precision),
        ...stepTensors(settings, tensors, precision),
        ...hostTensors(settings, tensors, precision),
      ],
    };
  },
};

/** Null for a feature that passes as it is. */
function featureStatistics(checkpoint: CheckpointView, how: Normalisation, feature: string): FeatureStatistics | null {
  if (how.mode === 'identity') return null;
  const listed = (statistic: string, size: number): readonly number[] | null => {
    const values = checkpoint.statistics.get(`${feature}.${statistic}`);
    return values === undefined || values.length !== size || !values.every(Number.isFinite) ? null : [...values];
  };
  if (how.mode === 'range') {
    const middle = how.low.map((low, i) => (low + how.high[i]!) / 2);
    // An even spread between the two has this standard deviation.
    return { mean: middle, std: how.low.map((low, i) => (how.high[i]! - low) / Math.sqrt(12)), least: how.low, most: how.high };
  }
  return { mean: how.mean, std: how.std, least: listed('min', how.mean.length), most: listed('max', how.mean.length) };
}

/**
 * A base model: no statistics of its own features, but those of the several robots it was trained on, by their names
 * (`so100.buffer.action.mean`), or none at all under the base's own name.
 */
function isBase(checkpoint: CheckpointView, { missingStatistics }: Processing): boolean {
  if (missingStatistics.length < 2) return false;
  return /(?:^|\/)smolvla_base(?:$|@)/.test(checkpoint.name) || [...checkpoint.statistics.keys()].some((name) => name.includes('.buffer.'));
}

/** The checkpoint's tensor headers, asked for by name and checked. */
class SourceTensors {
  private readonly headers: ReadonlyMap<string, TensorHeader>;

  constructor(headers: ReadonlyMap<string, TensorHeader>) {
    this.headers = headers;
  }

  /** The name of a tensor that must be there, be of floats, and have this shape. */
  need(tensor: string, shape: readonly number[]): string {
    const found = this.shape(tensor);
    if (found.join() !== shape.join()) {
      throw new FailureError('checkpoint/tensor-shape', { tensor, expected: `[${shape.join(', ')}]`, found: `[${found.join(', ')}]` });
    }
    return tensor;
  }

  shape(tensor: string): readonly number[] {
    const header = this.headers.get(tensor);
    if (header === undefined) throw new FailureError('checkpoint/tensor-missing', { tensor });
    if (!['F64', 'F32', 'F16', 'BF16'].includes(header.dtype)) throw new FailureError('checkpoint/tensor-dtype', { tensor, found: header.dtype });
    return header.shape;
  }

  /** Rows of a matrix. */
  rows(tensor: string): number {
    const [rows] = this.shape(tensor);
    if (rows === undefined || rows < 1) throw new FailureError('checkpoint/tensor-shape', { tensor, expected: '[rows, columns]', found: '[]' });
    return rows;
  }

  /** How many `<prefix>0.`, `<prefix>1.`, ... there are. */
  layers(prefix: string): number {
    let highest = -1;
    for (const tensor of this.headers.keys()) {
      if (!tensor.startsWith(prefix)) continue;
      const layer = /^(\d{1,3})\./.exec(tensor.slice(prefix.length))?.[1];
      if (layer !== undefined) highest = Math.max(highest, Number(layer));
    }
    return highest + 1;
  }

  parameterCount(): number {
    let sum = 0;
    for (const [tensor, { shape }] of this.headers) if (tensor.startsWith('model.')) sum += shape.reduce((product, dim) => product * dim, 1);
    return sum;
  }
}

function refuse(what: string, found: string): never {
  throw new FailureError('checkpoint/unsupported', { what, found });
}

function disagree(field: string, expected: string, found: number): never {
  throw new FailureError('checkpoint/config', { field, expected, found });
}

function deriveSettings(checkpoint: CheckpointView, config: SmolVlaConfig, backbone: Backbone, processing: Processing, tensors: SourceTensors): SmolVlaSettings {
  const { text_config: text, vision_config: vision } = backbone;
  const headSize = text.head_dim ?? text.hidden_size / text.num_attention_heads;
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) disagree('vlm_config.json: text_config.head_dim', 'an even whole number', headSize);
  if (text.num_attention_heads % text.num_key_value_heads !== 0) disagree('vlm_config.json: num_key_value_heads', `a divisor of ${text.num_attention_heads}`, text.num_key_value_heads);
  if (vision.hidden_size % vision.num_attention_heads !== 0) disagree('vlm_config.json: vision heads', `a divisor of ${vision.hidden_size}`, vision.num_attention_heads);

  const [width, height] = config.resize_imgs_with_padding ?? refuse('resize_imgs_with_padding', 'null');
  const side = width / vision.patch_size;
  if (width !== height || !Number.isInteger(side) || side % backbone.scale_factor !== 0) refuse('picture size for this vision tower', `${width}x${height}`);

  const attentions = expertLayers(config, tensors);
  const actionFeature = config.output_features['action'] ?? disagree('config.json: output_features.action', 'an action feature', 0);
  const actionSize = actionFeature.shape[0] ?? 0;
  if (actionSize < 1 || actionSize > config.max_action_dim) disagree('config.json: output_features.action', `1 to ${config.max_action_dim} values`, actionSize);
  const actionStatistics = sizeOf(processing.action);
  if (actionStatistics !== null && actionStatistics !== actionSize) {
    throw new FailureError('checkpoint/tensor-shape', { tensor: 'action statistics', expected: `[${actionSize}]`, found: `[${actionStatistics}]` });
  }
  // A fine-tune of smolvla_base keeps the base's declared state; its statistics have the true size.
  const stateSize = processing.stateSize ?? config.input_features['observation.state']?.shape[0] ?? disagree('config.json: observation.state', 'a state feature', 0);
  if (stateSize < 1 || stateSize > config.max_state_dim) disagree('config.json: observation.state', `1 to ${config.max_state_dim} values`, stateSize);

  const visual = Object.keys(config.input_features).filter((key) => config.input_features[key]!.type === 'VISUAL');
  const placeholderKeys = visual.filter((key) => key.startsWith('observation.images.empty_camera_'));
  const cameraKeys = visual.filter((key) => !placeholderKeys.includes(key));
  if (cameraKeys.length === 0) refuse('checkpoint without cameras', 'none');
  if (cameraKeys.length > 16) refuse('number of cameras', String(cameraKeys.length));

  const specialTokens = readSpecialTokens(checkpoint, config);
  const vocabulary = tensors.rows(`${TEXT}embed_tokens.weight`);
  for (const id of specialTokens === null ? [] : [specialTokens.fake, specialTokens.global]) if (id >= vocabulary) disagree('special_tokens.json', `ids below ${vocabulary}`, id);

  const head = readHead(checkpoint);
  checkHead(head, actionSize, config.num_steps);

  return {
    revision: SETTINGS_REVISION,
    vision: {
      imageSize: width,
      patchSize: vision.patch_size,
      layers: tensors.layers(`${VISION}encoder.layers.`),
      hidden: vision.hidden_size,
      heads: vision.num_attention_heads,
      feedForward: tensors.rows(`${VISION}encoder.layers.0.mlp.fc1.weight`),
      epsilon: vision.layer_norm_eps,
      shuffle: backbone.scale_factor,
    },
    text: {
      layers: Math.max(...attentions.map((layer) => layer.textLayer)) + 1,
      hidden: text.hidden_size,
      heads: text.num_attention_heads,
      kvHeads: text.num_key_value_heads,
      headSize,
      feedForward: tensors.rows(`${TEXT}layers.0.mlp.gate_proj.weight`),
      epsilon: text.rms_norm_eps,
      vocabulary,
    },
    expert: {
      hidden: expertWidth(config, text.hidden_size, tensors),
      feedForward: tensors.rows(`${EXPERT}layers.0.mlp.gate_proj.weight`),
      layers: attentions,
    },
    head,
    chunkRows: config.chunk_size,
    stateColumns: config.max_state_dim,
    actionColumns: config.max_action_dim,
    stateSize,
    actionSize,
    steps: config.num_steps,
    minPeriod: config.min_period,
    maxPeriod: config.max_period,
    maxTokens: processing.text.maxTokens,
    tokenPadding: processing.text.padding,
    tokenTruncation: processing.text.truncation,
    prefixLength: config.prefix_length,
    specialTokens,
    cameraKeys,
    placeholderKeys,
    emptyCameras: config.empty_cameras,
    renameMap: { ...processing.renameMap },
    state: processing.state,
    action: processing.action,
  };
}

function expertWidth(config: SmolVlaConfig, textWidth: number, tensors: SourceTensors): number {
  const width = Math.trunc(textWidth * config.expert_width_multiplier);
  tensors.need(`${EXPERT}norm.weight`, [width]);
  if (width % 2 !== 0) disagree('config.json: expert_width_multiplier', 'an even expert width', width);
  return width;
}

/**
 * Which text layer each expert layer sits on and how it attends. With fewer expert than text layers, expert layer j sits
 * on text layer j * stride. LeRobot decides the behaviour by the text layer and the shapes by the expert layer; where
 * the two disagree (every default config with a stride above 1) LeRobot itself fails, and so do we.
 */
function expertLayers(config: SmolVlaConfig, tensors: SourceTensors): SmolVlaSettings['expert']['layers'] {
  const stored = tensors.layers(`${TEXT}layers.`);
  const textLayers = config.num_vlm_layers > 0 ? config.num_vlm_layers : stored;
  if (stored !== textLayers) disagree('config.json: num_vlm_layers', `${stored} (as many as model.safetensors has)`, config.num_vlm_layers);
  const expertCount = config.num_expert_layers > 0 ? config.num_expert_layers : textLayers;
  const storedExpert = tensors.layers(`${EXPERT}layers.`);
  if (storedExpert !== expertCount) disagree('config.json: num_expert_layers', `${storedExpert} (as many as model.safetensors has)`, config.num_expert_layers);
  if (expertCount === 0 || textLayers % expertCount !== 0) disagree('config.json: num_expert_layers', `a divisor of ${textLayers}`, expertCount);
  const stride = textLayers / expertCount;
  const every = config.self_attn_every_n_layers;
  const attention = (layer: number): 'self' | 'cross' => (!config.attention_mode.includes('cross') || (every > 0 && layer % every === 0) ? 'self' : 'cross');
  return Array.from({ length: expertCount }, (_, j) => {
    if (attention(j) !== attention(j * stride)) refuse('num_expert_layers with self_attn_every_n_layers', `${expertCount} of ${textLayers}, every ${every}`);
    return { textLayer: j * stride, attention: attention(j) };
  });
}

function cameraSlots(config: SmolVlaConfig, settings: SmolVlaSettings): CameraSlot[] {
  return settings.cameraKeys.map((key) => {
    const robotKey = Object.keys(settings.renameMap).find((robot) => settings.renameMap[robot] === key) ?? key;
    const [, height = settings.vision.imageSize, width = settings.vision.imageSize] = config.input_features[key]!.shape;
    return { key, robotKey, width, height };
  });
}

function visionTensors({ vision, text }: SmolVlaSettings, tensors: SourceTensors, precision: Precision): PlannedTensor[] {
  const { hidden, feedForward, patchSize, shuffle, layers } = vision;
  const side = vision.imageSize / patchSize;
  const patch = 3 * patchSize * patchSize;
  const tableName = `${VISION}embeddings.position_embedding.weight`;
  const tableRows = tensors.rows(tableName);
  const tableSide = Math.round(Math.sqrt(tableRows));
  if (tableSide ** 2 !== tableRows) disagree(tableName, 'a square number of rows', tableRows);
  const plain = planner('vision', tensors, formOf(precision, 'pictures'));
  const planned: PlannedTensor[] = [
    // The convolution kernel [hidden, 3, patch, patch] is a matrix over a patch's numbers in the order channel, row, column.
    plain.matrix('vision.patch.weight', [{ tensor: `${VISION}embeddings.patch_embedding.weight`, rows: hidden, columns: patch, storedShape: [hidden, 3, patchSize, patchSize] }]),
    {
      name: 'vision.position',
      file: 'vision',
      shape: [side * side, hidden],
      sources: [tensors.need(tableName, [tableRows, hidden]), tensors.need(`${VISION}embeddings.patch_embedding.bias`, [hidden])],
      make: ([table, bias]) => positionRows(table!, bias!, tableSide, side),
    },
  ];
  for (let l = 0; l < layers; l++) {
    const from = `${VISION}encoder.layers.${l}.`;
    const to = `vision.${l}.`;
    const qkv = ['q_proj', 'k_proj', 'v_proj'].map((part) => `${from}self_attn.${part}`);
    planned.push(
      plain.vector(`${to}norm1.scale`, `${from}layer_norm1.weight`, hidden),
      plain.vector(`${to}norm1.bias`, `${from}layer_norm1.bias`, hidden),
      plain.matrix(`${to}qkv.weight`, qkv.map((part) => ({ tensor: `${part}.weight`, rows: hidden, columns: hidden }))),
      {
        name: `${to}qkv.bias`,
        file: 'vision',
        shape: [3 * hidden],
        sources: qkv.map((part) => tensors.need(`${part}.bias`, [hidden])),
        make: sideBySide,
      },
      plain.matrix(`${to}out.weight`, [{ tensor: `${from}self_attn.out_proj.weight`, rows: hidden, columns: hidden }]),
      plain.vector(`${to}out.bias`, `${from}self_attn.out_proj.bias`, hidden),
      plain.vector(`${to}norm2.scale`, `${from}layer_norm2.weight`, hidden),
      plain.vector(`${to}norm2.bias`, `${from}layer_norm2.bias`, hidden),
      plain.matrix(`${to}fc1.weight`, [{ tensor: `${from}mlp.fc1.weight`, rows: feedForward, columns: hidden }]),
      plain.vector(`${to}fc1.bias`, `${from}mlp.fc1.bias`, feedForward),
      plain.matrix(`${to}fc2.weight`, [{ tensor: `${from}mlp.fc2.weight`, rows: hidden, columns: feedForward }]),
      plain.vector(`${to}fc2.bias`, `${from}mlp.fc2.bias`, hidden),
    );
  }
  planned.push(
    plain.vector('vision.norm.scale', `${VISION}post_layernorm.weight`, hidden),
    plain.vector('vision.norm.bias', `${VISION}post_layernorm.bias`, hidden),
    // Picture tokens enter the text model times sqrt(its width): the factor is folded in here, once.
    plain.matrix('vision.connector.weight', [{ tensor: CONNECTOR, rows: text.hidden, columns: hidden * shuffle * shuffle }], Math.sqrt(text.hidden)),
  );
  return planned;
}

function prefixTensors({ text, expert }: SmolVlaSettings, tensors: SourceTensors, precision: Precision): PlannedTensor[] {
  const { hidden, feedForward, heads, kvHeads, headSize } = text;
  const kv = kvHeads * headSize;
  const order = groupedHeadOrder(heads, kvHeads, headSize);
  const plain = planner('prefix', tensors, formOf(precision, 'text'));
  const attention = planner('prefix', tensors, formOf(precision, 'attention'));
  const planned: PlannedTensor[] = [];
  for (let l = 0; l < text.layers; l++) {
    const from = `${TEXT}layers.${l}.`;
    const to = `text.${l}.`;
    const k = { tensor: `${from}self_attn.k_proj.weight`, rows: kv, columns: hidden };
    const v = { tensor: `${from}self_attn.v_proj.weight`, rows: kv, columns: hidden };
    planned.push(plain.vector(`${to}norm1.scale`, `${from}input_layernorm.weight`, hidden));
    if (l === text.layers - 1) {
      planned.push(attention.matrix(`${to}kv.weight`, [k, v]));
      continue;
    }
    const q = { tensor: `${from}self_attn.q_proj.weight`, rows: heads * headSize, columns: hidden, rowOrder: order };
    planned.push(
      attention.matrix(`${to}qkv.weight`, [q, k, v]),
      plain.matrix(`${to}o.weight`, [{ tensor: `${from}self_attn.o_proj.weight`, rows: hidden, columns: heads * headSize, columnOrder: order }]),
      plain.vector(`${to}norm2.scale`, `${from}post_attention_layernorm.weight`, hidden),
      ...plain.gatedMlp(to, from, hidden, feedForward),
    );
  }
  for (const [j, layer] of expert.layers.entries()) {
    if (layer.attention === 'self') continue;
    for (const part of ['k', 'v'] as const) {
      planned.push(attention.matrix(`cross.${j}.${part}.weight`, [{ tensor: `${EXPERT}layers.${j}.self_attn.${part}_proj.weight`, rows: kv, columns: kv }]));
    }
  }
  return planned;
}

function stepTensors({ text, expert, head, actionColumns }: SmolVlaSettings, tensors: SourceTensors, precision: Precision): PlannedTensor[] {
  const { hidden, feedForward } = expert;
  const { heads, kvHeads, headSize } = text;
  const kv = kvHeads * headSize;
  const order = groupedHeadOrder(heads, kvHeads, headSize);
  const plain = planner('step', tensors, formOf(precision, 'expert'));
  const attended = planner('step', tensors, formOf(precision, 'attention'));
  // A few small matrices through which every action passes, ten times: they stay as they are.
  const exact = planner('step', tensors, 'f32');
  const planned: PlannedTensor[] = [
    exact.matrix('action.in.weight', [{ tensor: 'model.action_in_proj.weight', rows: hidden, columns: actionColumns }]),
    plain.vector('action.in.bias', 'model.action_in_proj.bias', hidden),
    {
      // action_time_mlp_in reads [action | time]. Its time half is the same for all rows: the runner makes a bias of it.
      name: 'action.mix.weight',
      file: 'step',
      shape: [hidden, hidden],
      sources: [tensors.need('model.action_time_mlp_in.weight', [hidden, 2 * hidden])],
      make: ([both]) => matMulWeight([columnsOf(both!, 2 * hidden, 0, hidden)], [{ rows: hidden, columns: hidden }]),
    },
    exact.matrix('action.time.weight', [{ tensor: 'model.action_time_mlp_out.weight', rows: hidden, columns: hidden }]),
    plain.vector('action.time.bias', 'model.action_time_mlp_out.bias', hidden),
  ];
  for (const [j, { attention }] of expert.layers.entries()) {
    const from = `${EXPERT}layers.${j}.`;
    const to = `expert.${j}.`;
    const q = { tensor: `${from}self_attn.q_proj.weight`, rows: heads * headSize, columns: hidden, rowOrder: order };
    const own = ['k', 'v'].map((part) => ({ tensor: `${from}self_attn.${part}_proj.weight`, rows: kv, columns: hidden }));
    planned.push(
      plain.vector(`${to}norm1.scale`, `${from}input_layernorm.weight`, hidden),
      attention === 'self' ? plain.matrix(`${to}qkv.weight`, [q, ...own]) : plain.matrix(`${to}q.weight`, [q]),
      attended.matrix(`${to}o.weight`, [{ tensor: `${from}self_attn.o_proj.weight`, rows: hidden, columns: heads * headSize, columnOrder: order }]),
      plain.vector(`${to}norm2.scale`, `${from}post_attention_layernorm.weight`, hidden),
      ...plain.gatedMlp(to, from, hidden, feedForward),
    );
  }
  planned.push(
    plain.vector('expert.norm.scale', `${EXPERT}norm.weight`, hidden),
    ...(head.kind === 'bins'
      ? [
          exact.matrix('action.bins.weight', [{ tensor: 'model.action_bins_proj.weight', rows: head.low.length * head.count, columns: hidden }]),
          plain.vector('action.bins.bias', 'model.action_bins_proj.bias', head.low.length * head.count),
        ]
      : [
          exact.matrix('action.out.weight', [{ tensor: 'model.action_out_proj.weight', rows: actionColumns, columns: hidden }]),
          plain.vector('action.out.bias', 'model.action_out_proj.bias', actionColumns),
        ]),
  );
  return planned;
}

function hostTensors({ text, expert, stateColumns }: SmolVlaSettings, tensors: SourceTensors, precision: Precision): PlannedTensor[] {
  const plain = planner('host', tensors, 'f32');
  const asStored = (name: string, tensor: string, shape: readonly number[]): PlannedTensor => ({ name, file: 'host', shape, sources: [tensors.need(tensor, shape)] });
  return [
    { ...asStored('embed', `${TEXT}embed_tokens.weight`, [text.vocabulary, text.hidden]), storage: storageOf(formOf(precision, 'embedding'), text.vocabulary, text.hidden, TABLE_BLOCKS) },
    asStored('state.weight', 'model.state_proj.weight', [text.hidden, stateColumns]),
    plain.vector('state.bias', 'model.state_proj.bias', text.hidden),
    {
      name: 'time.weight',
      file: 'host',
      shape: [expert.hidden, expert.hidden],
      sources: [tensors.need('model.action_time_mlp_in.weight', [expert.hidden, 2 * expert.hidden])],
      make: ([both]) => columnsOf(both!, 2 * expert.hidden, expert.hidden, expert.hidden),
    },
    plain.vector('time.bias', 'model.action_time_mlp_in.bias', expert.hidden),
  ];
}

/** How a matrix is kept. */
type Form = 'f32' | 'f16' | 'q8' | 'q4' | 'int8';

/**
 * What a precision means for each part. At q4 some keep 8 bits, because a byte there buys most. Pictures: their errors pass
 * through everything that follows, they are a quarter of the weights, and a GPU computes 8 bits as fast as 4. What attention
 * looks at (the text model's queries, keys and values, the keys and values made of them for the expert) and what the expert
 * takes from it: 36 of 393 million numbers, 18 MB more of SmolVLA, and over half of what 4 bits lose. A table that is only
 * looked up in costs nothing but room.
 */
function formOf(precision: Precision, part: 'pictures' | 'attention' | 'text' | 'expert' | 'embedding'): Form {
  switch (precision) {
    case 'f32':
    case 'f16':
    case 'q8':
      return precision;
    case 'q4':
      return part === 'text' || part === 'expert' ? 'q4' : 'q8';
    case 'int8':
      return part === 'embedding' ? 'q8' : 'int8';
    default:
      return unreachable(precision);
  }
}

/** What MatMulNBits' kernels are made for first; SmolVLA's expert has 720 columns, which 32 does not divide. */
const KERNEL_BLOCKS = [32, 16] as const;
/** A table is multiplied by nobody: longer blocks carry fewer scales, and at 8 bits lose hardly more. */
const TABLE_BLOCKS = [96, 64, 32, 16] as const;

/** A matrix of `outputs` rows and `inputs` columns, whose rows are cut into blocks of the first size that divides them, else not at all. */
function storageOf(form: Form, outputs: number, inputs: number, sizes: readonly number[] = KERNEL_BLOCKS): TensorStorage {
  switch (form) {
    case 'f32':
      return { kind: 'F32' };
    case 'f16':
      return { kind: 'F16' };
    case 'q8':
    case 'q4': {
      const block = sizes.find((size) => inputs % size === 0);
      return block === undefined ? { kind: 'F32' } : { kind: 'blocks', bits: form === 'q8' ? 8 : 4, block };
    }
    case 'int8':
      return { kind: 'columns', width: outputs };
    default:
      return unreachable(form);
  }
}

interface SourceMatrix {
  readonly tensor: string;
  /** As the file says it; [rows, columns] where absent. */
  readonly storedShape?: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly rowOrder?: Int32Array;
  readonly columnOrder?: Int32Array;
}

function planner(file: string, tensors: SourceTensors, form: Form) {
  const vector = (name: string, tensor: string, length: number): PlannedTensor => ({ name, file, shape: [length], sources: [tensors.need(tensor, [length])] });
  /** Matrices [out_i, in] to one: [in, sum of out_i] for MatMul, [sum of out_i, in] where it is kept in blocks. */
  const matrix = (name: string, parts: readonly SourceMatrix[], factor = 1): PlannedTensor => {
    const [columns, rows] = [parts[0]!.columns, parts.reduce((sum, part) => sum + part.rows, 0)];
    const storage = storageOf(form, rows, columns);
    const sources = parts.map((part) => tensors.need(part.tensor, part.storedShape ?? [part.rows, part.columns]));
    return storage.kind === 'blocks'
      ? { name, file, shape: [rows, columns], sources, storage, make: (values) => stackedRows(values, parts, factor) }
      : { name, file, shape: [columns, rows], sources, storage, make: (values) => matMulWeight(values, parts, factor) };
  };
  /** down(silu(gate x) * up x) */
  const gatedMlp = (to: string, from: string, hidden: number, feedForward: number): PlannedTensor[] => [
    matrix(`${to}gate.weight`, [{ tensor: `${from}mlp.gate_proj.weight`, rows: feedForward, columns: hidden }]),
    matrix(`${to}up.weight`, [{ tensor: `${from}mlp.up_proj.weight`, rows: feedForward, columns: hidden }]),
    matrix(`${to}down.weight`, [{ tensor: `${from}mlp.down_proj.weight`, rows: hidden, columns: feedForward }]),
  ];
  return { vector, matrix, gatedMlp };
}
