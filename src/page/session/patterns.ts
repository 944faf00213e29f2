/**
 * Is this a sentence the policy was taught? A card may list the patterns of its demonstrations, with alternatives in
 * braces: `touch the {red|green|blue|yellow} cube`. Knows text only; what a policy does with other sentences is tried,
 * never guessed.
 */
import type { PolicyInfo } from '#contracts/policy.ts';

/** `unknown` where the card lists no patterns, or the policy was not trained: then nobody can say. */
export function taught(policy: Pick<PolicyInfo, 'patterns' | 'training'>, sentence: string): 'yes' | 'no' | 'unknown' {
  if (policy.patterns === undefined || policy.patterns.length === 0 || policy.training.kind !== 'trained') return 'unknown';
  const words = tidy(sentence);
  return policy.patterns.some((pattern) => fits(tidy(pattern), words)) ? 'yes' : 'no';
}

/** Case, spaces and a final full stop make no difference, as in the demonstrations' grammar. */
function tidy(text: string): string {
  return text.trim().toLowerCase().replace(/\s+/g, ' ').replace(/[.!]+$/, '');
}

/** By hand and not by a regular expression: a card is untrusted, and its text must not become a program. */
function fits(pattern: string, text: string): boolean {
  const open = pattern.indexOf('{');
  const close = pattern.indexOf('}', open);
  if (open < 0 || close < 0) return pattern === text;
  const before = pattern.slice(0, open);
  if (!text.startsWith(before)) return false;
  const rest = text.slice(open);
  return pattern.slice(open + 1, close).split('|').some((choice) => rest.startsWith(choice) && fits(pattern.slice(close + 1), rest.slice(choice.length)));
}
