/** What a benchmark or a comparison asks of a policy: the made-up observation of `core/observation/sample.ts`, read and tokenised by the policy's own rules. */
import type { OpenPack } from '#contracts/pack.ts';
import { SAMPLE_SEED, sampleNoise, sampleObservation } from '#core/observation/sample.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import type { ChunkRequest, Policy } from '#core/policy/policy.ts';

export async function sampleRequest(pack: OpenPack, { info, text, noiseColumns }: Policy): Promise<ChunkRequest> {
  const { pictures, state, sentence } = sampleObservation(info, SAMPLE_SEED);
  const { ids, mask } = (await openTokenizer(pack.manifest.tokenizer))(sentence, text);
  return {
    pictures: new Map(Object.entries(pictures).map(([camera, { picture }]) => [camera, picture])),
    state: Float32Array.from(state),
    tokens: ids,
    tokenMask: mask,
    noise: sampleNoise(info, noiseColumns),
  };
}
