/** The world worker as its callers see it: physics, and the simulated cameras. */
import type { Failure, Outcome } from './failure.ts';
import type { CameraPicture } from './picture.ts';
import type { ResetRequest, SceneInfo } from './scene.ts';

export type Pace = 'real-time' | 'paused';

export interface WorldStatus {
  readonly pace: Pace;
  readonly simSeconds: number;
  /** Simulated seconds per wall second over the last second; null before the first second. */
  readonly realTimeFactor: number | null;
  /** Median over the last pictures, by camera. */
  readonly cameraMs: Readonly<Record<string, number>>;
  readonly failure: Failure | null;
}

export interface WorldApi {
  reset(request: ResetRequest): Promise<Outcome<SceneInfo>>;
  setPace(pace: Pace): Promise<Outcome<null>>;
  /** Lockstep: exactly `steps` physics steps, only while paused. Returns the joint positions after them, radians. */
  step(steps: number): Promise<Outcome<{ readonly positions: readonly number[]; readonly simSeconds: number }>>;
  setLightLevel(level: number): Promise<Outcome<SceneInfo>>;
  status(): Promise<Outcome<WorldStatus>>;
}

/** One request on a camera port: several pictures of the same instant. */
export interface PictureRequest {
  readonly id: number;
  readonly cameras: readonly { readonly key: string; readonly width: number; readonly height: number }[];
  /** `changed`: nothing is drawn where these cameras would show what this port was sent last. A policy always asks for a picture. */
  readonly want: 'always' | 'changed';
}
export type PictureReply =
  /** At this instant the cameras show what was sent last. */
  | { readonly id: number; readonly kind: 'same'; readonly capturedAtMs: number }
  | { readonly id: number; readonly kind: 'pictures'; readonly pictures: readonly CameraPicture[] }
  | { readonly id: number; readonly kind: 'failed'; readonly failure: Failure };
