/**
 * Seeded random numbers, the same on every machine. Everything random in this project draws from here, so that a run,
 * an episode or a chunk can be had again from its seed.
 *
 * Generator: sfc32 (Chris Doty-Humphrey's small fast counting generator, 128 bits of state, passes PractRand), seeded
 * through splitmix32 so that neighbouring seeds are unrelated. Not for secrets.
 */
export interface Random {
  /** Uniform in [0, 1), 32 bits of it. */
  uniform(): number;
  /** Uniform in [least, most). */
  between(least: number, most: number): number;
  /** Whole number in [0, count). */
  index(count: number): number;
  /** Standard normal (Box-Muller, both halves used). */
  normal(): number;
  /** A stream of its own, named, so that adding a draw in one place does not shift another. */
  fork(name: string): Random;
}

export function seededRandom(seed: number): Random {
  return fromState(expandSeed(seed >>> 0), seed >>> 0);
}

/** `count` standard normal float32 numbers: the noise a flow-matching chunk starts from. */
export function normalNoise(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  const noise = new Float32Array(count);
  for (let i = 0; i < count; i++) noise[i] = random.normal();
  return noise;
}

function expandSeed(seed: number): [number, number, number, number] {
  let s = seed;
  const next = (): number => {
    s = (s + 0x9e3779b9) | 0;
    let t = s ^ (s >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
  return [next(), next(), next(), next()];
}

function fromState([a0, b0, c0, d0]: readonly [number, number, number, number], seed: number): Random {
  let a = a0;
  let b = b0;
  let c = c0;
  let d = d0;
  let spareNormal: number | null = null;
  const next32 = (): number => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next32();
  const random: Random = {
    uniform: () => next32() / 4294967296,
    between: (least, most) => least + (most - least) * random.uniform(),
    index: (count) => Math.floor(random.uniform() * count),
    normal: () => {
      if (spareNormal !== null) {
        const spare = spareNormal;
        spareNormal = null;
        return spare;
      }
      // 1 - u is in (0, 1], so the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
      const angle = 2 * Math.PI * random.uniform();
      spareNormal = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    fork: (name) => {
      let hash = 0x811c9dc5 ^ seed;
      for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
      return seededRandom(hash >>> 0);
    },
  };
  return random;
}
