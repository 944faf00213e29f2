/**
 * Textures made of arithmetic: wood for the table, soft spots for contact shadows. Knows pixels only. Seeded, so the
 * same table is drawn on every machine; no file is ever fetched.
 */
import * as THREE from 'three';
import { seededRandom } from '#core/lib/random.ts';

/** Light ash wood, its mean near white so that the table's own colour tints it. Repeats across and along. */
export function woodTexture(size = 512): THREE.DataTexture {
  const random = seededRandom(0xa54);
  const slow = valueNoise(random.fork('slow').uniform, 8);
  const grain = valueNoise(random.fork('grain').uniform, 64);
  const pores = valueNoise(random.fork('pores').uniform, 256);
  const planks = 4;
  const tones = Array.from({ length: planks }, () => random.between(-0.025, 0.025));
  const shifts = Array.from({ length: planks }, () => random.uniform());
  const data = new Uint8Array(size * size * 4);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const u = column / size;
      const v = row / size;
      const plank = Math.floor(v * planks);
      const across = v * planks - plank;
      const shift = shifts[plank] ?? 0;
      // Year rings: bands across the plank, bent by slow noise along it.
      const bend = slow(u + shift, v) * 1.4 + slow(u * 2 + shift, v * 2) * 0.4;
      const rings = Math.sin((across * 5.5 + bend) * 2 * Math.PI);
      const fibres = grain((u + shift) * 0.25, v * 4) - 0.5;
      const pore = Math.max(0, pores((u + shift) * 0.5, v * 4) - 0.78) * 1.6;
      const seam = Math.min(across, 1 - across) < 0.006 ? 0.12 : 0;
      const shade = 0.93 + (tones[plank] ?? 0) + rings * 0.018 + fibres * 0.07 - pore * 0.16 - seam;
      const at = (row * size + column) * 4;
      // Darker fibres are a little redder.
      data[at] = byte(shade + (0.95 - shade) * 0.12);
      data[at + 1] = byte(shade);
      data[at + 2] = byte(shade - (0.95 - shade) * 0.14);
      data[at + 3] = 255;
    }
  }
  const texture = new THREE.DataTexture(data, size, size, THREE.RGBAFormat, THREE.UnsignedByteType);
  texture.wrapS = THREE.RepeatWrapping;
  texture.wrapT = THREE.RepeatWrapping;
  texture.colorSpace = THREE.SRGBColorSpace;
  texture.magFilter = THREE.LinearFilter;
  texture.minFilter = THREE.LinearMipmapLinearFilter;
  texture.generateMipmaps = true;
  texture.anisotropy = 4;
  texture.needsUpdate = true;
  return texture;
}

/** A round or square spot of darkness with a soft edge: what little light gets in under an object. */
export function contactTexture(form: 'round' | 'square', size = 64): THREE.DataTexture {
  const data = new Uint8Array(size * size * 4);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = Math.abs(((column + 0.5) / size) * 2 - 1);
      const y = Math.abs(((row + 0.5) / size) * 2 - 1);
      const away = form === 'round' ? Math.hypot(x, y) : Math.hypot(Math.max(0, x - 0.45), Math.max(0, y - 0.45)) / 0.55;
      const start = form === 'round' ? 0.55 : 0;
      const t = Math.min(1, Math.max(0, (away - start) / (1 - start)));
      const fall = 1 - t * t * (3 - 2 * t);
      data[(row * size + column) * 4 + 3] = byte(fall * fall);
    }
  }
  const texture = new THREE.DataTexture(data, size, size, THREE.RGBAFormat, THREE.UnsignedByteType);
  texture.magFilter = THREE.LinearFilter;
  texture.minFilter = THREE.LinearFilter;
  texture.needsUpdate = true;
  return texture;
}

function byte(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 255);
}

/** Smooth noise in 0..1 that repeats after 1 in both directions, from `cells` x `cells` random values; a power of two. */
function valueNoise(draw: () => number, cells: number): (u: number, v: number) => number {
  const values = Float32Array.from({ length: cells * cells }, draw);
  // Wraps whole numbers of either sign, and a quarter of the time of a remainder.
  const mask = cells - 1;
  return (u, v) => {
    const x = u * cells;
    const y = v * cells;
    const left = Math.floor(x);
    const top = Math.floor(y);
    const tx = x - left;
    const ty = y - top;
    const fx = tx * tx * (3 - 2 * tx);
    const fy = ty * ty * (3 - 2 * ty);
    const upperRow = (top & mask) * cells;
    const lowerRow = ((top + 1) & mask) * cells;
    const leftColumn = left & mask;
    const rightColumn = (left + 1) & mask;
    const upper = (values[upperRow + leftColumn] as number) * (1 - fx) + (values[upperRow + rightColumn] as number) * fx;
    const lower = (values[lowerRow + leftColumn] as number) * (1 - fx) + (values[lowerRow + rightColumn] as number) * fx;
    return upper * (1 - fy) + lower * fy;
  };
}
