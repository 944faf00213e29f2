/** The pocket checkpoint comes out the same everywhere, fits the page, and its tokenizer knows every sentence of the grammar. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '#core/conversion/sha256.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { allGoals, wordings } from '#core/world/tasks/grammar.ts';
import { pocketFiles } from './make-pocket.ts';
import { inspectCheckpoint } from './policy/inspect.ts';
import { POCKET } from './pocket/shape.ts';

const FOLDER = join(dirname(), '..', 'public', 'policies', 'pocket');

function dirname(): string {
  return fileURLToPath(new URL('.', import.meta.url));
}

let files: ReadonlyMap<string, Uint8Array>;
beforeAll(() => {
  files = pocketFiles();
});

describe('the untrained pocket checkpoint', () => {
  it('has these very bytes on every machine', () => {
    expect(sha256Hex(files.get('model.safetensors') ?? new Uint8Array())).toBe('44d4889ecfb299f886ba9b9eeb9bcbc3b7e30d74035ed92508d7cdc72cb22f9d');
    expect(sha256Hex(files.get('tokenizer/tokenizer.json') ?? new Uint8Array())).toBe('50f151d75388498e4acb8bbf05eff9ad8387800a2fda805501a1734856662985');
    expect(files.get('model.safetensors')?.length).toBeLessThan(11e6);
  });

  it('is the checkpoint in public/, but for what training replaces', () => {
    const replaced = ['model.safetensors', 'card.json', 'policy_preprocessor_step_5_normalizer_processor.safetensors', 'policy_postprocessor_step_0_unnormalizer_processor.safetensors'];
    const same = [...files.keys()].filter((file) => !replaced.includes(file));
    expect(same.length).toBe(8);
    for (const file of same) expect(Buffer.compare(readFileSync(join(FOLDER, file)), files.get(file) ?? new Uint8Array()), file).toBe(0);
    const card: unknown = JSON.parse(readFileSync(join(FOLDER, 'card.json'), 'utf8'));
    // Says which weights it speaks of, and does not claim training that was not done.
    expect(card).toMatchObject({ weights_sha256: sha256Hex(readFileSync(join(FOLDER, 'model.safetensors'))) });
    const untrained = Buffer.compare(readFileSync(join(FOLDER, 'model.safetensors')), files.get('model.safetensors') ?? new Uint8Array()) === 0;
    if (untrained) expect(card).toMatchObject({ training: { kind: 'untrained' } });
  });

  it('is accepted by the same door as every checkpoint', async () => {
    const lines = (await inspectCheckpoint(FOLDER)).join('\n');
    expect(lines).toContain('camera        observation.images.front, 96 x 96');
    expect(lines).toContain('camera        observation.images.wrist, 96 x 96');
    expect(lines).toContain('statistics    complete');
    expect(lines).toContain('tokenizer     in the folder');
  });

  it('has a tokenizer that spends about a token a word and gives ids to any text', async () => {
    const text = (file: string): string => new TextDecoder().decode(files.get(file));
    const tokenize = await openTokenizer({ json: text('tokenizer/tokenizer.json'), config: text('tokenizer/tokenizer_config.json') });
    const rules = { ending: '\n', maxTokens: 1000, padding: 'longest', truncation: 'off' } as const;
    const sentences = new Set<string>();
    const seen = new Set<string>();
    for (const goal of allGoals()) {
      for (const split of ['train', 'held-out'] as const) {
        for (const sentence of wordings(goal, split)) {
          const { ids } = tokenize(sentence, rules);
          expect(ids.length, sentence).toBeLessThanOrEqual(sentence.split(' ').length + 1);
          expect(ids.length, sentence).toBeLessThanOrEqual(POCKET.maxTokens);
          sentences.add(sentence);
          seen.add(ids.join());
        }
      }
    }
    expect(sentences.size).toBeGreaterThan(150);
    expect(seen.size).toBe(sentences.size);
    for (const odd of ['Überraschung!', '把红色方块拿起来', '🙂 42', '\u0000']) {
      const { ids } = tokenize(odd, rules);
      expect(ids.length).toBeGreaterThan(0);
      expect(Math.max(...ids)).toBeLessThan(POCKET.vocabulary);
    }
  });
});
