/** What is drawn, without a renderer: bodies in order, places, budgets, the same numbers every time. */
import { expect, test } from 'vitest';
import * as THREE from 'three';
import type { RobotName } from '#contracts/robot.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import { seededRandom } from '#core/lib/random.ts';
import { SO100 } from '#core/robots/so100.ts';
import { officialLinks } from '#core/robots/testing/body-table.ts';
import { sceneFor } from '../description.ts';
import { armGeometry, type LinkGeometry } from './arm.ts';
import { buildSceneObjects } from './build.ts';
import type { Detail } from './shapes.ts';
import { contactTexture, woodTexture } from './textures.ts';

const scene = (seed = 1): SceneDescription => sceneFor({ task: 'any', seed, cubes: ['red', 'green', 'blue', 'yellow'] });

function triangles(links: readonly LinkGeometry[]): number {
  return links.reduce((sum, link) => sum + [...link.solids.values()].reduce((inner, geometry) => inner + (geometry.getIndex()?.count ?? 0) / 3, 0), 0);
}

function positions(links: readonly LinkGeometry[]): number[] {
  return links.flatMap((link) => [...link.solids.values()].flatMap((geometry) => [...geometry.getAttribute('position').array]));
}

test('bodies come in body-table order', () => {
  const description = scene();
  const built = buildSceneObjects(description);
  expect(built.names).toEqual([SO100.base.name, ...SO100.links.map((link) => link.name), ...description.objects.map((object) => object.name)]);
  expect(built.bodies.map((body) => body.name)).toEqual(built.names);
  built.dispose();
});

test('poses go to the bodies they belong to: x y z, then w x y z', () => {
  const built = buildSceneObjects(scene());
  const random = seededRandom(5);
  const poses = Float64Array.from({ length: built.bodies.length * 7 }, () => random.between(-1, 1));
  built.applyPoses(poses);
  built.bodies.forEach((body, i) => {
    expect(body.position.toArray()).toEqual([...poses.subarray(i * 7, i * 7 + 3)]);
    const { w, x, y, z } = body.quaternion;
    expect([w, x, y, z]).toEqual([...poses.subarray(i * 7 + 3, i * 7 + 7)]);
  });
  expect(() => built.applyPoses(poses.subarray(7))).toThrow(RangeError);
  built.dispose();
});

test.each<[RobotName, Detail, number]>([
  ['so100', 'fine', 60_000],
  ['so100', 'plain', 12_000],
  ['so101', 'fine', 60_000],
  ['so101', 'plain', 12_000],
])('the %s in %s detail keeps its triangle budget of %i, has sound numbers, and is the same twice', (robot, detail, budget) => {
  const links = armGeometry(detail, robot);
  const count = triangles(links);
  expect(count).toBeGreaterThan(budget / 4);
  expect(count).toBeLessThanOrEqual(budget);
  const numbers = positions(links);
  expect(numbers.every(Number.isFinite)).toBe(true);
  expect(positions(armGeometry(detail, robot))).toEqual(numbers);
});

/** Extents of the official parts, metres, link frames. The bases have our driver board behind them. */
const MEASURED: Readonly<Record<RobotName, Readonly<Record<string, readonly [readonly number[], readonly number[]]>>>> = {
  so100: {
    base: [[-0.0555, -0.071, 0], [0.0555, 0.041, 0.0835]],
    shoulder: [[-0.0263, 0, -0.012], [0.0263, 0.1127, 0.0508]],
    upper_arm: [[-0.0351, -0.012, -0.012], [0.035, 0.1302, 0.0382]],
    lower_arm: [[-0.0351, -0.015, -0.012], [0.0261, 0.0219, 0.1451]],
    wrist: [[-0.0352, -0.0626, -0.016], [0.0281, 0.012, 0.016]],
    gripper: [[-0.0304, -0.1064, -0.024], [0.0352, 0, 0.024]],
    jaw: [[-0.0123, -0.082, -0.0239], [0.01, 0.01, 0.0241]],
  },
  so101: {
    base: [[-0.0555, -0.071, 0], [0.0555, 0.041, 0.072]],
    ...Object.fromEntries(officialLinks().filter(({ name }) => name !== 'base').map(({ name, extent }) => [name, extent])),
  },
};

test.each(['so100', 'so101'] as const)('both details fill the same space, which is an %s: each link within 2 mm of the printed parts (2.1: the SO-101\'s shoulder is drawn as an SO-100\'s)', (robot) => {
  for (const detail of ['fine', 'plain'] as const) {
    for (const link of armGeometry(detail, robot)) {
      const box = new THREE.Box3();
      for (const geometry of link.solids.values()) box.expandByPoint(boxOf(geometry).min).expandByPoint(boxOf(geometry).max);
      const [least, most] = MEASURED[robot][link.name] ?? [[], []];
      const gaps = [box.min.toArray(), box.max.toArray()].flatMap((corner, side) => corner.map((value, axis) => Math.abs(value - ((side === 0 ? least : most)[axis] ?? Number.NaN))));
      expect(Math.max(...gaps), `${link.name} in ${detail}`).toBeLessThan(robot === 'so100' ? 0.002 : 0.0021);
    }
  }
});

test.each(['so100', 'so101'] as const)('surfaces of the %s look outwards: every link encloses a positive volume', (robot) => {
  for (const detail of ['fine', 'plain'] as const) {
    for (const link of armGeometry(detail, robot)) {
      for (const finish of ['print', 'case'] as const) {
        const geometry = link.solids.get(finish);
        if (geometry !== undefined) expect(volume(geometry), `${link.name} ${finish}`).toBeGreaterThan(5e-6);
      }
    }
  }
});

test('textures are made the same every time', () => {
  expect(woodTexture(64).image.data).toEqual(woodTexture(64).image.data);
  const spot = contactTexture('round', 32).image.data as Uint8Array;
  expect(spot[3]).toBe(0);
  expect(spot[(16 * 32 + 16) * 4 + 3]).toBe(255);
});

test('the light level dims the room and leaves a night glow', () => {
  const built = buildSceneObjects(scene());
  const bright = built.background.r;
  built.setLightLevel(0);
  expect(built.background.r).toBeCloseTo(bright * 0.03, 6);
  built.setLightLevel(1);
  expect(built.background.r).toBe(bright);
  built.dispose();
});

function boxOf(geometry: THREE.BufferGeometry): THREE.Box3 {
  geometry.computeBoundingBox();
  return geometry.boundingBox ?? new THREE.Box3();
}

/** Sum of signed tetrahedra, cubic metres. */
function volume(geometry: THREE.BufferGeometry): number {
  const position = geometry.getAttribute('position');
  const index = geometry.getIndex();
  const corner = (i: number): THREE.Vector3 => new THREE.Vector3().fromBufferAttribute(position, index?.getX(i) ?? i);
  let sum = 0;
  for (let i = 0; i < (index?.count ?? position.count); i += 3) sum += corner(i).dot(corner(i + 1).cross(corner(i + 2))) / 6;
  return sum;
}
