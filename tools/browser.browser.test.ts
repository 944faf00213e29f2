/** The browser the other tests stand on: isolated, with a GPU, and with what the workers need. */
import { expect, test } from 'vitest';

test('the page is cross-origin isolated, so workers can share memory', () => {
  expect(crossOriginIsolated).toBe(true);
  expect(new SharedArrayBuffer(8).byteLength).toBe(8);
});

test('there is a WebGPU adapter, and it is the software one', async () => {
  const adapter = await navigator.gpu.requestAdapter();
  expect(adapter).not.toBeNull();
  expect(`${adapter?.info.vendor} ${adapter?.info.architecture}`).toMatch(/swiftshader/i);
});

test('a canvas off the page has WebGL2, and the origin has a private file system', async () => {
  expect(new OffscreenCanvas(4, 4).getContext('webgl2')).not.toBeNull();
  expect((await navigator.storage.getDirectory()).kind).toBe('directory');
});
