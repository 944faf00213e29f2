/**
 * Any LeRobot checkpoint folder as a policy of the page, for counting its results before (or without) shipping it; and
 * the same weights with other denoising steps or fewer cameras, which are fields of its own `config.json`, or other noise,
 * which its `card.json` says. The browser reads it over HTTP like every checkpoint. Knows files; knows no page and no episode.
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export interface CheckpointChanges {
  /** Denoising steps instead of the checkpoint's own. */
  readonly steps: number | null;
  /** The cameras it looks through, by the last part of their keys (`front`); all of them when null. */
  readonly cameras: readonly string[] | null;
  /** Instead of what its card says. */
  readonly noiseScale: number | null;
}

export interface CheckpointUnderTest {
  /** Where the page finds it, relative to its own address: `policies/under-test/NAME`. */
  readonly name: string;
  /** Of weights and configuration, so that two checkpoints' episodes are never counted together. */
  readonly sha256: string;
  /** For the server: a file's bytes, null where the folder has no such file, undefined where it is not its business. */
  readonly replace: (path: string) => Uint8Array | null | undefined;
}

/** Throws where the folder holds no `config.json`, or no such camera. */
export function checkpointUnderTest(folder: string, changes: CheckpointChanges): CheckpointUnderTest {
  const at = resolve(folder);
  const config = changedConfig(readFileSync(join(at, 'config.json'), 'utf8'), changes);
  const card = changedCard(statSync(join(at, 'card.json'), { throwIfNoEntry: false })?.isFile() === true ? readFileSync(join(at, 'card.json'), 'utf8') : '{}', changes);
  const hash = createHash('sha256').update(config).update(card).update(readFileSync(join(at, 'model.safetensors')));
  const name = `policies/under-test/${basename(at)}`;
  const cached = new Map<string, Uint8Array | null>([
    ['config.json', new TextEncoder().encode(config)],
    ['card.json', new TextEncoder().encode(card)],
  ]);
  return {
    name,
    sha256: hash.digest('hex'),
    replace(path) {
      if (!path.startsWith(`${name}/`)) return undefined;
      const file = path.slice(name.length + 1);
      const known = cached.get(file);
      if (known !== undefined) return known;
      const bytes = statSync(join(at, file), { throwIfNoEntry: false })?.isFile() === true ? readFileSync(join(at, file)) : null;
      cached.set(file, bytes);
      return bytes;
    },
  };
}

/** The checkpoint's own text where nothing is changed. */
export function changedConfig(text: string, { steps, cameras }: Pick<CheckpointChanges, 'steps' | 'cameras'>): string {
  if (steps === null && cameras === null) return text;
  const config = JSON.parse(text) as { num_steps?: number; input_features: Record<string, { readonly type: string }> };
  if (steps !== null) config.num_steps = steps;
  if (cameras !== null) {
    const shortOf = (key: string): string => key.split('.').at(-1) ?? key;
    const present = Object.entries(config.input_features).flatMap(([key, feature]) => (feature.type === 'VISUAL' ? [shortOf(key)] : []));
    for (const camera of cameras) if (!present.includes(camera)) throw new Error(`--cameras: expected some of ${present.join(', ')}, found "${camera}"`);
    config.input_features = Object.fromEntries(Object.entries(config.input_features).filter(([key, feature]) => feature.type !== 'VISUAL' || cameras.includes(shortOf(key))));
  }
  return JSON.stringify(config);
}

function changedCard(text: string, { noiseScale }: CheckpointChanges): string {
  if (noiseScale === null) return text;
  return JSON.stringify({ ...(JSON.parse(text) as object), sampling: { noise_scale: noiseScale } });
}
