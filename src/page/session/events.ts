/** What happens, for those who want to be told: the console API, the stage, lessons. A typed list of listeners. */
import type { ControlMode, SafetyRule, TickReport } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';
import type { SceneInfo } from '#contracts/scene.ts';
import type { ConfirmedStop, PlayedChunk, PolicyState, RunState } from './stores.ts';

export interface SessionEvents {
  /** The control loop entered another mode. */
  readonly mode: { readonly mode: ControlMode; readonly previous: ControlMode };
  /** The control loop began to play a chunk. */
  readonly chunk: PlayedChunk;
  /** About ten a second: the control ticks since the last one. */
  readonly ticks: readonly TickReport[];
  /** About ten a second: the coming path of the current chunk, radians, after the gate's limits; null when none. */
  readonly path: readonly (readonly number[])[] | null;
  /** Where the drawn arm should stand though the world does not say so: a real arm, radians; null: as the world says. */
  readonly twin: readonly number[] | null;
  /** The same path with the rules that will bite on the way, one list a row; null when none. */
  readonly coming: Coming | null;
  /** A run was asked for, began, or ended. */
  readonly run: RunState;
  readonly policy: PolicyState;
  /** The world was set up anew, or its light changed. */
  readonly world: SceneInfo;
  /** Stop was acknowledged, the arm frozen, and its drift measured. */
  readonly stop: ConfirmedStop;
  readonly failure: Failure;
}

export interface Coming {
  readonly path: readonly (readonly number[])[];
  readonly rules: readonly (readonly SafetyRule[])[];
  /** `shadow`: it is shown and will not be sent. */
  readonly drive: 'arm' | 'shadow';
}

export type SessionEventName = keyof SessionEvents;

export interface EventHub {
  emit<Name extends SessionEventName>(name: Name, detail: SessionEvents[Name]): void;
  /** Returns how to stop listening. */
  on<Name extends SessionEventName>(name: Name, listener: (detail: SessionEvents[Name]) => void): () => void;
}

type Listeners = { [Name in SessionEventName]: Set<(detail: SessionEvents[Name]) => void> };

export function eventHub(): EventHub {
  const listeners: Listeners = {
    mode: new Set(),
    chunk: new Set(),
    ticks: new Set(),
    path: new Set(),
    twin: new Set(),
    coming: new Set(),
    run: new Set(),
    policy: new Set(),
    world: new Set(),
    stop: new Set(),
    failure: new Set(),
  };
  return {
    emit(name, detail) {
      for (const listener of listeners[name]) listener(detail);
    },
    on(name, listener) {
      listeners[name].add(listener);
      return () => listeners[name].delete(listener);
    },
  };
}
