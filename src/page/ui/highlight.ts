/** Which joint a person is pointing at in the panel, for its mark in the 3-D view. Index in JOINT_NAMES, or null. */
import { createStore } from 'zustand/vanilla';

export const highlighted = createStore<number | null>()(() => null);
