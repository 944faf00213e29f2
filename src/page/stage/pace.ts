/**
 * When to draw and how finely. A GPU draws whenever something changed, at the screen's own pace. A software renderer
 * shares two or four cores with the control loop and the physics, so it is given at most two fifths of the time, a
 * coarser picture while things move, and one crisp picture, finer than the screen in place of the multisampling it goes
 * without, when they stand still. Knows times; touches no canvas.
 */

export interface StageStatistics {
  readonly renderer: 'gpu' | 'software';
  readonly framesDrawn: number;
  /** Time spent drawing a frame (with a software renderer: until the pixels are there), median and 95 of 100. */
  readonly drawMs: { readonly p50: number; readonly p95: number } | null;
  /** Drawing buffer pixels a CSS pixel, now. */
  readonly pixelRatio: number;
  /** The last frame was as fine as this renderer draws. */
  readonly crisp: boolean;
}

export interface Pace {
  /** Whether a frame may be drawn now, given that something changed (`moving`) or only sharpness is missing (`still`). */
  mayDraw(nowMs: number, reason: 'moving' | 'still'): boolean;
  /** Drawing buffer pixels a CSS pixel for the frame to come. */
  pixelRatio(reason: 'moving' | 'still'): number;
  /** True when the last frame was drawn coarser than it could be. */
  wantsCrisp(): boolean;
  drawn(startedMs: number, tookMs: number, reason: 'moving' | 'still'): void;
  statistics(): StageStatistics;
}

/** A GPU never draws more than this many pixels a CSS pixel: beyond 2 nobody sees it. */
const MOST_PIXEL_RATIO = 2;
/** A still picture from a software renderer: 2.25 pixels for each that is shown. */
const SOFTWARE_STILL_RATIO = 1.5;
const SOFTWARE_RATIOS = [0.4, 0.55, 0.75, 1] as const;
/** Share of the time a software renderer may take. */
const SOFTWARE_SHARE = 0.4;
/** However slow a frame was (the first one compiles shaders), the next comes after this at most. */
const LONGEST_WAIT_MS = 300;
const SLOW_MS = 55;
const QUICK_MS = 22;
/** Nothing has moved for this long: time for a crisp picture. */
const STILL_MS = 350;
const TIMES_KEPT = 120;

export function createPace(renderer: 'gpu' | 'software', devicePixelRatio: () => number): Pace {
  const times: number[] = [];
  let framesDrawn = 0;
  let level = SOFTWARE_RATIOS.length - 2;
  let nextMs = 0;
  let lastMovedMs = Number.NEGATIVE_INFINITY;
  let crisp = false;
  let ratioNow = 1;
  const full = (): number => (renderer === 'gpu' ? Math.min(MOST_PIXEL_RATIO, devicePixelRatio()) : SOFTWARE_STILL_RATIO);
  const pixelRatio = (reason: 'moving' | 'still'): number => (renderer === 'gpu' || reason === 'still' ? full() : (SOFTWARE_RATIOS[level] ?? 1));

  return {
    mayDraw(nowMs, reason) {
      if (renderer === 'gpu') return true;
      return nowMs >= nextMs && (reason === 'moving' || nowMs - lastMovedMs >= STILL_MS);
    },
    pixelRatio,
    wantsCrisp: () => !crisp,
    drawn(startedMs, tookMs, reason) {
      framesDrawn += 1;
      times.push(tookMs);
      if (times.length > TIMES_KEPT) times.shift();
      ratioNow = pixelRatio(reason);
      crisp = ratioNow >= full();
      if (reason === 'moving') lastMovedMs = startedMs;
      if (renderer === 'gpu') return;
      nextMs = startedMs + tookMs + Math.min(LONGEST_WAIT_MS, tookMs / SOFTWARE_SHARE - tookMs);
      if (reason !== 'moving') return;
      if (tookMs > SLOW_MS) level = Math.max(0, level - 1);
      else if (tookMs < QUICK_MS) level = Math.min(SOFTWARE_RATIOS.length - 1, level + 1);
    },
    statistics() {
      const sorted = [...times].sort((a, b) => a - b);
      const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      return { renderer, framesDrawn, drawMs: sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95) }, pixelRatio: ratioNow, crisp };
    },
  };
}

/** What a WebGL renderer calls itself when it computes on the processor. */
export function isSoftwareRenderer(name: string): boolean {
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}
