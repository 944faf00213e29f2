/** Policies as their callers see them, whatever the family. */
import type { ChunkTimings } from './chunk.ts';
import type { Provider } from './engine.ts';

/** Where a checkpoint comes from. */
export type PolicySource =
  /** A folder on the page's own host, e.g. `policies/pocket`. */
  | { readonly kind: 'shipped'; readonly name: string }
  | { readonly kind: 'stored'; readonly name: string };

/** How weights and activations are kept. More are added by the checkpoint issue. */
export type Precision = 'f32';

export interface CameraSlot {
  /** As the policy names it after its rename map. */
  readonly key: string;
  /** As the robot names it. */
  readonly robotKey: string;
  /** Size of the picture the checkpoint declares; the policy letterboxes to its own size. */
  readonly width: number;
  readonly height: number;
}

export interface PolicyInfo {
  readonly name: string;
  readonly family: 'smolvla';
  readonly precision: Precision;
  readonly parameterCount: number;
  readonly cameras: readonly CameraSlot[];
  readonly stateSize: number;
  readonly actionSize: number;
  readonly chunkRows: number;
  readonly denoisingSteps: number;
  readonly fps: number;
  /**
   * Features without usable statistics (`observation.state`, `action`): their values pass unscaled, as in LeRobot, so
   * actions may not be joint values. Empty for a sound checkpoint; otherwise the page says so.
   */
  readonly missingStatistics: readonly string[];
  /** What the card says of its training; an untrained policy says so on every screen. */
  readonly training: { readonly kind: 'untrained' } | { readonly kind: 'trained'; readonly summary: string } | { readonly kind: 'unknown' };
  /** Sentences the card says it is good at. */
  readonly sentences: readonly string[];
}

export interface PredictedChunk {
  /** chunkRows x actionSize, LeRobot joint units. */
  readonly actions: Float32Array;
  /** chunkRows x max_action_dim, normalised, after the last Euler step. */
  readonly x0: Float32Array;
  readonly timings: ChunkTimings;
  readonly provider: Provider;
}
