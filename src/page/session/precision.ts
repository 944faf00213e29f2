/**
 * Which weights a policy gets where nobody has said: what quality and this machine allow. Knows the engine that will most likely
 * run and the policy's size; whoever names a precision gets that one.
 */
import { type PolicySource, type Precision, PRECISIONS } from '#contracts/policy.ts';
import type { Provider } from '#contracts/engine.ts';

/** Below this a policy is as quick to fetch and hold in float32 on a graphics card, which costs no accuracy. */
const SMALL_PARAMETERS = 50e6;

/** On a CPU 8-bit products are the quickest form (products 2.6 times, a whole plan at least 1.5 times), and keep a cosine above 0.999: `evidence/wasm.md`. */
export function defaultPrecision(provider: Provider, parameterCount: number): Precision {
  if (provider !== 'webgpu') return 'int8';
  return parameterCount < SMALL_PARAMETERS ? 'f32' : 'q4';
}

/** The precision that was asked for, apart or at the end of the name (`policies/pocket:q8`); null where none was, and for what is stored. */
export function askedPrecision(source: PolicySource): Precision | null {
  if (source.kind === 'stored') return null;
  return source.precision ?? PRECISIONS.find((one) => source.name.endsWith(`:${one}`)) ?? null;
}

/** Where the CPU will compute, weights made for it; where nothing is said and a GPU is there, what the conversion takes. */
export async function withWeights<Source extends PolicySource>(source: Source, likely: () => Promise<Provider>): Promise<Source> {
  if (source.kind === 'stored' || askedPrecision(source) !== null) return source;
  const provider = await likely();
  return provider === 'wasm' ? { ...source, precision: defaultPrecision(provider, 0) } : source;
}

export function withPrecision(source: PolicySource, precision: Precision): PolicySource {
  return source.kind === 'stored' ? source : { ...source, precision };
}
