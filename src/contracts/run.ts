/**
 * A run as one file: everything needed to have it again. The same file on the same machine gives the same actions.
 */
import type { EngineReport, ChunkRecord } from './inference.ts';
import type { RunControlReport } from './control.ts';
import type { Failure } from './failure.ts';
import type { ResetRequest } from './scene.ts';

export interface RunVersions {
  readonly app: string;
  readonly scene: string;
  readonly policy: string;
  readonly provider: string;
}

export interface RunFile {
  readonly format: 'vla-playground-run';
  readonly version: 1;
  readonly versions: RunVersions;
  readonly sentence: string;
  readonly seed: number;
  readonly reset: ResetRequest;
  readonly rateHz: number;
  readonly chunks: readonly ChunkRecord[];
}

export interface RunReport {
  readonly outcome: 'finished' | 'stopped' | 'failed';
  readonly failure: Failure | null;
  readonly sentence: string;
  readonly seconds: number;
  readonly control: RunControlReport;
  /** Null when there was no chunk. */
  readonly chunkLatency: { readonly count: number; readonly p50Ms: number; readonly p95Ms: number } | null;
  readonly engine: EngineReport;
  /** LeRobot joint units, as measured at the end. */
  readonly finalState: readonly number[] | null;
  readonly file: RunFile;
}

export interface ReplayReport {
  readonly identical: boolean;
  /** Over all actions of all chunks, joint units. */
  readonly maxAbsDifference: number;
  readonly chunks: number;
  readonly control: RunControlReport;
}
