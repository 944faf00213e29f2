/** Against ids and masks that Hugging Face's own tokenizers made (`testing/tokenizer`). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openTokenizer, type TextRules } from './tokenize.ts';

interface Case {
  readonly task: string;
  readonly max_length: number;
  readonly padding: TextRules['padding'];
  readonly ids: readonly number[];
  readonly mask: readonly number[];
}

const read = (file: string): string => readFileSync(new URL(`testing/tokenizer/${file}`, import.meta.url), 'utf8');
const { cases } = JSON.parse(read('cases.json')) as { readonly cases: readonly Case[] };
const files = { json: read('tokenizer.json'), config: read('tokenizer_config.json') };

describe('tokens as LeRobot makes them', () => {
  it('every golden case, padded, longest and truncated', async () => {
    const tokenize = await openTokenizer(files);
    for (const { task, max_length: maxTokens, padding, ids, mask } of cases) {
      const tokens = tokenize(task, { ending: '\n', maxTokens, padding, truncation: 'on' });
      expect({ task, maxTokens, padding, ids: [...tokens.ids], mask: [...tokens.mask] }).toEqual({ task, maxTokens, padding, ids, mask });
    }
    expect(cases.length).toBeGreaterThan(40);
    expect(cases.some(({ mask, max_length }) => mask.length === max_length && !mask.includes(0))).toBe(true);
  });

  it('does not append a second ending, and keeps all tokens where truncation is off', async () => {
    const tokenize = await openTokenizer(files);
    const rules = { ending: '\n', maxTokens: 3, padding: 'max_length', truncation: 'off' } as const;
    expect(tokenize('pick up the red cube\n', rules)).toEqual(tokenize('pick up the red cube', rules));
    expect(tokenize('pick up the red cube', rules).ids.length).toBe(6);
    expect([...tokenize('pick up the red cube', { ...rules, truncation: 'on' }).ids]).toEqual([284, 265, 201]);
  });

  it('cuts on the right where the tokenizer says so or says nothing', async () => {
    const tokenize = await openTokenizer({ ...files, config: '{"pad_token":{"content":"<|im_end|>"}}' });
    const rules = { ending: '\n', maxTokens: 3, padding: 'max_length', truncation: 'on' } as const;
    expect([...tokenize('pick up the red cube', rules).ids]).toEqual([314, 326, 261]);
    expect([...tokenize('wave', { ...rules, maxTokens: 40 }).ids].at(-1)).toBe(2);
  });

  it('says when there is no tokenizer, and when it cannot be used', async () => {
    await expect(openTokenizer(null)).rejects.toMatchObject({ failure: { code: 'policy/tokenizer-missing' } });
    for (const json of ['{', '[]', '{}', '{"model":{"type":"Nothing"}}']) {
      await expect(openTokenizer({ json, config: null })).rejects.toMatchObject({ failure: { code: 'checkpoint/file-corrupt', facts: { file: 'tokenizer.json' } } });
    }
  });
});
