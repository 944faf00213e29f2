/**
 * A vision tower on this computer's cores, by our own kernels (`core/eyes`): threads, their shared memory, and the proof that the
 * processor's dot product is what the specification promises. Knows threads; knows no layer.
 *
 * This worker only waits while they look, and goes on answering.
 */
import type { EyesRefusal, VisionTower } from '#contracts/engine.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { fillTower } from '#core/eyes/fill.ts';
import { layOutTower, misfit, tokensOf } from '#core/eyes/layout.ts';
import { beginLook } from '#core/eyes/look.ts';
import { kernelModule, quickestModule } from '#core/eyes/module.ts';
import { MOST_PAGES, PAGE_BYTES } from '#core/eyes/wasm.ts';
import type { EyesAnswer, EyesQuestion } from './eyes-thread.ts';

export interface Eyes {
  readonly kind: 'kernels';
  readonly threads: number;
  /** Patches [patches, patch] to tokens [tokens, out]. Calls must not overlap. Rejects with `engine/session-failed`, and goes on rejecting. */
  see(patches: Float32Array): Promise<Float32Array<ArrayBuffer>>;
  dispose(): void;
}

/** Opened, or why a graph computes this tower. */
export type OpenEyes = (tower: VisionTower) => Promise<Eyes | EyesRefusal>;

/**
 * Patches of the smallest tower that is worth its own threads. SmolVLA's 1024 take 0.7 s instead of 1.8 (`evidence/wasm.md`); of the
 * pocket policy's 64 a plan took 37 ms with kernels and 34 with the graph: threads are woken and wait for each other six times a look.
 */
export const SMALLEST_TOWER = 256;

export function eyesOf(threads: number, smallest = SMALLEST_TOWER): OpenEyes {
  const kernels = once(async (): Promise<WebAssembly.Module | EyesRefusal> => {
    if (!WebAssembly.validate(kernelModule('one'))) return { kind: 'graph', reason: 'browser' };
    return (await quickestModule({ nowMs: () => performance.now() })) ?? { kind: 'graph', reason: 'processor' };
  });
  return async (tower) => {
    if (tower.shape.patches < smallest || misfit(tower.shape) !== null || layOutTower(tower.shape, threads).pages > MOST_PAGES) return { kind: 'graph', reason: 'sizes' };
    if (!globalThis.crossOriginIsolated) return { kind: 'graph', reason: 'isolation' };
    const module = await kernels();
    return module instanceof WebAssembly.Module ? openEyes(module, tower, threads) : module;
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => (made ??= make());
}

async function openEyes(module: WebAssembly.Module, { shape, weights }: VisionTower, threads: number): Promise<Eyes> {
  const layout = layOutTower(shape, threads);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages, shared: true });
  } catch {
    throw new FailureError('engine/session-failed', { graph: 'vision', message: `no memory of ${layout.pages * PAGE_BYTES} bytes` });
  }
  await fillTower(memory.buffer, layout, weights);
  const crew = Array.from({ length: threads }, (_, thread) => member({ kind: 'begin', module, memory, shape, threads, thread }));
  const dispose = (): void => crew.forEach(({ worker }) => worker.terminate());
  try {
    await Promise.all(crew.map(({ answer }) => answer('ready')));
  } catch (thrown) {
    dispose();
    throw thrown;
  }
  const input = new Float32Array(memory.buffer, layout.patches, shape.patches * shape.patch);
  const output = new Float32Array(memory.buffer, layout.tokens, tokensOf(shape) * shape.out);
  /** The other threads would wait for one that is gone. */
  let broken: unknown = null;
  return {
    kind: 'kernels',
    threads,
    async see(patches) {
      if (broken !== null) throw broken;
      if (patches.length !== input.length) throw new FailureError('internal', { message: `${patches.length} numbers for ${input.length} of patches` });
      input.set(patches);
      beginLook(memory.buffer, layout);
      try {
        await Promise.all(
          crew.map(({ worker, answer }) => {
            worker.postMessage({ kind: 'look' } satisfies EyesQuestion);
            return answer('done');
          }),
        );
      } catch (thrown) {
        broken = thrown;
        dispose();
        throw thrown;
      }
      return output.slice();
    },
    dispose,
  };
}

interface Member {
  readonly worker: Worker;
  /** The next answer, if it is this one. */
  answer(kind: EyesAnswer['kind']): Promise<void>;
}

function member(begin: EyesQuestion): Member {
  const worker = new Worker(new URL('./eyes-thread.ts', import.meta.url), { type: 'module', name: 'eyes' });
  const failed = (message: string): FailureError => new FailureError('engine/session-failed', { graph: 'vision', message });
  const member: Member = {
    worker,
    answer: (kind) =>
      new Promise((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<EyesAnswer>) => {
          if (data.kind === 'failed') reject(failed(data.message));
          else if (data.kind === kind) resolve();
          else reject(failed(`a thread answered ${data.kind}, not ${kind}`));
        };
        worker.onerror = (event) => {
          event.preventDefault();
          reject(failed(event.message));
        };
      }),
  };
  try {
    worker.postMessage(begin);
  } catch (thrown) {
    worker.terminate();
    throw failed(String(asFailure(thrown).facts['message']));
  }
  return member;
}
