/** Throwing and catching failures by code. Knows no words and no particular failure. */
import type { Fact, Failure, FailureCode, Outcome } from '#contracts/failure.ts';

/** The only error our own code throws on purpose. Turn it into plain data (`outcome`) before it crosses a worker wall. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(code: FailureCode, facts: Readonly<Record<string, Fact>> = {}) {
    super(`${code} ${JSON.stringify(facts)}`);
    this.name = 'FailureError';
    this.failure = { code, facts };
  }
}

/** Any thrown thing as a failure. Foreign errors become `internal`: a defect of ours, shown with its text. */
export function asFailure(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  return { code: 'internal', facts: { message: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown) } };
}

/** Runs `work` and returns its value or its failure as plain data. */
export async function outcome<T>(work: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (thrown) {
    return { ok: false, failure: asFailure(thrown) };
  }
}

/** The value, or throws the failure as a FailureError. */
export function unwrap<T>(result: Outcome<T>): T {
  if (result.ok) return result.value;
  throw new FailureError(result.failure.code, result.failure.facts);
}
