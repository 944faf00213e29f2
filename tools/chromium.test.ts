/** Finding the browser: what was named is believed or refused, never replaced by another one. */
import { spawnSync } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { findChromium } from './chromium.ts';

const named = process.env['CHROMIUM'];

afterEach(() => {
  if (named === undefined) delete process.env['CHROMIUM'];
  else process.env['CHROMIUM'] = named;
});

test('the one that CHROMIUM names is taken', () => {
  process.env['CHROMIUM'] = process.execPath;
  expect(findChromium()).toBe(process.execPath);
});

test('a CHROMIUM that is no program is an error that says so', () => {
  process.env['CHROMIUM'] = '/nowhere/chromium';
  expect(findChromium).toThrow('/nowhere/chromium, which is not an executable file');
});

test('without CHROMIUM one of the usual places is taken, and it is a browser', () => {
  delete process.env['CHROMIUM'];
  const found = findChromium();
  expect(found).not.toBeNull();
  expect(spawnSync(found ?? '', ['--version'], { encoding: 'utf8' }).stdout).toMatch(/Chrom(?:e|ium) \d+/);
});
