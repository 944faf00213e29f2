/**
 * How a renderer is set up, in one place, so that the page's view and the policy's cameras agree on colour and shadow.
 * Khronos' neutral tone mapping keeps base colours below 80 % brightness as they are: a red cube stays that red.
 */
import * as THREE from 'three';

export function applyRenderSettings(renderer: THREE.WebGLRenderer): void {
  renderer.toneMapping = THREE.NeutralToneMapping;
  renderer.toneMappingExposure = 1;
  renderer.outputColorSpace = THREE.SRGBColorSpace;
  renderer.shadowMap.enabled = true;
  renderer.shadowMap.type = THREE.PCFShadowMap;
}
