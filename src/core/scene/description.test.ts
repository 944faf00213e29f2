/** Placement, repeatability and the hash. That cubes can be grasped where they lie is tested in `core/world`. */
import { describe, expect, it } from 'vitest';
import { ROBOT_NAMES } from '#contracts/robot.ts';
import type { SceneObject } from '#contracts/scene.ts';
import { FailureError } from '#core/lib/failure.ts';
import { reachDown } from '#core/robots/inverse-kinematics.ts';
import { rotate, subtract, unit } from '#core/robots/transforms.ts';
import { sceneFor, FRONT_CAMERA, WRIST_CAMERA } from './description.ts';
import { DRAWING_VERSION } from './drawing-version.ts';
import { canonicalJson, sceneHash } from './hash.ts';

const DRAWING = { drawingRevision: 1, renderer: 'three 1' };
const seeds = Array.from({ length: 300 }, (_, i) => i);

function separation(a: SceneObject, b: SceneObject): number {
  return Math.hypot(a.pose.position[0] - b.pose.position[0], a.pose.position[1] - b.pose.position[1]);
}

describe('sceneFor', () => {
  it('gives the same scene for the same request and another for another seed', () => {
    expect(sceneFor({ task: 'a', seed: 4 })).toEqual(sceneFor({ task: 'a', seed: 4 }));
    expect(sceneFor({ task: 'a', seed: 4 }).objects).not.toEqual(sceneFor({ task: 'a', seed: 5 }).objects);
  });

  it('never lets objects overlap, with up to four cubes', () => {
    for (const seed of seeds) {
      const { objects } = sceneFor({ task: '', seed, cubes: ['red', 'green', 'blue', 'yellow'] });
      expect(objects.map((o) => o.name)).toEqual(['red_cube', 'green_cube', 'blue_cube', 'yellow_cube', 'bowl']);
      objects.forEach((a, i) => {
        for (const b of objects.slice(i + 1)) expect(separation(a, b), `seed ${seed}`).toBeGreaterThan(b.kind === 'bowl' ? 0.06 + 0.0215 : 0.0425);
      });
    }
  });

  it.each(ROBOT_NAMES)('puts every cube and the space above it, and the bowl, within reach of the %s', (name) => {
    for (const seed of seeds.slice(0, 40)) {
      const { objects, robot } = sceneFor({ task: '', seed, robot: name });
      for (const object of objects) {
        const [x, y] = object.pose.position;
        const heights = object.kind === 'bowl' ? [0.08] : [0.015, 0.12];
        for (const z of heights) {
          const reached = [0, Math.PI / 2].some((yaw) => reachDown(robot, [x, y, z], yaw, robot.homePose) !== null);
          expect(reached, `seed ${seed}, ${object.name} at height ${z}`).toBe(true);
        }
      }
    }
  });

  it.each(ROBOT_NAMES)('names two cameras that look at the workspace and at the fingertips of the %s', (name) => {
    const { cameras, robot } = sceneFor({ task: '', seed: 0, robot: name });
    expect(cameras.map((c) => c.key)).toEqual([FRONT_CAMERA, WRIST_CAMERA]);
    const [front, wrist] = cameras;
    if (front === undefined || wrist === undefined) throw new Error('no cameras');
    expect(front.mount).toBe('world');
    // Along +y, so that left in the picture is -x in the world.
    expect(rotate(front.pose.rotation, [0, 0, -1])[1]).toBeGreaterThan(0.7);
    expect(rotate(front.pose.rotation, [1, 0, 0])[0]).toBeCloseTo(1, 6);
    expect(wrist.mount).toBe('gripper');
    const towardsGrip = unit(subtract(robot.gripPoint.position, wrist.pose.position));
    const looking = rotate(wrist.pose.rotation, [0, 0, -1]);
    const cosine = towardsGrip.reduce((sum, v, i) => sum + v * (looking[i] ?? 0), 0);
    expect(Math.acos(cosine)).toBeLessThan(wrist.verticalFovRadians / 4);
  });

  it('refuses bad requests by name', () => {
    const refused = (request: Parameters<typeof sceneFor>[0]): unknown => {
      try {
        return sceneFor(request);
      } catch (thrown) {
        return thrown instanceof FailureError ? `${thrown.failure.code} ${thrown.failure.facts.what}` : thrown;
      }
    };
    expect(refused({ task: '', seed: 1.5 })).toBe('control/out-of-range seed');
    expect(refused({ task: '', seed: NaN })).toBe('control/out-of-range seed');
    expect(refused({ task: '', seed: 1, lightLevel: 2 })).toBe('control/out-of-range lightLevel');
    expect(refused({ task: '', seed: 1, robot: 'so99' as never })).toBe('control/out-of-range robot');
    expect(refused({ task: '', seed: 1, cubes: [] })).toBe('control/out-of-range cubes');
    expect(refused({ task: '', seed: 1, cubes: ['red', 'red'] })).toBe('control/out-of-range differentCubes');
  });
});

describe('sceneHash', () => {
  it('is 64 hex digits, the same for the same scene and drawing, another for a changed light, place or drawing', async () => {
    const scene = sceneFor({ task: '', seed: 1 });
    const hash = await sceneHash(scene, DRAWING);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(await sceneHash(sceneFor({ task: 'another sentence', seed: 1 }), DRAWING)).toBe(hash);
    expect(await sceneHash(sceneFor({ task: '', seed: 1, lightLevel: 0 }), DRAWING)).not.toBe(hash);
    expect(await sceneHash(sceneFor({ task: '', seed: 2 }), DRAWING)).not.toBe(hash);
    expect(await sceneHash(scene, { ...DRAWING, drawingRevision: 2 })).not.toBe(hash);
    expect(await sceneHash(scene, { ...DRAWING, renderer: 'three 2' })).not.toBe(hash);
  });

  it('is what the pocket policy was trained on, with this drawing, whatever other arms there are', async () => {
    expect(await sceneHash(sceneFor({ task: '', seed: 7 }), DRAWING_VERSION)).toBe('d29ac3b1253b02ca40ad8b3fde8ce05c5df69c924f18b5e9271a502ebcc6b9e8');
    expect(await sceneHash(sceneFor({ task: '', seed: 7, robot: 'so100' }), DRAWING_VERSION)).toBe('d29ac3b1253b02ca40ad8b3fde8ce05c5df69c924f18b5e9271a502ebcc6b9e8');
    expect(await sceneHash(sceneFor({ task: '', seed: 7, robot: 'so101' }), DRAWING_VERSION)).not.toBe('d29ac3b1253b02ca40ad8b3fde8ce05c5df69c924f18b5e9271a502ebcc6b9e8');
  });

  it('reads numbers to a nanometre, so that another machine\'s sine does not change it', () => {
    expect(canonicalJson({ b: 0.1 + 0.2, a: -0 })).toBe('{"a":0,"b":0.3}');
    expect(canonicalJson([1e-10, true, null, 'x'])).toBe('[0,true,null,"x"]');
    expect(() => canonicalJson(NaN)).toThrow(TypeError);
    expect(() => canonicalJson({ a: undefined })).toThrow(TypeError);
  });
});
