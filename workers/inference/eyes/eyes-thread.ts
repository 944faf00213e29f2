/** One of the threads that see: has the kernels and the shared memory, and does its part of each look. */
import type { TowerShape } from '#contracts/engine.ts';
import type { Kernels } from '#core/eyes/kernels.ts';
import { layOutTower } from '#core/eyes/layout.ts';
import { lookAsThread } from '#core/eyes/look.ts';
import { instantiate } from '#core/eyes/module.ts';

export type EyesQuestion =
  | { readonly kind: 'begin'; readonly module: WebAssembly.Module; readonly memory: WebAssembly.Memory; readonly shape: TowerShape; readonly threads: number; readonly thread: number }
  | { readonly kind: 'look' };

export type EyesAnswer = { readonly kind: 'ready' } | { readonly kind: 'done' } | { readonly kind: 'failed'; readonly message: string };

let look: (() => void) | null = null;

function begin({ module, memory, shape, threads, thread }: Extract<EyesQuestion, { kind: 'begin' }>): void {
  const kernels: Kernels = instantiate(module, memory);
  const layout = layOutTower(shape, threads);
  look = () => lookAsThread(kernels, memory.buffer, shape, layout, thread);
}

self.onmessage = ({ data }: MessageEvent<EyesQuestion>) => {
  const say = (answer: EyesAnswer): void => self.postMessage(answer);
  try {
    if (data.kind === 'begin') begin(data);
    else look!();
    say({ kind: data.kind === 'begin' ? 'ready' : 'done' });
  } catch (thrown) {
    say({ kind: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
};
