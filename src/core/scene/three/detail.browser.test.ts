/** The two levels of detail show one scene: what the policy sees (`plain`) is what a person sees (`fine`). */
import { expect, test } from 'vitest';
import * as THREE from 'three';
import { linkPoses } from '#core/robots/kinematics.ts';
import { sceneFor } from '../description.ts';
import { buildSceneObjects, createSceneAssets } from './build.ts';
import { applyRenderSettings } from './render-settings.ts';
import type { Detail } from './shapes.ts';

const SIZE = 192;

function picture(detail: Detail): Uint8Array {
  const description = sceneFor({ task: 'any', seed: 3 });
  const renderer = new THREE.WebGLRenderer({ canvas: new OffscreenCanvas(SIZE, SIZE) });
  applyRenderSettings(renderer);
  const assets = createSceneAssets(detail);
  const room = buildSceneObjects(description, { assets });
  const poses = [...linkPoses(description.robot, description.robot.homePose), ...description.objects.map((object) => object.pose)];
  room.applyPoses(poses.flatMap((pose) => [...pose.position, ...pose.rotation]));
  const scene = new THREE.Scene();
  scene.background = room.background;
  scene.add(room.root);
  const camera = new THREE.PerspectiveCamera(50, 1, 0.01, 4);
  camera.up.set(0, 0, 1);
  camera.position.set(0.25, -0.5, 0.35);
  camera.lookAt(0, -0.15, 0.08);
  renderer.render(scene, camera);
  const gl = renderer.getContext();
  const bytes = new Uint8Array(SIZE * SIZE * 4);
  gl.readPixels(0, 0, SIZE, SIZE, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
  room.dispose();
  assets.dispose();
  renderer.dispose();
  renderer.forceContextLoss();
  return bytes;
}

test('plain and fine differ by less than 1.5 of 255 on average, and in few pixels clearly', () => {
  const plain = picture('plain');
  const fine = picture('fine');
  expect(new Set(fine).size).toBeGreaterThan(60);
  let sum = 0;
  let clearly = 0;
  for (let i = 0; i < plain.length; i++) {
    const gap = Math.abs((plain[i] ?? 0) - (fine[i] ?? 0));
    sum += gap;
    if (gap > 40) clearly += 1;
  }
  expect(sum / plain.length).toBeLessThan(1.5);
  expect(clearly / plain.length).toBeLessThan(0.02);
  console.log(`plain against fine: mean ${(sum / plain.length).toFixed(3)} of 255, ${((100 * clearly) / plain.length).toFixed(2)} % of bytes by more than 40`);
});
