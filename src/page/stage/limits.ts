/**
 * Where the arm may be, drawn: the workspace as a box of edges with a knob on each face, boxes to keep out of in another
 * colour. A person drags a knob and the face follows along its axis. Knows boxes; whoever shows them decides what a changed
 * one means. The face under the table has no knob: the table is the limit there.
 */
import * as THREE from 'three';
import type { SafetyBox } from '#contracts/safety.ts';

export interface LimitsView {
  readonly workspace: SafetyBox | null;
  readonly keepOut: readonly SafetyBox[];
  /** Called with the new box when a person lets go of a knob; absent: nothing can be dragged. */
  readonly onWorkspace?: (box: SafetyBox) => void;
}

export interface Limits {
  readonly root: THREE.Group;
  show(view: LimitsView | null): void;
  setColours(workspace: THREE.Color, keepOut: THREE.Color): void;
  dispose(): void;
}

interface Knob {
  readonly axis: 0 | 1 | 2;
  readonly side: 'least' | 'most';
}

const KNOBS: readonly Knob[] = [
  { axis: 0, side: 'least' },
  { axis: 0, side: 'most' },
  { axis: 1, side: 'least' },
  { axis: 1, side: 'most' },
  { axis: 2, side: 'most' },
];
const KNOB_M = 0.008;
/** Drawn a little above the table, or the two would flicker through each other. */
const ABOVE_TABLE_M = 0.002;
/** A box thinner than this holds no arm. */
const LEAST_SIZE_M = 0.1;
const FARTHEST_M = 0.8;
/** Finer than a person can drag. */
const GRID_M = 0.005;

export function createLimits(parts: { readonly canvas: HTMLCanvasElement; readonly camera: THREE.Camera; readonly changed: () => void }): Limits {
  const { canvas, camera, changed } = parts;
  const root = new THREE.Group();
  root.name = 'limits';
  const cube = new THREE.BoxGeometry(1, 1, 1);
  const edges = new THREE.EdgesGeometry(cube);
  const sphere = new THREE.SphereGeometry(KNOB_M, 20, 12);
  const line = new THREE.LineBasicMaterial({ transparent: true, opacity: 0.9 });
  const wall = new THREE.MeshBasicMaterial({ transparent: true, opacity: 0.05, depthWrite: false, side: THREE.DoubleSide });
  const forbiddenLine = new THREE.LineBasicMaterial();
  const forbidden = new THREE.MeshBasicMaterial({ transparent: true, opacity: 0.18, depthWrite: false });
  const knobMaterial = new THREE.MeshBasicMaterial();
  const raycaster = new THREE.Raycaster();
  let view: LimitsView | null = null;
  let box: SafetyBox | null = null;
  let knobs: THREE.Mesh[] = [];
  let dragging: Knob | null = null;

  const boxObjects = ({ least, most }: SafetyBox, faces: THREE.Material, outline: THREE.Material): THREE.Object3D[] =>
    [new THREE.Mesh(cube, faces), new THREE.LineSegments(edges, outline)].map((object) => {
      // What is under the table is no news, and its lines would shine through it.
      const floor = Math.max(ABOVE_TABLE_M, least[2]);
      object.position.set((least[0] + most[0]) / 2, (least[1] + most[1]) / 2, (floor + most[2]) / 2);
      object.scale.set(most[0] - least[0], most[1] - least[1], Math.max(0.001, most[2] - floor));
      object.renderOrder = 30;
      return object;
    });

  const draw = (): void => {
    root.clear();
    knobs = [];
    if (view === null) return;
    for (const other of view.keepOut) root.add(...boxObjects(other, forbidden, forbiddenLine));
    if (box === null) return;
    root.add(...boxObjects(box, wall, line));
    if (view.onWorkspace === undefined) return;
    knobs = KNOBS.map((knob) => {
      const mesh = new THREE.Mesh(sphere, knobMaterial);
      mesh.position.copy(placeOf(knob, box as SafetyBox));
      mesh.renderOrder = 31;
      return mesh;
    });
    root.add(...knobs);
  };

  const aim = (event: PointerEvent): void => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    raycaster.setFromCamera(new THREE.Vector2((2 * (event.clientX - left)) / width - 1, 1 - (2 * (event.clientY - top)) / height), camera);
  };
  const under = (event: PointerEvent): Knob | null => {
    if (knobs.length === 0) return null;
    aim(event);
    const [hit] = raycaster.intersectObjects(knobs, false);
    return hit === undefined ? null : (KNOBS[knobs.indexOf(hit.object as THREE.Mesh)] ?? null);
  };
  const down = (event: PointerEvent): void => {
    dragging = event.button === 0 ? under(event) : null;
    if (dragging === null) return;
    // The view must not turn meanwhile.
    event.stopImmediatePropagation();
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
  };
  const move = (event: PointerEvent): void => {
    if (dragging === null || box === null) {
      if (knobs.length > 0) canvas.style.cursor = under(event) === null ? '' : 'grab';
      return;
    }
    event.stopImmediatePropagation();
    aim(event);
    box = dragged(box, dragging, raycaster.ray);
    draw();
    changed();
  };
  const up = (event: PointerEvent): void => {
    if (dragging === null) return;
    dragging = null;
    event.stopImmediatePropagation();
    if (box !== null) view?.onWorkspace?.(box);
  };
  // At the target itself listeners that capture come first, also before those that were there earlier.
  const listeners = [
    ['pointerdown', down],
    ['pointermove', move],
    ['pointerup', up],
    ['pointercancel', up],
  ] as const;
  for (const [name, listener] of listeners) canvas.addEventListener(name, listener, { capture: true });

  return {
    root,
    show(next) {
      view = next;
      // Somebody has it in hand: what they are doing counts, not what was true before.
      if (dragging === null) box = next?.workspace ?? null;
      canvas.style.cursor = '';
      draw();
    },
    setColours(workspace, keepOut) {
      for (const material of [line, wall, knobMaterial]) material.color.copy(workspace);
      for (const material of [forbidden, forbiddenLine]) material.color.copy(keepOut);
    },
    dispose() {
      for (const [name, listener] of listeners) canvas.removeEventListener(name, listener, { capture: true });
      for (const thing of [cube, edges, sphere, line, wall, forbiddenLine, forbidden, knobMaterial]) thing.dispose();
    },
  };
}

function placeOf({ axis, side }: Knob, { least, most }: SafetyBox): THREE.Vector3 {
  const floor = Math.max(0, least[2]);
  const at = new THREE.Vector3((least[0] + most[0]) / 2, (least[1] + most[1]) / 2, (floor + most[2]) / 2);
  return at.setComponent(axis, side === 'least' ? least[axis] : most[axis]);
}

/** The box whose face has followed the pointer: to the point of the knob's own axis that is nearest to the ray. Exported for its test. */
export function dragged(box: SafetyBox, knob: Knob, ray: THREE.Ray): SafetyBox {
  const from = placeOf(knob, box);
  const along = new THREE.Vector3().setComponent(knob.axis, 1);
  const between = ray.origin.clone().sub(from);
  const b = along.dot(ray.direction);
  const denominator = 1 - b * b;
  // Looking along the axis, no point of it is nearer than another.
  if (denominator < 1e-3) return box;
  const t = (along.dot(between) - b * ray.direction.dot(between)) / denominator;
  const value = Math.round((from.getComponent(knob.axis) + t) / GRID_M) * GRID_M;
  const least = [...box.least] as [number, number, number];
  const most = [...box.most] as [number, number, number];
  if (knob.side === 'least') least[knob.axis] = Math.max(-FARTHEST_M, Math.min(value, most[knob.axis] - LEAST_SIZE_M));
  else most[knob.axis] = Math.min(FARTHEST_M, Math.max(value, (knob.axis === 2 ? Math.max(0, least[2]) : least[knob.axis]) + LEAST_SIZE_M));
  return { least, most };
}
