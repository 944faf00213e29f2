import * as THREE from 'three';
import { expect, it } from 'vitest';
import { dragged } from './limits.ts';

const BOX = { least: [-0.3, -0.4, -0.05], most: [0.3, 0.1, 0.4] } as const;
/** From above and aside, through a point. */
const through = (x: number, y: number, z: number): THREE.Ray => {
  const from = new THREE.Vector3(0.2, -1.2, 0.9);
  return new THREE.Ray(from, new THREE.Vector3(x, y, z).sub(from).normalize());
};

it('a face follows the pointer along its own axis, on a grid of half a centimetre', () => {
  const right = dragged(BOX, { axis: 0, side: 'most' }, through(0.2, -0.15, 0.2));
  expect(right.most[0]).toBeCloseTo(0.2, 3);
  expect(right.least).toEqual(BOX.least);
  expect(dragged(BOX, { axis: 2, side: 'most' }, through(0, -0.15, 0.252)).most[2]).toBeCloseTo(0.25, 3);
  expect(dragged(BOX, { axis: 1, side: 'least' }, through(0, -0.3, 0.2)).least[1]).toBeCloseTo(-0.3, 3);
});

it('keeps a box that an arm fits in, and stays within reach', () => {
  expect(dragged(BOX, { axis: 0, side: 'most' }, through(-5, -0.15, 0.2)).most[0]).toBeCloseTo(-0.2, 6);
  expect(dragged(BOX, { axis: 0, side: 'least' }, through(-50, -0.15, 0.2)).least[0]).toBeGreaterThanOrEqual(-0.8);
  expect(dragged(BOX, { axis: 2, side: 'most' }, through(0, -0.15, -1)).most[2]).toBeCloseTo(0.1, 6);
  const along = new THREE.Ray(new THREE.Vector3(2, -0.15, 0.2), new THREE.Vector3(-1, 0, 0));
  expect(dragged(BOX, { axis: 0, side: 'most' }, along)).toEqual(BOX);
});
