/** The view in a real browser: it draws what the poses say, redraws only when something changed, and says when it is lost. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { POSES_SLOT_HEADER, POSES_SLOT_HEADER_LENGTH, POSES_SLOT_LENGTH } from '#contracts/slots.ts';
import type { SafetyBox } from '#contracts/safety.ts';
import { createSlotMemory, slotWriter } from '#core/lib/shared-slot.ts';
import { linkPoses } from '#core/robots/kinematics.ts';
import { sceneFor } from '#core/scene/description.ts';
import { createStage, type Stage, type StageOptions } from './stage.ts';

const description = sceneFor({ task: 'any', seed: 3 });
const home = description.robot.homePose;
/** The view has settled when it has drawn its crisp picture and then nothing for this long. */
const QUIET_MS = 500;

let container: HTMLDivElement;
let stage: Stage | null = null;
/** Pixels of the last drawn frame, taken inside the frame: the drawing buffer is gone afterwards. */
let shown: Uint8ClampedArray = new Uint8ClampedArray();
let frames = 0;

beforeEach(() => {
  container = document.createElement('div');
  container.style.cssText = 'position:relative;width:240px;height:180px;--accent:#0b6e66;--joint-2:#b87800';
  document.body.append(container);
  frames = 0;
});

afterEach(() => {
  stage?.dispose();
  stage = null;
  container.remove();
});

function open(options: Partial<StageOptions> = {}): Stage {
  stage = createStage({
    container,
    description,
    label: 'The arm',
    onFrame: () => {
      frames += 1;
      shown = pixels();
    },
    ...options,
  });
  return stage;
}

function pixels(): Uint8ClampedArray {
  const copy = new OffscreenCanvas(240, 180);
  const context = copy.getContext('2d');
  if (context === null) throw new Error('no 2d context');
  context.drawImage(canvas(), 0, 0, 240, 180);
  return context.getImageData(0, 0, 240, 180).data;
}

function canvas(): HTMLCanvasElement {
  const found = container.querySelector('canvas');
  if (found === null) throw new Error('the stage has no canvas');
  return found;
}

function record(angles: readonly number[], bodies = description.objects.length + 7): Float64Array {
  const all = [...linkPoses(description.robot, angles), ...description.objects.map((object) => object.pose)];
  const numbers = new Float64Array(POSES_SLOT_LENGTH);
  numbers[POSES_SLOT_HEADER.bodyCount.at] = bodies;
  numbers.set(all.flatMap((pose) => [...pose.position, ...pose.rotation]), POSES_SLOT_HEADER_LENGTH);
  return numbers;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function settled(): Promise<Uint8ClampedArray> {
  for (;;) {
    const from = frames;
    await pause(QUIET_MS);
    if (frames > 0 && frames === from && stage?.statistics().crisp === true) return shown;
  }
}

/** Pixels that differ by more than 12 of 255 in a colour. */
function differing(a: Uint8ClampedArray, b: Uint8ClampedArray): number {
  let count = 0;
  for (let i = 0; i < a.length; i += 4) if ([0, 1, 2].some((c) => Math.abs((a[i + c] ?? 0) - (b[i + c] ?? 0)) > 12)) count += 1;
  return count;
}

test('draws the arm at once, with nothing published yet, and then keeps still', async () => {
  open({ poses: createSlotMemory(POSES_SLOT_LENGTH) });
  const picture = await settled();
  expect(picture.some((value, i) => i % 4 === 3 && value === 255)).toBe(true);
  // The wall is the page's: transparent above the table.
  expect(picture[3]).toBe(0);
  const drawn = frames;
  await pause(400);
  expect(frames).toBe(drawn);
  expect(stage?.statistics().framesDrawn).toBe(drawn);
  expect(stage?.statistics().drawMs?.p50).toBeGreaterThan(0);
});

test('published poses move the picture; the same poses again, and records of another scene, do not', async () => {
  const memory = createSlotMemory(POSES_SLOT_LENGTH);
  const writer = slotWriter(memory);
  writer.write(record(home));
  open({ poses: memory });
  const before = await settled();
  writer.write(record([0.5, 0.2, 0.3, 1, -1.5, 1]));
  await expect.poll(() => differing(before, shown), { timeout: 10_000 }).toBeGreaterThan(300);
  await settled();
  const drawn = frames;
  writer.write(record([0.5, 0.2, 0.3, 1, -1.5, 1]));
  writer.write(record(home, 9));
  await pause(400);
  expect(frames).toBe(drawn);
});

test('the ghost is of another colour where it will be held back', async () => {
  const view = open();
  const path = Array.from({ length: 20 }, (_, i) => home.map((angle, joint) => angle + (joint === 0 ? (i / 19) * 0.8 : 0)));
  view.setGhost(path);
  const free = await settled();
  view.setGhost(path, path.map((_, i) => i >= 10));
  const limited = await settled();
  expect(differing(free, limited)).toBeGreaterThan(200);
});

test('the workspace is drawn, and a knob that is dragged moves its face', async () => {
  const told: SafetyBox[] = [];
  const view = open();
  const plain = await settled();
  const workspace: SafetyBox = { least: [-0.2, -0.3, 0], most: [0.2, 0.1, 0.3] };
  view.setLimits({ workspace, keepOut: [], onWorkspace: (box) => told.push(box) });
  const drawn = await settled();
  expect(differing(plain, drawn)).toBeGreaterThan(300);
  // Knobs are where the pointer turns into a hand.
  const { left, top, width, height } = canvas().getBoundingClientRect();
  const at = (type: string, x: number, y: number): void =>
    void canvas().dispatchEvent(new PointerEvent(type, { bubbles: true, clientX: left + x, clientY: top + y, pointerId: 1, button: 0 }));
  canvas().setPointerCapture = () => undefined;
  let knob: readonly [number, number] | null = null;
  for (let y = 2; y < height && knob === null; y += 2) {
    for (let x = 2; x < width && knob === null; x += 2) {
      at('pointermove', x, y);
      if (canvas().style.cursor === 'grab') knob = [x, y];
    }
  }
  if (knob === null) throw new Error('no knob is in sight');
  at('pointerdown', ...knob);
  at('pointermove', knob[0] + 14, knob[1] + 10);
  at('pointerup', knob[0] + 14, knob[1] + 10);
  expect(told).toHaveLength(1);
  const changed = [...(told[0]?.least ?? []), ...(told[0]?.most ?? [])].filter((value, i) => value !== [...workspace.least, ...workspace.most][i]);
  expect(changed).toHaveLength(1);
  expect(differing(drawn, await settled())).toBeGreaterThan(20);
  view.setLimits(null);
  expect(differing(plain, await settled())).toBeLessThan(200);
});

test('the ghost and the mark on a joint appear and go away', async () => {
  const view = open();
  const plain = await settled();
  view.setGhost(Array.from({ length: 20 }, (_, i) => home.map((angle, joint) => angle + (joint === 0 ? (i / 19) * 0.8 : 0))));
  const ghost = await settled();
  expect(differing(plain, ghost)).toBeGreaterThan(300);
  view.setGhost(null);
  expect(differing(plain, await settled())).toBe(0);
  view.highlightJoint(1);
  expect(differing(plain, await settled())).toBeGreaterThan(20);
  view.highlightJoint(null);
  expect(differing(plain, await settled())).toBe(0);
  view.setCameraHints('shown');
  expect(differing(plain, await settled())).toBeGreaterThan(5);
  view.setCameraHints('hidden');
  expect(differing(plain, await settled())).toBe(0);
});

test('another scene takes the place of the first', async () => {
  const view = open();
  const before = await settled();
  view.setScene(sceneFor({ task: 'any', seed: 4 }));
  expect(differing(before, await settled())).toBeGreaterThan(100);
});

test('keys turn the view and Home brings it back; Space and Escape pass through', async () => {
  open();
  const before = await settled();
  const press = (key: string): boolean => canvas().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  expect(press('ArrowLeft')).toBe(false);
  expect(press('+')).toBe(false);
  expect(differing(before, await settled())).toBeGreaterThan(300);
  expect(press('Home')).toBe(false);
  expect(differing(before, await settled())).toBe(0);
  for (const key of [' ', 'Escape', 'q']) expect(press(key)).toBe(true);
});

test('says that the context was lost and draws again when it is back', async () => {
  const states: string[] = [];
  open({ onContext: (state) => states.push(state) });
  const before = await settled();
  const extension = canvas().getContext('webgl2')?.getExtension('WEBGL_lose_context');
  extension?.loseContext();
  await expect.poll(() => states).toEqual(['lost']);
  extension?.restoreContext();
  await expect.poll(() => states).toEqual(['lost', 'restored']);
  expect(differing(before, await settled())).toBe(0);
});

test('follows its container and leaves nothing behind', async () => {
  const view = open();
  await settled();
  container.style.width = '320px';
  await expect.poll(() => canvas().width / canvas().height, { timeout: 5000 }).toBeCloseTo(320 / 180, 1);
  view.dispose();
  stage = null;
  expect(container.childElementCount).toBe(0);
});
