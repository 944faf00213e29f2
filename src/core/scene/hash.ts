/**
 * The name of a scene: sha-256 over what is simulated and how it is drawn. Stored with every run, episode and
 * checkpoint card; two scenes with one hash give a policy the same pictures.
 *
 * Numbers are rounded to nine decimals first (a nanometre), because sines may differ in their last digit between
 * machines, and a hash must not.
 */
import type { SceneDescription } from '#contracts/scene.ts';

export interface DrawingVersion {
  /** Counted up by whoever changes how the same description looks. */
  readonly drawingRevision: number;
  /** The renderer and its version, e.g. `three 187`. */
  readonly renderer: string;
}

/** Hex, 64 digits. Needs Web Crypto: Node, or a page served from https or localhost. */
export async function sceneHash(description: SceneDescription, drawing: DrawingVersion): Promise<string> {
  const bytes = new TextEncoder().encode(canonicalJson({ description, drawing }));
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** JSON with sorted keys, no spaces, numbers at nine decimals. Throws a TypeError on anything JSON cannot say. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`not a finite number: ${value}`);
    // The sum with zero turns -0 into 0.
    return String(Number(value.toFixed(9)) + 0);
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
  }
  throw new TypeError(`cannot be written as JSON: ${typeof value}`);
}
