import { describe, expect, it } from 'vitest';
import { PERTURBATIONS, type Perturbation } from '#contracts/evaluation.ts';
import type { Picture } from '#contracts/picture.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { seededRandom } from '#core/lib/random.ts';
import { perturbPicture, perturbScene, perturbStart } from './perturbations.ts';
import { smallScene } from './testing/small-scene.ts';

const SCENE = smallScene();
const PICTURE: Picture = { width: 96, height: 96, channels: 4, data: Uint8Array.from({ length: 96 * 96 * 4 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 251)) };
const HOME = Float64Array.from([0, -30, 30, 60, 0, 20]) as JointUnitsVector;

/** Which top-level parts of a scene differ. */
function changed(before: SceneDescription, after: SceneDescription): string[] {
  return (Object.keys(before) as (keyof SceneDescription)[]).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}

const SCENE_PARTS: Readonly<Partial<Record<Perturbation, string>>> = {
  light: 'lights',
  'camera-pose': 'cameras',
  distractors: 'objects',
  'object-pose': 'objects',
  'table-colour': 'table',
};
const PICTURE_KINDS: readonly Perturbation[] = ['picture-noise', 'picture-blur', 'picture-occlusion', 'black-cameras'];

describe('a perturbation changes what it says and nothing else', () => {
  it.each(PERTURBATIONS)('%s: the scene', (kind) => {
    for (let seed = 0; seed < 50; seed++) {
      const after = perturbScene(kind, SCENE, seededRandom(seed));
      expect(changed(SCENE, after)).toEqual(SCENE_PARTS[kind] === undefined ? [] : [SCENE_PARTS[kind]]);
    }
  });

  it.each(PERTURBATIONS)('%s: the picture', (kind) => {
    const after = perturbPicture(kind, PICTURE, seededRandom(1));
    expect(after.data.some((v, i) => v !== PICTURE.data[i])).toBe(PICTURE_KINDS.includes(kind));
    expect([after.width, after.height, after.channels]).toEqual([96, 96, 4]);
    for (let i = 3; i < after.data.length; i += 4) expect(after.data[i]).toBe(255);
  });

  it.each(PERTURBATIONS)('%s: the first pose', (kind) => {
    const after = perturbStart(kind, HOME, seededRandom(1));
    expect(after.some((v, i) => v !== HOME[i])).toBe(kind === 'initial-joints');
  });

  it.each(PERTURBATIONS)('%s: the same seed changes the same things', (kind) => {
    expect(perturbScene(kind, SCENE, seededRandom(9))).toEqual(perturbScene(kind, SCENE, seededRandom(9)));
    expect(perturbPicture(kind, PICTURE, seededRandom(9)).data).toEqual(perturbPicture(kind, PICTURE, seededRandom(9)).data);
  });
});

describe('the stated ranges', () => {
  it('moves cubes by at most 1.5 cm a side, keeps them on the table', () => {
    for (let seed = 0; seed < 200; seed++) {
      const after = perturbScene('object-pose', SCENE, seededRandom(seed));
      after.objects.forEach((object, i) => {
        const before = SCENE.objects[i].pose.position;
        expect(Math.abs(object.pose.position[0] - before[0])).toBeLessThanOrEqual(0.015);
        expect(Math.abs(object.pose.position[1] - before[1])).toBeLessThanOrEqual(0.015);
        expect(object.pose.position[2]).toBe(before[2]);
      });
    }
  });

  it('keeps distractors clear of everything and adds one or two', () => {
    for (let seed = 0; seed < 200; seed++) {
      const blocks = perturbScene('distractors', SCENE, seededRandom(seed)).objects.filter((o) => o.kind === 'block');
      expect(blocks.length).toBeGreaterThanOrEqual(1);
      expect(blocks.length).toBeLessThanOrEqual(2);
      for (const block of blocks) {
        for (const other of SCENE.objects) {
          const apart = Math.hypot(block.pose.position[0] - other.pose.position[0], block.pose.position[1] - other.pose.position[1]);
          expect(apart).toBeGreaterThanOrEqual(0.06);
        }
      }
    }
  });

  it('turns cameras by at most 3 degrees about each axis', () => {
    for (let seed = 0; seed < 200; seed++) {
      perturbScene('camera-pose', SCENE, seededRandom(seed)).cameras.forEach((camera, i) => {
        const a = camera.pose.rotation;
        const b = SCENE.cameras[i].pose.rotation;
        const overlap = Math.min(1, Math.abs(a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3]));
        // Three turns of 3 degrees about orthogonal axes are at most 5.2 degrees together.
        expect((2 * Math.acos(overlap) * 180) / Math.PI).toBeLessThan(5.25);
      });
    }
  });

  it('covers a ninth of the picture', () => {
    const after = perturbPicture('picture-occlusion', PICTURE, seededRandom(3));
    let grey = 0;
    for (let i = 0; i < after.data.length; i += 4) if (after.data[i] === 128 && after.data[i + 1] === 128 && after.data[i + 2] === 128) grey++;
    expect(grey).toBe(32 * 32);
  });

  it('blacks out everything', () => {
    const after = perturbPicture('black-cameras', PICTURE, seededRandom(3));
    expect(after.data.every((v, i) => (i % 4 === 3 ? v === 255 : v === 0))).toBe(true);
  });
});
