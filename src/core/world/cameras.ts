/**
 * The simulated cameras: one scene description and the poses of its bodies in, pictures out. Draws with WebGL on an
 * OffscreenCanvas, in whatever worker it lives in. Knows nothing of physics and of who wants the pictures.
 *
 * Pictures are repeatable on one machine, byte for byte: fixed settings, no randomness, a drawing buffer of a size that
 * follows from the picture's alone. The page's theme never reaches this file.
 *
 * Antialiasing: small pictures are drawn at twice their size and averaged, 2 x 2 to one. The context's own multisampling
 * is off: with a software renderer it made a 96 x 96 picture cost 27 ms instead of 10 (SwiftShader, two cores), four
 * averaged samples cost 4 ms more, and averaging smooths shadows and textures too.
 *
 * A lost context is a failed camera: `readPixels` then leaves the bytes of the picture before, so the context is asked
 * after every read.
 */
import * as THREE from 'three';
import type { Picture } from '#contracts/picture.ts';
import type { CameraDescription, SceneDescription } from '#contracts/scene.ts';
import { FailureError } from '#core/lib/failure.ts';
import { buildSceneObjects, createSceneAssets, type SceneObjects } from '#core/scene/three/build.ts';
import { applyRenderSettings } from '#core/scene/three/render-settings.ts';

const NEAR_M = 0.004;
const FAR_M = 4;
/** Medians are taken over this many pictures a camera, none older than this: what a picture cost long ago says nothing of now. */
const TIMES_KEPT = 31;
const RECENT_MS = 10_000;
/** Larger pictures are refused: nobody here wants them, and a context's buffer has a limit. */
const MOST_PIXELS_A_SIDE = 2048;

/** Pictures up to this many pixels a side are drawn at twice their size. */
const AVERAGED_UP_TO = 128;
/** How often a picture on its way is asked for; timers in a worker are no finer than this when nested. */
const ASK_EVERY_MS = 4;
/** One surface draws every simulated camera: losing it is one failure, whichever picture was being taken. */
const LOST = { camera: 'all' } as const;

export interface CameraRendererOptions {
  readonly description: SceneDescription;
  /** Taken over: nobody else may draw on it. */
  readonly canvas: OffscreenCanvas;
}

export interface CameraRenderer {
  /** Another arrangement, light or set of cameras. */
  setScene(description: SceneDescription): void;
  /**
   * One picture, RGBA, top row first, alpha 255. `poses`: 7 numbers a body (x y z, w x y z) in body-table order.
   * Throws FailureError `observation/camera-missing`, `world/context-lost` or `control/out-of-range` (a size).
   */
  render(key: string, widthPx: number, heightPx: number, poses: Float64Array): Picture;
  /**
   * The same picture, to the byte, without waiting for it on this thread: drawn now, read when the GPU is done. While a
   * WebGPU policy computes or compiles in the same GPU process, a plain `readPixels` keeps its thread for up to 2 s
   * (SwiftShader, two cores), and the physics that lives in it.
   * Rejects with what `render` throws.
   */
  capture(key: string, widthPx: number, heightPx: number, poses: Float64Array): Promise<Picture>;
  /** Median milliseconds of the pictures of the last ten seconds, by camera; cameras that took none are absent. */
  pictureMs(): Readonly<Record<string, number>>;
  /** True while the context is lost; it may come back by itself. */
  isLost(): boolean;
  dispose(): void;
}

/** Throws FailureError `world/no-webgl` where no WebGL 2 context can be had. */
export function createCameraRenderer({ description, canvas }: CameraRendererOptions): CameraRenderer {
  const renderer = createRenderer(canvas);
  const gl = renderer.getContext() as WebGL2RenderingContext;
  applyRenderSettings(renderer);
  // The shadow is drawn once an instant, not once a camera.
  renderer.shadowMap.autoUpdate = false;
  const assets = createSceneAssets('plain');
  const times = new Map<string, readonly Took[]>();
  let view = assemble(description, assets);
  let shadowPoses: Float64Array | null = null;
  // Counted and not asked of WebGL (`isBuffer`), which would wait for the GPU.
  let losses = 0;
  canvas.addEventListener('contextlost', () => (losses += 1));
  canvas.addEventListener('webglcontextlost', () => (losses += 1));

  /** Draws one picture into the canvas; returns how many times larger than asked for. */
  const draw = (key: string, widthPx: number, heightPx: number, poses: Float64Array): 1 | 2 => {
    const camera = view.cameras.get(key);
    if (camera === undefined) throw new FailureError('observation/camera-missing', { camera: key, present: [...view.cameras.keys()].join(', ') });
    requireSide('picture width', widthPx);
    requireSide('picture height', heightPx);
    const scale = Math.max(widthPx, heightPx) <= AVERAGED_UP_TO ? 2 : 1;
    if (canvas.width !== widthPx * scale || canvas.height !== heightPx * scale) renderer.setSize(widthPx * scale, heightPx * scale, false);
    if (shadowPoses === null || !same(shadowPoses, poses)) {
      view.objects.applyPoses(poses);
      shadowPoses = Float64Array.from(poses);
      renderer.shadowMap.needsUpdate = true;
    }
    const aspect = widthPx / heightPx;
    if (camera.aspect !== aspect) {
      camera.aspect = aspect;
      camera.updateProjectionMatrix();
    }
    renderer.render(view.scene, camera);
    return scale;
  };
  const finish = (key: string, widthPx: number, heightPx: number, scale: 1 | 2, pixels: Uint8Array, startedMs: number): Picture => {
    if (gl.isContextLost()) {
      shadowPoses = null;
      throw new FailureError('world/context-lost', LOST);
    }
    const large = topRowFirst(pixels, widthPx * scale, heightPx * scale);
    const data = scale === 2 ? averaged(large, widthPx, heightPx) : large;
    remember(times, key, startedMs);
    return { width: widthPx, height: heightPx, channels: 4, data };
  };

  return {
    setScene(next) {
      const before = view;
      view = assemble(next, assets);
      before.objects.dispose();
      shadowPoses = null;
    },
    render(key, widthPx, heightPx, poses) {
      const startedMs = performance.now();
      const scale = draw(key, widthPx, heightPx, poses);
      const pixels = new Uint8Array(widthPx * scale * heightPx * scale * 4);
      gl.readPixels(0, 0, widthPx * scale, heightPx * scale, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      return finish(key, widthPx, heightPx, scale, pixels, startedMs);
    },
    async capture(key, widthPx, heightPx, poses) {
      const startedMs = performance.now();
      const scale = draw(key, widthPx, heightPx, poses);
      const lossesBefore = losses;
      const pixels = await readLater(gl, widthPx * scale, heightPx * scale, () => losses === lossesBefore);
      if (pixels === null) throw new FailureError('world/context-lost', LOST);
      return finish(key, widthPx, heightPx, scale, pixels, startedMs);
    },
    pictureMs() {
      const sinceMs = performance.now() - RECENT_MS;
      return Object.fromEntries([...times].map(([key, list]) => [key, list.filter(({ doneAtMs }) => doneAtMs > sinceMs)] as const).flatMap(([key, recent]) => (recent.length === 0 ? [] : [[key, median(recent)]])));
    },
    isLost: () => gl.isContextLost(),
    dispose() {
      view.objects.dispose();
      assets.dispose();
      renderer.dispose();
    },
  };
}

interface View {
  readonly scene: THREE.Scene;
  readonly objects: SceneObjects;
  readonly cameras: ReadonlyMap<string, THREE.PerspectiveCamera>;
}

function assemble(description: SceneDescription, assets: ReturnType<typeof createSceneAssets>): View {
  const objects = buildSceneObjects(description, { assets });
  const scene = new THREE.Scene();
  scene.background = objects.background;
  scene.add(objects.root);
  const cameras = new Map(description.cameras.map((camera) => [camera.key, mounted(camera, objects, scene)]));
  return { scene, objects, cameras };
}

function mounted(description: CameraDescription, objects: SceneObjects, scene: THREE.Scene): THREE.PerspectiveCamera {
  const mount = description.mount === 'world' ? scene : objects.bodies[objects.names.indexOf(description.mount)];
  if (mount === undefined) throw new FailureError('internal', { message: `camera ${description.key} is mounted on ${description.mount}, which is not in the scene` });
  const camera = new THREE.PerspectiveCamera((description.verticalFovRadians * 180) / Math.PI, 1, NEAR_M, FAR_M);
  camera.position.set(...description.pose.position);
  const [w, x, y, z] = description.pose.rotation;
  camera.quaternion.set(x, y, z, w);
  mount.add(camera);
  return camera;
}

function createRenderer(canvas: OffscreenCanvas): THREE.WebGLRenderer {
  // Asked for here and not by three, so that a refusal has a reason and not a log line.
  const attributes: WebGLContextAttributes = { antialias: false, alpha: false, depth: true, stencil: false, preserveDrawingBuffer: false, powerPreference: 'default' };
  let context: WebGL2RenderingContext | null = null;
  try {
    context = canvas.getContext('webgl2', attributes);
  } catch (thrown) {
    throw new FailureError('world/no-webgl', { reason: String(thrown) });
  }
  if (context === null) throw new FailureError('world/no-webgl', { reason: 'the browser gave no WebGL 2 context' });
  const renderer = new THREE.WebGLRenderer({ canvas, context });
  renderer.setPixelRatio(1);
  return renderer;
}

/**
 * The bytes of what was drawn just now, once the GPU has them; asks every few milliseconds and blocks nobody. Null where
 * the context was lost on the way, also if another one is there by now.
 */
async function readLater(gl: WebGL2RenderingContext, width: number, height: number, sameContext: () => boolean): Promise<Uint8Array | null> {
  const bytes = width * height * 4;
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
  gl.bufferData(gl.PIXEL_PACK_BUFFER, bytes, gl.STREAM_READ);
  gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, 0);
  gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  const drawn = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
  gl.flush();
  const pixels = new Uint8Array(bytes);
  try {
    // A lost context gives no fence, or WAIT_FAILED from an old one: either way there is nothing to wait for.
    while (drawn !== null && !gl.isContextLost() && gl.clientWaitSync(drawn, 0, 0) === gl.TIMEOUT_EXPIRED) await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    // A buffer of a context that is gone is no buffer of the one that came back.
    if (gl.isContextLost() || !sameContext()) return null;
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, pixels);
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
  } finally {
    gl.deleteSync(drawn);
    gl.deleteBuffer(buffer);
  }
  return pixels;
}

/** WebGL's rows start at the bottom, a picture's at the top. */
function topRowFirst(upsideDown: Uint8Array, width: number, height: number): Uint8Array {
  const data = new Uint8Array(upsideDown.length);
  const stride = width * 4;
  for (let row = 0; row < height; row++) data.set(upsideDown.subarray((height - 1 - row) * stride, (height - row) * stride), row * stride);
  return data;
}

/** Twice the size in, each byte the rounded mean of four out. */
function averaged(large: Uint8Array, width: number, height: number): Uint8Array {
  const stride = width * 8;
  const data = new Uint8Array(width * height * 4);
  let at = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = row * 2 * stride + column * 8;
      for (let c = 0; c < 4; c++) {
        const i = from + c;
        data[at++] = ((large[i] as number) + (large[i + 4] as number) + (large[i + stride] as number) + (large[i + stride + 4] as number) + 2) >> 2;
      }
    }
  }
  return data;
}

function requireSide(what: string, found: number): void {
  if (!Number.isInteger(found) || found < 1 || found > MOST_PIXELS_A_SIDE) throw new FailureError('control/out-of-range', { what, found, least: 1, most: MOST_PIXELS_A_SIDE });
}

function same(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

interface Took {
  readonly doneAtMs: number;
  readonly ms: number;
}

function remember(times: Map<string, readonly Took[]>, key: string, startedMs: number): void {
  const doneAtMs = performance.now();
  times.set(key, [...(times.get(key) ?? []).slice(1 - TIMES_KEPT), { doneAtMs, ms: doneAtMs - startedMs }]);
}

function median(list: readonly Took[]): number {
  const sorted = list.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
