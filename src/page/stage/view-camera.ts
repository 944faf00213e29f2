/**
 * Where a person looks from: the first view, which shows the whole arm and everything it can reach, and how mouse,
 * touch and keyboard turn it. Knows no scene beyond the points it has to show.
 *
 * Keys, while the view has the focus: arrows turn, + and - zoom, Home goes back. Space and Escape are never taken:
 * they stop the arm.
 */
import * as THREE from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';

/** What the first view must show: the arm in its usual poses and waving (what everyone types first), the fan of cubes, the bowl on either side. Metres. */
const SHOWN: readonly THREE.Vector3[] = (
  [
    [0, 0.04, 0],
    [0, -0.02, 0.3],
    [0, -0.2, 0.27],
    [0.08, -0.08, 0.5],
    [-0.08, -0.08, 0.5],
    [-0.06, -0.03, 0],
    [0.06, -0.03, 0],
    [-0.24, -0.1, 0.03],
    [0.24, -0.1, 0.03],
    [-0.19, -0.21, 0],
    [0.19, -0.21, 0],
    [0, -0.29, 0],
  ] as const
).map(([x, y, z]) => new THREE.Vector3(x, y, z));
/** From the front, to the right, a little above. */
const FIRST_DIRECTION = new THREE.Vector3(0.52, -0.8, 0.46).normalize();
const FOV_DEGREES = 30;
const TURN_A_KEY = (7.5 * Math.PI) / 180;
const ZOOM_A_KEY = 1.12;
/** Air around it all, as a share of the picture. */
const MARGIN = 1.1;

export interface ViewCamera {
  readonly camera: THREE.PerspectiveCamera;
  /** Once a frame; true while the view is still moving. */
  update(): boolean;
  /** CSS pixels. The first view is fitted again unless a person has moved it. */
  resize(width: number, height: number): void;
  reset(): void;
  dispose(): void;
}

export function createViewCamera(element: HTMLElement, motion: 'smooth' | 'direct'): ViewCamera {
  const camera = new THREE.PerspectiveCamera(FOV_DEGREES, 1, 0.02, 12);
  camera.up.set(0, 0, 1);
  const controls = new OrbitControls(camera, element);
  controls.enableDamping = motion === 'smooth';
  controls.dampingFactor = 0.12;
  controls.rotateSpeed = 0.7;
  controls.zoomSpeed = 0.8;
  controls.panSpeed = 0.7;
  controls.minDistance = 0.12;
  controls.maxDistance = 2.6;
  // A hand's breadth above the table top is as low as one can look from.
  controls.maxPolarAngle = Math.PI / 2 - 0.02;
  controls.zoomToCursor = true;
  let moved = false;
  let changed = true;
  controls.addEventListener('start', () => {
    moved = true;
  });
  controls.addEventListener('change', () => {
    changed = true;
    // The table is the middle of this world: do not let it wander out of the picture.
    controls.target.clamp(new THREE.Vector3(-0.5, -0.6, 0), new THREE.Vector3(0.5, 0.3, 0.5));
  });

  const fit = (): void => {
    const { target, distance } = fittingView(camera);
    controls.target.copy(target);
    camera.position.copy(target).addScaledVector(FIRST_DIRECTION, distance);
    controls.update();
    changed = true;
  };

  const turn = (around: number, up: number, closer: number): void => {
    const away = camera.position.clone().sub(controls.target);
    const spherical = new THREE.Spherical().setFromVector3(new THREE.Vector3(away.x, away.z, -away.y));
    spherical.theta += around;
    spherical.phi = Math.min(controls.maxPolarAngle, Math.max(0.05, spherical.phi + up));
    spherical.radius = Math.min(controls.maxDistance, Math.max(controls.minDistance, spherical.radius / closer));
    const { x, y, z } = new THREE.Vector3().setFromSpherical(spherical);
    camera.position.set(x, -z, y).add(controls.target);
    controls.update();
    moved = true;
    changed = true;
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = KEYS[event.key];
    if (action === undefined) return;
    event.preventDefault();
    if (action === 'home') {
      moved = false;
      fit();
    } else {
      turn(...action);
    }
  };
  element.addEventListener('keydown', onKey);

  return {
    camera,
    update() {
      controls.update();
      const was = changed;
      changed = false;
      return was;
    },
    resize(width, height) {
      camera.aspect = width / height;
      camera.updateProjectionMatrix();
      if (!moved) fit();
      changed = true;
    },
    reset() {
      moved = false;
      fit();
    },
    dispose() {
      element.removeEventListener('keydown', onKey);
      controls.dispose();
    },
  };
}

const KEYS: Readonly<Record<string, 'home' | readonly [around: number, up: number, closer: number]>> = {
  ArrowLeft: [-TURN_A_KEY, 0, 1],
  ArrowRight: [TURN_A_KEY, 0, 1],
  ArrowUp: [0, -TURN_A_KEY, 1],
  ArrowDown: [0, TURN_A_KEY, 1],
  '+': [0, 0, ZOOM_A_KEY],
  '=': [0, 0, ZOOM_A_KEY],
  '-': [0, 0, 1 / ZOOM_A_KEY],
  Home: 'home',
};

/** Where the camera must look, and from how far along FIRST_DIRECTION, for every point to be in the picture, centred. */
function fittingView(camera: THREE.PerspectiveCamera): { readonly target: THREE.Vector3; readonly distance: number } {
  const right = new THREE.Vector3().crossVectors(camera.up, FIRST_DIRECTION).normalize();
  const up = new THREE.Vector3().crossVectors(FIRST_DIRECTION, right);
  const tangent = Math.tan((camera.fov * Math.PI) / 360);
  const target = new THREE.Vector3(0, -0.14, 0.1);
  let distance = 1;
  // Each round centres the picture of the points and takes the distance at which the widest direction just fits.
  for (let round = 0; round < 8; round++) {
    const seen = SHOWN.map((point) => {
      const from = point.clone().sub(target);
      const depth = distance - from.dot(FIRST_DIRECTION);
      return { x: from.dot(right) / depth, y: from.dot(up) / depth };
    });
    const xs = seen.map(({ x }) => x);
    const ys = seen.map(({ y }) => y);
    const [left, most, bottom, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    target.addScaledVector(right, ((left + most) / 2) * distance).addScaledVector(up, ((bottom + top) / 2) * distance);
    distance *= (MARGIN * Math.max((most - left) / 2 / camera.aspect, (top - bottom) / 2)) / tangent;
  }
  return { target, distance };
}
