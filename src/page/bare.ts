/**
 * The page without a page: `?only=episodes` opens the episode worker and nothing that draws for people, for the command
 * line tools that count and demonstrate (`tools/evaluate.ts`, `tools/demonstrations.ts`). They drive `window.episodes`
 * through the browser's debugging port, which carries text: arrays leave as base64.
 *
 * It is the shipped build, so that what is counted and recorded is what a visitor gets. Knows no plan and counts nothing.
 */
import type { EpisodeApi, EpisodeRequest, RecordingSettings, TracedChunk } from '#contracts/episode-api.ts';
import type { EpisodeCard } from '#contracts/episode.ts';
import type { EpisodeResult, Contestant } from '#contracts/evaluation.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { EngineChoice } from '#contracts/inference.ts';
import type { PolicySource } from '#contracts/policy.ts';
import { openBareHouse } from '#page/runtime/episodes.ts';

/** Little-endian bytes as base64. */
export type Base64 = string;

export interface BareEpisodes {
  /** Downloads and converts unless it is in the store; the stored name goes into a `Contestant`. */
  convert(source: PolicySource): Promise<Outcome<{ readonly storedName: string }>>;
  choose(contestant: Contestant, engine: EngineChoice): ReturnType<EpisodeApi['choose']>;
  /** The trace as float64: ticks x 6, radians; a chunk's actions as float32. */
  episode(request: EpisodeRequest): Promise<Outcome<EpisodeAsText>>;
  record(request: EpisodeRequest, settings: RecordingSettings): Promise<Outcome<RecordedAsText>>;
}

export interface EpisodeAsText {
  readonly result: EpisodeResult;
  readonly targets: Base64;
  readonly measured: Base64;
  readonly chunks: readonly (Omit<TracedChunk, 'actions'> & { readonly actions: Base64 })[];
}

export interface RecordedAsText {
  readonly result: EpisodeResult;
  readonly card: EpisodeCard;
  /** `state action wanted cubes grip shotTicks`, as the contract lays them out. */
  readonly arrays: Readonly<Record<string, Base64>>;
  readonly pictures: Readonly<Record<string, Base64>>;
}

declare global {
  interface Window {
    episodes?: BareEpisodes;
  }
}

export function openBare(baseUrl: string): BareEpisodes {
  const house = openBareHouse(baseUrl, () => undefined);
  return {
    convert: (source) => house.conversion.api.convert(source),
    choose: (contestant, engine) => house.episodes.api.choose(contestant, engine),
    async episode(request) {
      const done = await house.episodes.api.episode(request);
      if (!done.ok) return done;
      const { result, trace } = done.value;
      const chunks = trace.chunks.map(({ actions, ...chunk }) => ({ ...chunk, actions: asBase64(actions) }));
      return { ok: true, value: { result, targets: asBase64(trace.targets), measured: asBase64(trace.measured), chunks } };
    },
    async record(request, settings) {
      const done = await house.episodes.api.record(request, settings);
      if (!done.ok) return done;
      const { result, recorded } = done.value;
      const { card, pictures, ...arrays } = recorded;
      return { ok: true, value: { result, card, arrays: asText(arrays), pictures: asText(pictures) } };
    },
  };
}

function asText(arrays: Readonly<Record<string, ArrayBufferView>>): Readonly<Record<string, Base64>> {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, asBase64(array)]));
}

/** In pieces: a call takes only so many arguments. */
function asBase64(array: ArrayBufferView): Base64 {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += 0x8000) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  return btoa(pieces.join(''));
}
