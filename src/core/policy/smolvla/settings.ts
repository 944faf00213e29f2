/**
 * What a SmolVLA pack says about its model: everything the graphs and the runner need, with no tensor and no file of
 * the checkpoint left to look at. Written by `recipe.ts` as JSON into the pack, read back and checked by `run.ts`.
 */
import * as v from 'valibot';
import { FailureError } from '#core/lib/failure.ts';
import { count } from '../door.ts';
import { HeadSchema } from './heads.ts';
import { NormalisationSchema } from './normalise.ts';

const size = count(1, 1_000_000);

/** Counts changes in what the recipe makes of a checkpoint, so that a pack made by an older recipe is made again. */
export const SETTINGS_REVISION = 3;

const SettingsSchema = v.object({
  revision: v.literal(SETTINGS_REVISION),
  vision: v.object({
    /** Side of the square picture, pixels. */
    imageSize: size,
    patchSize: size,
    layers: size,
    hidden: size,
    heads: size,
    feedForward: size,
    epsilon: v.number(),
    /** Pixel shuffle factor: shuffle x shuffle patches become one token. */
    shuffle: size,
  }),
  text: v.object({
    /** Layers that are run; the last of them only for its keys and values. */
    layers: size,
    hidden: size,
    heads: size,
    kvHeads: size,
    headSize: size,
    feedForward: size,
    epsilon: v.number(),
    vocabulary: size,
  }),
  expert: v.object({
    hidden: size,
    feedForward: size,
    /** One entry an expert layer: the text layer whose keys and values it sees, and whether its own rows see each other. */
    layers: v.array(v.object({ textLayer: count(0, 1000), attention: v.picklist(['self', 'cross']) })),
  }),
  head: HeadSchema,
  chunkRows: size,
  stateColumns: size,
  actionColumns: size,
  stateSize: size,
  actionSize: size,
  steps: size,
  minPeriod: v.number(),
  maxPeriod: v.number(),
  /** Most language tokens. */
  maxTokens: size,
  tokenPadding: v.picklist(['longest', 'max_length']),
  tokenTruncation: v.picklist(['on', 'off']),
  /** LeRobot pads its prefix to this; only the shape of compared intermediate values depends on it. */
  prefixLength: v.number(),
  specialTokens: v.nullable(v.object({ fake: v.number(), global: v.number() })),
  /** Cameras in the order of the prefix, placeholders left out. */
  cameraKeys: v.array(v.string()),
  /** Placeholder cameras declared beside them, and how many of the missing cameras get a placeholder. */
  placeholderKeys: v.array(v.string()),
  emptyCameras: count(0, 16),
  renameMap: v.record(v.string(), v.string()),
  state: NormalisationSchema,
  action: NormalisationSchema,
});

export type SmolVlaSettings = v.InferOutput<typeof SettingsSchema>;

/** Settings from a pack. `store/corrupt` where they are not ours. */
export function readSettings(pack: string, settings: unknown): SmolVlaSettings {
  const result = v.safeParse(SettingsSchema, settings, { abortEarly: true });
  if (!result.success) throw new FailureError('store/corrupt', { name: pack, file: 'manifest' });
  return result.output;
}

/** Language-model tokens a picture becomes. */
export function tokensPerImage({ vision }: SmolVlaSettings): number {
  return (vision.imageSize / vision.patchSize / vision.shuffle) ** 2;
}
