/** One episode as the page's own verbs would set it up: for stories that hold the episode worker against the chain of workers. */
import type { EpisodeRequest } from '#contracts/episode-api.ts';
import type { ResetRequest } from '#contracts/scene.ts';
import { drawEpisode } from '#core/world/tasks/draw.ts';

/** What the world is reset to, and the sentence, for an episode in surroundings as shipped. */
export function episodeOnThePage(request: EpisodeRequest): { readonly reset: ResetRequest; readonly sentence: string } {
  const { reset, sentence } = drawEpisode(request.task, request.seed, request);
  return { reset, sentence };
}
