/**
 * What the pocket policy is: a SmolVLA small enough for any laptop (5 M parameters), as numbers. Knows sizes and
 * statistics; knows no file and no weight.
 *
 *   two pictures 96 x 96 ──► 8 x 8 patches of 12 ──► 4 layers of 192 ──► 4 x 4 tokens each
 *   sentence, at most 24 tokens ─────────────────────────────────────────► 4 text layers of 192
 *   6 joints ────────────────────────────────────────────────────────────► 1 token
 *   32 rows of actions (1.07 s at 30 Hz), 5 denoising steps ─────────────► 4 expert layers of 144
 */
export const POCKET = {
  cameras: ['observation.images.front', 'observation.images.wrist'],
  imageSize: 96,
  patchSize: 12,
  shuffle: 2,
  vision: { hidden: 192, layers: 4, heads: 6, feedForward: 768 },
  text: { hidden: 192, layers: 4, heads: 6, kvHeads: 2, headSize: 32, feedForward: 512 },
  expert: { hidden: 144, feedForward: 512, multiplier: 0.75 },
  selfAttentionEvery: 2,
  vocabulary: 512,
  maxTokens: 24,
  chunkRows: 32,
  steps: 5,
  stateColumns: 8,
  actionColumns: 8,
  joints: 6,
  fps: 30,
} as const;

/**
 * Joint units of the simulated SO-100 (degrees, gripper 0..100): the middle and the spread of the poses in which it works
 * on the table in front of it, around its home pose (0, -30, 30, 90, -90, 25). Replaced by measured ones with training.
 */
export const POCKET_STATISTICS = {
  mean: [0, -22, 26, 84, -90, 30],
  std: [20, 22, 20, 16, 14, 18],
  min: [-90, -95, -60, -10, -160, 0],
  max: [90, 80, 88, 98, 100, 100],
} as const;
