/**
 * Untrusted JSON is checked once, here, on its way in. Knows schemas and failure codes; knows no checkpoint.
 */
import * as v from 'valibot';
import type { Fact } from '#contracts/failure.ts';
import { FailureError } from '#core/lib/failure.ts';

/** The value as the schema shapes it, or `checkpoint/config` naming the file, the field, what was wanted and what was there. */
export function parseConfig<Schema extends v.GenericSchema>(schema: Schema, file: string, value: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = issue.path === undefined ? '' : issue.path.map((item) => String(item.key)).join('.');
  throw new FailureError('checkpoint/config', { field: `${file}: ${field}`, expected: expectation(issue), found: briefly(issue.input) });
}

/** A whole number between bounds. Every count in a config has a cap, so that a bad file cannot ask for all the memory. */
export function count(least: number, most: number) {
  return v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
}

function expectation(issue: v.BaseIssue<unknown>): string {
  return issue.expected === null ? issue.message : issue.expected;
}

function briefly(found: unknown): Fact {
  if (found === undefined) return 'nothing';
  if (found === null || typeof found === 'number' || typeof found === 'boolean') return found;
  const text = typeof found === 'string' ? found : JSON.stringify(found);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
