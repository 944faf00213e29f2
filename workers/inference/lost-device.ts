/**
 * Work on a GPU that may be lost in the middle of it: whatever happens it ends, and with a FailureError. Knows devices and
 * promises, and no runtime.
 */
import { FailureError } from '#core/lib/failure.ts';
import type { GpuHandle } from './gpu-device.ts';

export function throwIfLost(gpu: GpuHandle | null): void {
  const lost = gpu?.lostFailure() ?? null;
  if (lost !== null) throw lost;
}

/** Between a read that fails because the device is going and `device.lost`: below 1 ms idle, over 200 ms once at a load of 30. */
const LOSS_IS_TOLD_WITHIN_MS = 2000;

/**
 * `work`, with every way it can end told by a FailureError. A lost device ends it at once: a call into onnxruntime that
 * waits for that device may never return.
 */
export async function guarded<T>(gpu: GpuHandle | null, graph: string, work: () => Promise<T>): Promise<T> {
  try {
    return await (gpu === null ? work() : unlessLost(gpu, work()));
  } catch (thrown) {
    if (thrown instanceof FailureError) throw thrown;
    // A dying device rejects its pending reads a moment before it says that it is lost.
    if (gpu !== null) await lostOr(gpu, LOSS_IS_TOLD_WITHIN_MS);
    throw gpu?.lostFailure() ?? new FailureError('engine/session-failed', { graph, message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

/** Resolves when the device is lost, and after this long at the latest. */
function lostOr(gpu: GpuHandle, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      stopListening();
      resolve();
    }, limitMs);
    const stopListening = gpu.onLost(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function unlessLost<T>(gpu: GpuHandle, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = gpu.onLost(reject);
    work.then(resolve, reject).finally(stopListening);
  });
}
