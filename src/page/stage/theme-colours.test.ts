/** Colours as browsers write them. */
import { expect, test } from 'vitest';
import { parseColour } from './theme-colours.ts';

test.each([
  ['rgb(11, 110, 102)', '0b6e66'],
  ['rgba(255, 0, 128, 0.5)', 'ff0080'],
  ['color(srgb 1 0.5 0)', 'ff8000'],
])('%s', (text, hex) => {
  expect(parseColour(text).getHexString()).toBe(hex);
});
