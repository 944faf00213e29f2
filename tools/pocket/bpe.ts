/**
 * A byte-level BPE tokenizer, learned from sentences and written in the form of SmolVLM2's own `tokenizer.json` (GPT-2
 * splitting, digits one by one, 256 byte tokens so that any text has ids). Knows text; knows no policy.
 */
const SPECIAL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'] as const;

export interface Tokenizer {
  /** `tokenizer.json` as text. */
  readonly json: string;
  /** `tokenizer_config.json` as text. */
  readonly config: string;
  readonly tokens: number;
}

/**
 * At most `vocabulary` tokens. The most frequent pair is merged first; ties go to the pair that comes first in text
 * order, so that the same sentences give the same file everywhere.
 */
export function learnTokenizer(sentences: readonly string[], vocabulary: number): Tokenizer {
  const words = countWords(sentences);
  const bytes = byteCharacters();
  const tokens: string[] = [...SPECIAL_TOKENS, ...bytes.toSorted((a, b) => (a < b ? -1 : 1))];
  const merges: (readonly [string, string])[] = [];
  while (tokens.length < vocabulary) {
    const best = mostFrequentPair(words);
    if (best === null) break;
    merges.push(best);
    tokens.push(best[0] + best[1]);
    for (const word of words) word.parts = mergePair(word.parts, best);
  }
  return { json: `${JSON.stringify(describe(tokens, merges), null, 1)}\n`, config: `${JSON.stringify(CONFIG, null, 1)}\n`, tokens: tokens.length };
}

interface Word {
  parts: string[];
  readonly count: number;
}

/** GPT-2's splitting, with digits on their own as SmolVLM2's pre-tokenizer has them. */
const SPLIT = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

function countWords(sentences: readonly string[]): Word[] {
  const byte = byteCharacters();
  const counts = new Map<string, number>();
  for (const sentence of sentences) {
    for (const [piece] of sentence.matchAll(SPLIT)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return [...counts].map(([piece, count]) => ({ parts: [...new TextEncoder().encode(piece)].map((value) => byte[value]), count }));
}

function mostFrequentPair(words: readonly Word[]): readonly [string, string] | null {
  const counts = new Map<string, { readonly pair: readonly [string, string]; count: number }>();
  for (const { parts, count } of words) {
    for (let i = 0; i + 1 < parts.length; i++) {
      const key = `${parts[i]} ${parts[i + 1]}`;
      const entry = counts.get(key);
      if (entry === undefined) counts.set(key, { pair: [parts[i], parts[i + 1]], count });
      else entry.count += count;
    }
  }
  const [best] = [...counts].sort(([keyA, a], [keyB, b]) => b.count - a.count || (keyA < keyB ? -1 : 1));
  return best === undefined ? null : best[1].pair;
}

function mergePair(parts: readonly string[], [left, right]: readonly [string, string]): string[] {
  const out: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] === left && parts[i + 1] === right) {
      out.push(left + right);
      i++;
    } else {
      out.push(parts[i]);
    }
  }
  return out;
}

/** GPT-2's printable stand-in for each of the 256 bytes. */
function byteCharacters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCodePoint(printable ? byte : next++);
  });
}

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true } as const;

function describe(tokens: readonly string[], merges: readonly (readonly [string, string])[]): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, BYTE_LEVEL] },
    post_processor: null,
    decoder: { ...BYTE_LEVEL, add_prefix_space: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

const CONFIG = {
  tokenizer_class: 'GPT2Tokenizer',
  pad_token: '<|im_end|>',
  bos_token: '<|im_start|>',
  eos_token: '<|im_end|>',
  unk_token: '<|endoftext|>',
  model_max_length: 8192,
  truncation_side: 'left',
  add_prefix_space: false,
} as const;
