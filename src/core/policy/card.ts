/**
 * `card.json`: what a checkpoint says about itself, beside LeRobot's own files. Optional; a checkpoint without one is
 * of unknown training. Knows the card's fields and no family.
 */
import * as v from 'valibot';
import type { PolicyInfo } from '#contracts/policy.ts';
import { ROBOT_NAMES } from '#contracts/robot.ts';
import { parseConfig } from './door.ts';

const words = v.pipe(v.string(), v.maxLength(500));

const CardSchema = v.object({
  /** Control ticks a second the actions were recorded at. */
  fps: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(1000)), 30),
  training: v.optional(
    v.variant('kind', [v.object({ kind: v.literal('untrained') }), v.object({ kind: v.literal('trained'), summary: words }), v.object({ kind: v.literal('unknown') })]),
    { kind: 'unknown' },
  ),
  /** The arm of its demonstrations. A card that tells of training and not of the arm is from when this page had one. */
  robot: v.optional(v.picklist(ROBOT_NAMES)),
  /** Sentences it was trained on or is good at. */
  sentences: v.optional(v.pipe(v.array(words), v.maxLength(50)), []),
  /** Every sentence of its demonstrations, alternatives in braces. */
  patterns: v.optional(v.pipe(v.array(words), v.maxLength(200)), []),
  /** How its plans are best drawn. Not in `config.json`, which LeRobot reads strictly. */
  sampling: v.optional(v.object({ noise_scale: v.pipe(v.number(), v.minValue(0), v.maxValue(1)) })),
});

/** Rejects with `checkpoint/config` where a card is there and malformed. */
export function readCard(card: unknown): Pick<PolicyInfo, 'fps' | 'training' | 'sentences' | 'patterns' | 'noiseScale' | 'robot'> {
  const { sampling, robot: named, ...said } = parseConfig(CardSchema, 'card.json', card ?? {});
  const robot = named ?? (said.training.kind === 'trained' ? ('so100' as const) : undefined);
  return { ...said, ...(robot === undefined ? {} : { robot }), ...(sampling === undefined ? {} : { noiseScale: sampling.noise_scale }) };
}
