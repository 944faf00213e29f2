/**
 * The 3-D view, put together: renderer, room, view camera, ghost, joint mark, and the loop that draws when something
 * changed. Imperative on purpose: poses arrive sixty times a second through shared memory and pass no store.
 */
import * as THREE from 'three';
import type { SceneDescription } from '#contracts/scene.ts';
import { FailureError } from '#core/lib/failure.ts';
import { linkPoses } from '#core/robots/kinematics.ts';
import { buildSceneObjects, createSceneAssets } from '#core/scene/three/build.ts';
import { applyRenderSettings } from '#core/scene/three/render-settings.ts';
import { createGhost } from './ghost.ts';
import { createJointMark } from './joint-mark.ts';
import { createLimits, type LimitsView } from './limits.ts';
import { createPace, isSoftwareRenderer, type StageStatistics } from './pace.ts';
import { posesSource } from './poses-source.ts';
import { cssColour } from './theme-colours.ts';
import { createViewCamera } from './view-camera.ts';

export type { LimitsView } from './limits.ts';
export type { StageStatistics } from './pace.ts';

export interface StageOptions {
  /** Filled by the stage: it adds one canvas, which follows the container's size. Position it relative or absolute. */
  readonly container: HTMLElement;
  readonly description: SceneDescription;
  /** The poses slot (`contracts/slots.ts`); without it only `setPoses` moves anything. */
  readonly poses?: SharedArrayBuffer;
  /** Said by screen readers for the canvas. */
  readonly label: string;
  /** The graphics context went away or came back; while it is away the last picture stays or the view is empty. */
  readonly onContext?: (state: 'lost' | 'restored') => void;
  /** A frame has been handed to the renderer; the canvas can be read until this returns. */
  readonly onFrame?: () => void;
}

export interface Stage {
  /** After a reset: other objects, other places. The view stays where it is. */
  setScene(description: SceneDescription): void;
  /** 7 numbers a body (x y z, w x y z), body-table order: for a replay or a picture without a world. */
  setPoses(poses: ArrayLike<number>): void;
  /** The arm at these joint angles, radians, whatever the poses say: a real arm, whose world is not simulated. Null: as the poses say. */
  setArm(angles: ArrayLike<number> | null): void;
  /** Rows of six joint angles, radians: what is coming, next first. Null takes the ghost away. `limited[i]`: a rule makes row i less than was wanted. */
  setGhost(path: readonly (readonly number[])[] | null, limited?: readonly boolean[]): void;
  /** Draws where the arm may be, and lets a person drag it; null draws nothing. */
  setLimits(limits: LimitsView | null): void;
  /** Index in JOINT_NAMES, or null. */
  highlightJoint(joint: number | null): void;
  /** Outlines of what each simulated camera sees. */
  setCameraHints(hints: 'shown' | 'hidden'): void;
  resetView(): void;
  statistics(): StageStatistics;
  dispose(): void;
}

/** A frame that has not arrived by then never will. */
const LONGEST_FRAME_MS = 5000;

/** Throws FailureError `world/no-webgl` where the browser gives no WebGL 2 context. */
export function createStage({ container, description, poses, label, onContext, onFrame }: StageOptions): Stage {
  const canvas = document.createElement('canvas');
  canvas.style.cssText = 'position:absolute;inset:0;width:100%;height:100%;display:block;touch-action:none';
  // The wall behind the table: the page's ground, a little lighter where the lamp is.
  canvas.style.background = 'radial-gradient(120% 90% at 42% 30%, color-mix(in oklab, var(--ground, #eef0ee) 90%, white), color-mix(in oklab, var(--ground, #eef0ee) 93%, black))';
  canvas.tabIndex = 0;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  const software = isSoftwareRenderer(rendererName());
  const { renderer, gl } = createRenderer(canvas, software ? 'aliased' : 'smooth');
  container.append(canvas);

  const pace = createPace(software ? 'software' : 'gpu', () => window.devicePixelRatio);
  const assets = createSceneAssets(software ? 'plain' : 'fine');
  const scene = new THREE.Scene();
  const motion = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'direct' : 'smooth';
  const view = createViewCamera(canvas, motion);
  const source = poses === undefined ? null : posesSource(poses);
  let ghost = createGhost(description.robot, assets.links(description.robot.name));
  let mark = createJointMark(description.robot);
  const limits = createLimits({ canvas, camera: view.camera, changed: () => touch('picture') });
  scene.add(ghost.root, limits.root);

  let room = buildSceneObjects(description, { assets });
  let hints: THREE.CameraHelper[] = [];
  let hintsWanted: 'shown' | 'hidden' = 'hidden';
  let joint: number | null = null;
  let changed = true;
  let lost = false;
  let haunted = false;
  let size = { width: 0, height: 0 };
  let inFlight: { readonly fence: WebGLSync; readonly startedMs: number; readonly reason: 'moving' | 'still' } | null = null;

  const atHome = (of: SceneDescription): number[] => [...linkPoses(of.robot, of.robot.homePose), ...of.objects.map((object) => object.pose)].flatMap((pose) => [...pose.position, ...pose.rotation]);
  const touch = (what: 'shadow' | 'picture'): void => {
    changed = true;
    if (what === 'shadow') renderer.shadowMap.needsUpdate = true;
  };
  const showMark = (): void => {
    mark.show(room.bodies, joint, cssColour(container, `--joint-${(joint ?? 0) + 1}`));
    touch('picture');
  };
  const showHints = (of: SceneDescription): void => {
    for (const hint of hints) {
      hint.camera.removeFromParent();
      hint.removeFromParent();
      hint.dispose();
    }
    hints = hintsWanted === 'hidden' ? [] : cameraHints(of, room.bodies, scene);
    touch('picture');
  };
  const dress = (): void => {
    ghost.setColours(cssColour(container, '--accent'), cssColour(container, '--amber'));
    limits.setColours(cssColour(container, '--accent'), cssColour(container, '--red'));
    showMark();
  };
  /** Ghost and mark are of the arm that is drawn. */
  const exchangeArm = (of: SceneDescription): void => {
    ghost.root.removeFromParent();
    ghost.dispose();
    mark.dispose();
    ghost = createGhost(of.robot, assets.links(of.robot.name));
    mark = createJointMark(of.robot);
    ghost.setColours(cssColour(container, '--accent'), cssColour(container, '--amber'));
    scene.add(ghost.root);
    haunted = false;
    armAt = null;
  };
  let described = description;
  scene.add(room.root);
  room.applyPoses(atHome(description));
  dress();
  touch('shadow');

  const draw = (nowMs: number, reason: 'moving' | 'still'): void => {
    const started = performance.now();
    const ratio = pace.pixelRatio(reason);
    if (renderer.getPixelRatio() !== ratio) renderer.setPixelRatio(ratio);
    for (const hint of hints) hint.update();
    renderer.render(scene, view.camera);
    onFrame?.();
    if (!software) {
      pace.drawn(nowMs, performance.now() - started, reason);
      return;
    }
    // A software renderer works on after this returns. A fence tells when it is done without making the page, and with
    // it the Stop button, wait.
    if (inFlight !== null) gl.deleteSync(inFlight.fence);
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    inFlight = fence === null ? null : { fence, startedMs: nowMs, reason };
    gl.flush();
  };
  /** False while the frame before is still being drawn. */
  const arrived = (nowMs: number): boolean => {
    if (inFlight === null) return true;
    const { fence, startedMs, reason } = inFlight;
    if (gl.getSyncParameter(fence, gl.SYNC_STATUS) !== gl.SIGNALED && nowMs - startedMs < LONGEST_FRAME_MS) return false;
    gl.deleteSync(fence);
    inFlight = null;
    pace.drawn(startedMs, nowMs - startedMs, reason);
    return true;
  };

  /** The links of a real arm, laid over what the world says; its table stays the world's. */
  let armAt: ArrayLike<number> | null = null;
  let posed: Float64Array | null = null;
  const pose = (poses: ArrayLike<number>): void => {
    posed = Float64Array.from(poses);
    room.applyPoses(armAt === null ? posed : withArm(posed, armAt));
    touch('shadow');
  };
  const withArm = (poses: Float64Array, angles: ArrayLike<number>): Float64Array => {
    const together = poses.slice();
    linkPoses(described.robot, angles).forEach(({ position, rotation }, body) => together.set([...position, ...rotation], 7 * body));
    return together;
  };

  let request = 0;
  const frame = (): void => {
    request = requestAnimationFrame(frame);
    if (lost || size.width === 0 || size.height === 0) return;
    const nowMs = performance.now();
    if (view.update()) touch('picture');
    const moved = source?.moved(room.bodies.length) ?? null;
    if (moved !== null) pose(moved);
    if (!arrived(nowMs)) return;
    if (changed && pace.mayDraw(nowMs, 'moving')) {
      changed = false;
      draw(nowMs, 'moving');
    } else if (!changed && pace.wantsCrisp() && pace.mayDraw(nowMs, 'still')) {
      draw(nowMs, 'still');
    }
  };

  const observer = new ResizeObserver(() => {
    size = { width: container.clientWidth, height: container.clientHeight };
    if (size.width === 0 || size.height === 0) return;
    renderer.setSize(size.width, size.height, false);
    view.resize(size.width, size.height);
    touch('picture');
    // setSize has emptied the canvas: fill it before the browser shows it.
    if (!lost) draw(performance.now(), 'moving');
  });
  observer.observe(container);

  const onLost = (): void => {
    lost = true;
    inFlight = null;
    onContext?.('lost');
  };
  const onRestored = (): void => {
    lost = false;
    touch('shadow');
    onContext?.('restored');
  };
  canvas.addEventListener('webglcontextlost', onLost);
  canvas.addEventListener('webglcontextrestored', onRestored);
  const theme = matchMedia('(prefers-color-scheme: dark)');
  theme.addEventListener('change', dress);
  request = requestAnimationFrame(frame);

  return {
    setScene(next) {
      const before = room;
      mark.show(before.bodies, null, new THREE.Color());
      if (next.robot.name !== described.robot.name) exchangeArm(next);
      described = next;
      room = buildSceneObjects(next, { assets });
      pose(atHome(next));
      scene.add(room.root);
      before.root.removeFromParent();
      before.dispose();
      source?.forget();
      showHints(next);
      showMark();
      touch('shadow');
    },
    setPoses: pose,
    setArm(angles) {
      if (angles === null && armAt === null) return;
      armAt = angles;
      if (posed !== null) pose(posed);
      else if (angles !== null) pose(atHome(described));
    },
    setGhost(path, limited = []) {
      // Control says "no path" ten times a second; a picture without a ghost need not be drawn again for it.
      if (path === null && !haunted) return;
      haunted = path !== null;
      ghost.setPath(path, limited);
      touch('picture');
    },
    setLimits(next) {
      limits.show(next);
      touch('picture');
    },
    highlightJoint(index) {
      if (index === joint) return;
      joint = index;
      showMark();
    },
    setCameraHints(wanted) {
      hintsWanted = wanted;
      showHints(described);
    },
    resetView() {
      view.reset();
    },
    statistics: pace.statistics,
    dispose() {
      cancelAnimationFrame(request);
      observer.disconnect();
      theme.removeEventListener('change', dress);
      canvas.removeEventListener('webglcontextlost', onLost);
      canvas.removeEventListener('webglcontextrestored', onRestored);
      view.dispose();
      mark.dispose();
      ghost.dispose();
      limits.dispose();
      room.dispose();
      assets.dispose();
      renderer.dispose();
      renderer.forceContextLoss();
      canvas.remove();
    },
  };
}

function createRenderer(canvas: HTMLCanvasElement, edges: 'smooth' | 'aliased'): { readonly renderer: THREE.WebGLRenderer; readonly gl: WebGL2RenderingContext } {
  const antialias = edges === 'smooth';
  const gl = canvas.getContext('webgl2', { antialias, alpha: true, premultipliedAlpha: true, depth: true, stencil: false, powerPreference: 'high-performance' });
  if (gl === null) throw new FailureError('world/no-webgl', { reason: 'the browser gave no WebGL 2 context' });
  const renderer = new THREE.WebGLRenderer({ canvas, context: gl, antialias, alpha: true });
  applyRenderSettings(renderer);
  // Turning the view does not change a shadow: it is drawn again only when a body moved.
  renderer.shadowMap.autoUpdate = false;
  // What stands behind the table is the page's.
  renderer.setClearColor(0x000000, 0);
  return { renderer, gl };
}

/** Asked on a canvas of its own: whether to multisample has to be known before the real context is made. */
function rendererName(): string {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (gl === null) return '';
  const extension = gl.getExtension('WEBGL_debug_renderer_info');
  const found = String(gl.getParameter(extension === null ? gl.RENDERER : extension.UNMASKED_RENDERER_WEBGL));
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return found;
}

/** A camera the size of a hand at the place of each described camera, and its outline. */
function cameraHints(description: SceneDescription, bodies: readonly THREE.Object3D[], scene: THREE.Scene): THREE.CameraHelper[] {
  return description.cameras.flatMap((camera) => {
    const mount = camera.mount === 'world' ? scene : bodies.find((body) => body.name === camera.mount);
    if (mount === undefined) return [];
    const stand = new THREE.PerspectiveCamera((camera.verticalFovRadians * 180) / Math.PI, 1, 0.004, 0.09);
    stand.position.set(...camera.pose.position);
    stand.quaternion.set(camera.pose.rotation[1], camera.pose.rotation[2], camera.pose.rotation[3], camera.pose.rotation[0]);
    mount.add(stand);
    const helper = new THREE.CameraHelper(stand);
    scene.add(helper);
    return [helper];
  });
}
