/** Which drawing a scene's hash is bound to: our own revision of the looks, and the renderer's version. */
import { REVISION } from 'three';
import type { DrawingVersion } from './hash.ts';
import { DRAWING_REVISION } from './three/build.ts';

export const DRAWING_VERSION: DrawingVersion = { drawingRevision: DRAWING_REVISION, renderer: `three ${REVISION}` };
