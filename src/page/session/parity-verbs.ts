/**
 * How exact is the loaded policy? The same made-up observation through it and through its float32 self, one after the
 * other, and the difference joint by joint. Knows the order; both are loaded as any policy is, and the one that was there
 * comes back at the end, whatever happened.
 */
import type { ChunkDifference } from '#contracts/policy.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import { compareChunks } from '#core/evaluation/parity.ts';
import type { SessionContext } from './context.ts';
import type { PolicyVerbs } from './policy-verbs.ts';

/** A larger reference would fill the disk and the memory of a tab; the command line reads it part by part. */
export const REFERENCE_LIMIT_BYTES = 600e6;

export interface ParityVerbs {
  /**
   * Compares the loaded policy with its float32 weights; the result is in the store `models` too. Nothing moves.
   * Rejects with `policy/none-loaded`, `policy/no-reference` (it is float32, or came from this machine's store, which keeps
   * one precision), `policy/reference-too-large`, or what loading rejects with.
   */
  compareWithReference(): Promise<ChunkDifference>;
}

export function parityVerbs({ house, stores }: SessionContext, policies: PolicyVerbs): ParityVerbs {
  return {
    async compareWithReference() {
      const ready = stores.policy.getState();
      if (ready.kind !== 'ready') throw new FailureError('policy/none-loaded');
      const { source, fit, info, storedName } = ready;
      if (source.kind === 'stored' || info.precision === 'f32') throw new FailureError('policy/no-reference', { precision: info.precision });
      const reference = { ...source, precision: 'f32' } as const;
      const { packBytes } = unwrap(await house.conversion.api.inspect(reference));
      if (packBytes > REFERENCE_LIMIT_BYTES) throw new FailureError('policy/reference-too-large', { packBytes, limitBytes: REFERENCE_LIMIT_BYTES });
      stores.models.setState({ parity: { kind: 'computing', storedName } });
      try {
        const ours = unwrap(await house.inference.api.sample());
        await policies.load(reference, fit);
        const theirs = unwrap(await house.inference.api.sample());
        const difference = compareChunks(ours, theirs, info.actionSize);
        stores.models.setState({ parity: { kind: 'compared', storedName, difference } });
        return difference;
      } catch (thrown) {
        const failure = asFailure(thrown);
        stores.models.setState({ parity: { kind: 'failed', storedName, failure } });
        throw new FailureError(failure.code, failure.facts);
      } finally {
        await policies.load(source, fit);
      }
    },
  };
}
