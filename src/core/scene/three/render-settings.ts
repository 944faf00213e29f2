/**
 * How a renderer is set up, in one place, so that the page's view and the policy's cameras agree on colour and shadow.
 * No tone mapping: the lights are set so that warm white stays below white, and a cube's colour is the colour it was given.
 */
import * as THREE from 'three';

export function applyRenderSettings(renderer: THREE.WebGLRenderer): void {
  renderer.toneMapping = THREE.NoToneMapping;
  renderer.outputColorSpace = THREE.SRGBColorSpace;
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = THREE.PCFShadowMap;
}
