/** Every finding of the preflight has its sentence, and every one that stops says what to do. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PreflightFinding, PreflightLine } from '#contracts/preflight.ts';
import { preflightWords } from './models.ts';

/** Findings and the facts their comment promises, from the contract itself. */
const FINDINGS = [...readFileSync(resolve(import.meta.dirname, '../../contracts/preflight.ts'), 'utf8').matchAll(/^ {2}\| '([a-z]+\/[a-z-]+)'(?: \/\/ facts: ([\w, ]+))?/gm)].map(([, finding, facts]) => ({
  finding: finding as PreflightFinding,
  facts: (facts ?? '').split(',').map((fact) => fact.trim()).filter((fact) => fact !== ''),
}));

/** Those that `core/preflight` gives at the level `stop`. */
const STOPS = /^(?:joints\/other|camera\/(?:unknown|shared|none)|statistics\/missing|values\/far|units\/(?:unclear|old-degrees|normalised)|tokenizer\/missing|disk\/full|stage\/base)$/;

describe('words for the checks', () => {
  it('finds them all', () => expect(FINDINGS.length).toBeGreaterThan(30));

  it.each(FINDINGS)('$finding', ({ finding, facts }) => {
    const values = Object.fromEntries(facts.map((fact) => [fact, /Bytes$|^(?:count|fps|parameters|column|value|width|height|arm)$/.test(fact) ? 7 : `<${fact}>`]));
    for (const given of [values, {}]) {
      const { said, fix } = preflightWords({ check: 'camera', level: 'ok', finding, facts: given } as PreflightLine);
      expect(said.length).toBeGreaterThan(10);
      if (given === values) expect(`${said} ${fix ?? ''}`).not.toMatch(/undefined|null|NaN/);
      if (STOPS.test(finding)) expect(fix?.length ?? 0).toBeGreaterThan(15);
    }
  });
});
