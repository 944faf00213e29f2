/** How a panel reaches the session, and reads one of its stores. */
import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import type { StoreApi } from 'zustand/vanilla';
import type { ResetRequest } from '#contracts/scene.ts';
import type { Session } from '#page/session/session.ts';
import type { Stores } from '#page/session/stores.ts';
import type { OperatingSystem } from '#page/words/failures.ts';

export interface UiContext {
  readonly session: Session;
  readonly os: OperatingSystem;
  /** `?task=`, `?seed=`, `?arm=`: fill the boxes, start nothing. `reset` is what the table is laid for at first. */
  readonly first: { readonly task: string; readonly seed: number; readonly arm: 'virtual' | 'serial' | null; readonly reset: ResetRequest };
}

export const UiContextHolder = createContext<UiContext | null>(null);

export function useUi(): UiContext {
  const ui = useContext(UiContextHolder);
  if (ui === null) throw new Error('a panel outside the app');
  return ui;
}

export function useSession(): Session {
  return useUi().session;
}

type StateOf<Store> = Store extends StoreApi<infer State> ? State : never;

/** What a store holds, or a part of it. The part must be the same object while nothing changed. */
export function useNoun<Name extends keyof Stores>(name: Name): StateOf<Stores[Name]> {
  const store: StoreApi<unknown> = useSession().stores[name];
  return useStore(store) as StateOf<Stores[Name]>;
}
