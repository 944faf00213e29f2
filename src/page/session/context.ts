/** What the verbs of the session share. Built once by `session.ts`. */
import type { Failure } from '#contracts/failure.ts';
import type { EngineChoice } from '#contracts/inference.ts';
import type { Clock } from '#contracts/time.ts';
import type { House } from '#page/runtime/house.ts';
import type { ArmSnapshot } from './arm-reader.ts';
import type { EventHub } from './events.ts';
import type { FailureLog } from './failure-log.ts';
import type { Stores } from './stores.ts';

export interface SessionContext {
  readonly house: House;
  readonly clock: Clock;
  readonly stores: Stores;
  readonly events: EventHub;
  readonly failures: FailureLog;
  readonly appVersion: string;
  readonly engineChoice: EngineChoice;
  /** `?ladder=`. */
  readonly ladder: 'on' | 'off';
  /** Null before control's first tick. */
  readonly readArm: () => ArmSnapshot | null;
  /** Shows a failure to the person and tells the listeners. */
  readonly report: (failure: Failure) => void;
}
