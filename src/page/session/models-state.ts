/** What the Models panel is about: a checkpoint that is looked at, and what is stored on this machine. */
import type { Failure } from '#contracts/failure.ts';
import type { CheckpointReport, StoredPolicy } from '#contracts/inference.ts';
import type { CameraWiring, ChunkDifference, PolicySource, Precision, UnitEra } from '#contracts/policy.ts';
import type { PreflightLine } from '#contracts/preflight.ts';

export type Candidate =
  | { readonly kind: 'none' }
  | { readonly kind: 'looking'; readonly source: PolicySource }
  | {
      readonly kind: 'looked';
      readonly source: PolicySource;
      readonly report: CheckpointReport;
      readonly precision: Precision;
      readonly wiring: CameraWiring;
      /** What the person said its joint values are; null before. */
      readonly units: UnitEra | null;
      readonly lines: readonly PreflightLine[];
    }
  | { readonly kind: 'failed'; readonly source: PolicySource; readonly failure: Failure };

/** The loaded policy against its float32 self. `storedName` says which policy it is about: another one's is not shown. */
export type Parity =
  | { readonly kind: 'none' }
  | { readonly kind: 'computing'; readonly storedName: string }
  | { readonly kind: 'compared'; readonly storedName: string; readonly difference: ChunkDifference }
  | { readonly kind: 'failed'; readonly storedName: string; readonly failure: Failure };

export interface ModelsState {
  readonly candidate: Candidate;
  /** Null before it was first asked. */
  readonly stored: readonly StoredPolicy[] | null;
  /** Whether the browser promised not to throw the store away when the disk fills; null before it was asked. */
  readonly keeps: 'promised' | 'not-promised' | null;
  readonly parity: Parity;
}

export const NO_MODELS: ModelsState = { candidate: { kind: 'none' }, stored: null, keeps: null, parity: { kind: 'none' } };
