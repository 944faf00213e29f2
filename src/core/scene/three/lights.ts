/**
 * The light of the laboratory: one soft key light with shadows, sky and table bounce, and a faint fill from the other
 * side so that no face goes flat. Level 1 is the laboratory as shipped; level 0 leaves the glow of a dark room, 3 %.
 */
import * as THREE from 'three';
import type { LightDescription } from '#contracts/scene.ts';

/** What is left of every light at level 0: a picture taken then is dark, not absent. */
const NIGHT = 0.03;

export interface Lights {
  readonly group: THREE.Group;
  /** The brightness that `level` stands for, NIGHT..1: the background is dimmed by it too. */
  set(level: number): number;
  dispose(): void;
}

export function createLights(description: LightDescription, shadowMapSize: number): Lights {
  const group = new THREE.Group();
  group.name = 'lights';
  const sky = new THREE.HemisphereLight(0xf6f8ff, 0xb9aa94, 1);
  // A hemisphere light's "up" is its position.
  sky.position.set(0, 0, 1);
  const key = new THREE.DirectionalLight(0xfff3e2, 1);
  key.position.set(...description.keyPosition);
  key.target.position.set(0, -0.2, 0.05);
  key.castShadow = true;
  key.shadow.mapSize.set(shadowMapSize, shadowMapSize);
  const reach = 0.46;
  const camera = key.shadow.camera;
  camera.left = -reach;
  camera.right = reach;
  camera.bottom = -reach;
  camera.top = reach;
  const away = key.position.distanceTo(key.target.position);
  camera.near = Math.max(0.05, away - 0.8);
  camera.far = away + 0.8;
  key.shadow.bias = -0.0004;
  key.shadow.normalBias = 0.0012;
  key.shadow.radius = 3.2;
  key.shadow.intensity = 0.82;
  const fill = new THREE.DirectionalLight(0xdfe8ff, 1);
  fill.position.set(-description.keyPosition[0], description.keyPosition[1] * 0.4 + 0.3, description.keyPosition[2] * 0.6);
  group.add(sky, key, key.target, fill, fill.target);
  return {
    group,
    set(level) {
      const brightness = NIGHT + (1 - NIGHT) * Math.min(1, Math.max(0, level));
      key.intensity = description.keyIntensity * 1.02 * brightness;
      sky.intensity = description.ambientIntensity * 1.3 * brightness;
      fill.intensity = description.keyIntensity * 0.22 * brightness;
      return brightness;
    },
    dispose() {
      key.dispose();
      sky.dispose();
      fill.dispose();
    },
  };
}
