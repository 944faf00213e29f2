/**
 * The sentence as token ids, as LeRobot makes them: an ending is appended where it is missing (SmolVLA: a newline), the
 * checkpoint's own tokenizer splits it, a long sentence is cut on the side the tokenizer's config says, and padding goes
 * on the right. Nothing is lower-cased or stripped. The only file that names `@huggingface/tokenizers`.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import type { PackManifest } from '#contracts/pack.ts';
import { FailureError } from '#core/lib/failure.ts';

export interface Tokens {
  readonly ids: Int32Array;
  /** 1 = a token, 0 = padding; as long as `ids`. */
  readonly mask: Uint8Array;
}

/** What a policy asks of its text. */
export interface TextRules {
  /** Appended where the sentence does not end with it. */
  readonly ending: string;
  readonly maxTokens: number;
  readonly padding: 'longest' | 'max_length';
  /** `off`: a longer sentence keeps all its tokens, and the policy decides. */
  readonly truncation: 'on' | 'off';
}

export type Tokenize = (sentence: string, rules: TextRules) => Tokens;

/**
 * The tokenizer a pack carries, ready for any number of sentences. Rejects with `policy/tokenizer-missing` where it
 * carries none and `checkpoint/file-corrupt` where it cannot be used.
 */
export async function openTokenizer(files: PackManifest['tokenizer']): Promise<Tokenize> {
  if (files === null) throw new FailureError('policy/tokenizer-missing');
  const config = parseObject('tokenizer_config.json', files.config ?? '{}');
  const tokenizer = build(parseObject('tokenizer.json', files.json), config);
  const cutSide = config.truncation_side === 'left' ? 'left' : 'right';
  // Padding is masked out of everything, so a tokenizer without a padding token pads with id 0.
  const padId = tokenizer.token_to_id(tokenText(config.pad_token) ?? '') ?? 0;
  return (sentence, rules) => {
    const text = sentence.endsWith(rules.ending) ? sentence : sentence + rules.ending;
    const all = tokenizer.encode(text).ids;
    const kept = rules.truncation === 'on' && all.length > rules.maxTokens ? cut(all, rules.maxTokens, cutSide) : all;
    const length = rules.padding === 'max_length' ? Math.max(rules.maxTokens, kept.length) : kept.length;
    const ids = new Int32Array(length).fill(padId);
    ids.set(kept);
    return { ids, mask: new Uint8Array(length).fill(1, 0, kept.length) };
  };
}

function cut(ids: readonly number[], most: number, side: 'left' | 'right'): readonly number[] {
  return side === 'left' ? ids.slice(ids.length - most) : ids.slice(0, most);
}

function build(json: Record<string, unknown>, config: Record<string, unknown>): Tokenizer {
  try {
    const tokenizer = new Tokenizer(json, config);
    tokenizer.encode('a');
    return tokenizer;
  } catch (thrown) {
    throw new FailureError('checkpoint/file-corrupt', { file: 'tokenizer.json', reason: String(thrown).slice(0, 200) });
  }
}

/** Tokens appear in configs as text or as `{ "content": text, ... }`. */
function tokenText(token: unknown): string | null {
  if (typeof token === 'string') return token;
  if (typeof token === 'object' && token !== null && 'content' in token && typeof token.content === 'string') return token.content;
  return null;
}

function parseObject(file: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FailureError('checkpoint/file-corrupt', { file, reason: 'not JSON' });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FailureError('checkpoint/file-corrupt', { file, reason: 'not a JSON object' });
  return value as Record<string, unknown>;
}
