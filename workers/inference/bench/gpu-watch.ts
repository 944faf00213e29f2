/**
 * Counts what really reaches the GPU, by the part of a chunk that is being computed: it stands between everybody in this
 * worker and WebGPU's own methods. Knows WebGPU and no model, and belongs to the benchmark's worker alone: the worker that
 * drives an arm is never wrapped.
 */
import type { GpuCounts } from '#contracts/bench.ts';

export interface GpuWatch {
  /** What follows is counted for this part. */
  enter(part: string): void;
  /** Counts since the last call, by part. */
  take(): ReadonlyMap<string, GpuCounts>;
  /** Of all buffers of all devices that were neither destroyed nor went with their device; and the most there ever were. */
  readonly liveBytes: number;
  readonly peakBytes: number;
  /**
   * From now on a read-back first waits until the GPU has done what came before, so that `readBackMs` is only the way back.
   * `free`: as onnxruntime wants it.
   */
  readBacks: 'free' | 'after-the-work';
  /** Milliseconds from the work being done to the numbers being there, since the last call. */
  takeReadBackMs(): number;
  /** Timestamps around every compute pass until `passMs`. False where the device has none. */
  timePasses(device: GPUDevice): boolean;
  /** GPU milliseconds by part; null where there were more passes than timestamps. */
  passMs(): Promise<ReadonlyMap<string, number> | null>;
}

/** A query set may hold 4096 timestamps, two a pass. */
const MOST_PASSES = 2048;

type Counts = { -readonly [Name in keyof GpuCounts]: number };

const none = (): Counts => ({ dispatches: 0, submits: 0, passes: 0, uploadBytes: 0, readBackBytes: 0 });

/** Wraps the methods of this thread for good. Call once, before a device is opened. */
export function watchGpu(): GpuWatch {
  let part = '';
  let counts = new Map<string, Counts>();
  let liveBytes = 0;
  let peakBytes = 0;
  let readBackMs = 0;
  let timing: PassTiming | null = null;
  let device: GPUDevice | null = null;
  const now = (): Counts => {
    const known = counts.get(part);
    if (known !== undefined) return known;
    const fresh = none();
    counts.set(part, fresh);
    return fresh;
  };

  const watch: GpuWatch = {
    enter: (name) => void (part = name),
    take() {
      const taken = counts;
      counts = new Map();
      return taken;
    },
    get liveBytes() {
      return liveBytes;
    },
    get peakBytes() {
      return peakBytes;
    },
    readBacks: 'free',
    takeReadBackMs() {
      const taken = readBackMs;
      readBackMs = 0;
      return taken;
    },
    timePasses(of) {
      device = of;
      timing = of.features.has('timestamp-query') ? passTiming(of) : null;
      return timing !== null;
    },
    async passMs() {
      const taken = timing;
      timing = null;
      return taken === null ? null : taken.read();
    },
  };
  // A browser without WebGPU: nothing to stand before.
  if (!('GPUDevice' in globalThis)) return watch;

  wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', (call) => {
    now().dispatches++;
    return call();
  });
  wrap(GPUComputePassEncoder.prototype, 'dispatchWorkgroupsIndirect', (call) => {
    now().dispatches++;
    return call();
  });
  wrap(GPUQueue.prototype, 'submit', (call) => {
    now().submits++;
    return call();
  });
  wrap(GPUQueue.prototype, 'writeBuffer', (call, [, , data, , size]) => {
    const whole = 'byteLength' in data ? data.byteLength : 0;
    now().uploadBytes += size === undefined ? whole : size * ('BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1);
    return call();
  });
  /** A buffer goes once: by itself, or with its device. */
  const buffers = new WeakMap<GPUBuffer, { readonly bytes: number; readonly on: GPUDevice }>();
  const liveOn = new WeakMap<GPUDevice, number>();
  wrap(GPUDevice.prototype, 'createBuffer', (call, [descriptor], on) => {
    // Written by the host while it is made: how onnxruntime uploads.
    if (descriptor.mappedAtCreation === true) now().uploadBytes += descriptor.size;
    const made = call();
    buffers.set(made, { bytes: descriptor.size, on });
    liveOn.set(on, (liveOn.get(on) ?? 0) + descriptor.size);
    liveBytes += descriptor.size;
    peakBytes = Math.max(peakBytes, liveBytes);
    return made;
  });
  wrap(GPUBuffer.prototype, 'destroy', (call, _parameters, buffer) => {
    const known = buffers.get(buffer);
    buffers.delete(buffer);
    const live = known === undefined ? undefined : liveOn.get(known.on);
    if (known !== undefined && live !== undefined) {
      liveOn.set(known.on, live - known.bytes);
      liveBytes -= known.bytes;
    }
    return call();
  });
  wrap(GPUDevice.prototype, 'destroy', (call, _parameters, on) => {
    liveBytes -= liveOn.get(on) ?? 0;
    liveOn.delete(on);
    return call();
  });
  wrap(GPUBuffer.prototype, 'mapAsync', (call, [mode], buffer) => {
    if ((mode & GPUMapMode.READ) === 0) return call();
    now().readBackBytes += buffer.size;
    const queue = device?.queue;
    if (watch.readBacks === 'free' || queue === undefined) return call();
    return (async () => {
      await queue.onSubmittedWorkDone();
      const fromMs = performance.now();
      await call();
      readBackMs += performance.now() - fromMs;
      return undefined;
    })();
  });
  // By hand and not by `wrap`: it changes its parameter.
  const encoders = GPUCommandEncoder.prototype;
  const begin = encoders.beginComputePass;
  encoders.beginComputePass = function watched(this: GPUCommandEncoder, descriptor) {
    now().passes++;
    const writes = timing?.next(part) ?? null;
    if (writes === null || descriptor?.timestampWrites !== undefined) return begin.call(this, descriptor);
    return begin.call(this, { ...descriptor, timestampWrites: writes });
  };
  return watch;
}

/** Puts `around` before a method of all objects of a class. */
function wrap<Of extends object, Name extends keyof Of>(
  prototype: Of,
  name: Name,
  around: Of[Name] extends (...parameters: infer Parameters) => infer Result ? (call: () => Result, parameters: Parameters, self: Of) => Result : never,
): void {
  const original = prototype[name] as (...parameters: unknown[]) => unknown;
  const wrapped = function watched(this: Of, ...parameters: unknown[]): unknown {
    return (around as (call: () => unknown, parameters: unknown[], self: Of) => unknown)(() => original.apply(this, parameters), parameters, this);
  };
  prototype[name] = wrapped as Of[Name];
}

interface PassTiming {
  next(part: string): GPUComputePassTimestampWrites | null;
  read(): Promise<ReadonlyMap<string, number> | null>;
}

function passTiming(device: GPUDevice): PassTiming {
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 * MOST_PASSES });
  const parts: string[] = [];
  let left = 0;
  return {
    next(part) {
      if (parts.length === MOST_PASSES) {
        left++;
        return null;
      }
      const at = 2 * parts.length;
      parts.push(part);
      return { querySet, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
    },
    async read() {
      const size = Math.max(16, 16 * parts.length);
      const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
      const host = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      try {
        const encoder = device.createCommandEncoder();
        encoder.resolveQuerySet(querySet, 0, 2 * parts.length, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, host, 0, size);
        device.queue.submit([encoder.finish()]);
        await host.mapAsync(GPUMapMode.READ);
        const stamps = new BigUint64Array(host.getMappedRange());
        const sums = new Map<string, number>();
        for (const [i, part] of parts.entries()) sums.set(part, (sums.get(part) ?? 0) + Math.max(0, Number(stamps[2 * i + 1]! - stamps[2 * i]!)) / 1e6);
        return left > 0 ? null : sums;
      } finally {
        resolved.destroy();
        host.destroy();
        querySet.destroy();
      }
    },
  };
}
