/** What is said about cameras: choosing one, what it gives, what the policy was trained on. */
import { MISSING } from './numbers.ts';

export const CAMERAS = {
  real: 'real',
  simulated: 'Simulated',
  none: 'Choose a camera',
  useReal: 'Use a real camera …',
  choose: (label: string): string => `${label}: which device`,
  controls: 'Exposure and focus',
  opening: 'Starting the camera',
  noPicture: 'no picture',
  empty: 'The policy asks for this camera. Choose a device.',
  gone: (device: string): string => `${device} was unplugged. It is taken back when it returns.`,
  stale: (ageMs: number): string => `Not live: the last picture is ${(ageMs / 1000).toFixed(1)} s old`,
} as const;

export const CAMERA_CONTROL_WORDS = {
  exposureMode: 'Exposure',
  exposureTime: 'Exposure time',
  focusMode: 'Focus',
  focusDistance: 'Focus distance',
} as const;

/** `640 × 480 · 30/s · 0.0 s old`; all numbers as wide as the last. */
export function liveCaption(width: number, height: number, rateHz: number | null, ageMs: number | null): string {
  const rate = rateHz === null ? MISSING : rateHz.toFixed(0);
  return `${width} × ${height} · ${rate}/s · ${ageMs === null ? MISSING : (ageMs / 1000).toFixed(1)} s old`;
}

/** What the checkpoint declares beside what comes, and whether the shape fits. */
export function trainedCaption(trained: { readonly width: number; readonly height: number }, live: { readonly width: number; readonly height: number }): string {
  const same = Math.abs(trained.width / trained.height - live.width / live.height) < 0.01;
  return `trained on ${trained.width} × ${trained.height}${same ? '' : ', another shape'}`;
}

export function controlValue(value: string): string {
  return value === 'continuous' ? 'automatic' : value === 'none' ? 'off' : value;
}
