/**
 * Memory in fixed places on a GPU: written through the queue, copied on the device, read back through a buffer made for it.
 * Knows WebGPU's buffers and the order of its queue; knows no runtime and no model.
 */
import type { EngineDevice, EnginePlace, HostTensor } from '#contracts/engine.ts';
import type { GpuHandle } from './gpu-device.ts';
import { guarded } from './lost-device.ts';

const ELEMENT_BYTES = { float32: 4, int64: 8 } as const satisfies Readonly<Record<HostTensor['type'], number>>;
/** onnxruntime binds buffers in whole multiples of this. */
const ALIGNED_BYTES = 16;

/** Buffers behind the places we handed out; only whoever binds them can reach one. */
const buffers = new WeakMap<EnginePlace, () => GPUBuffer | null>();

export function bufferOf(place: EnginePlace): GPUBuffer {
  const buffer = buffers.get(place)?.() ?? null;
  if (buffer === null) throw new Error('a place of another engine, disposed, or that nothing has been written to yet');
  return buffer;
}

export interface DeviceMemory extends Pick<EngineDevice, 'place' | 'copy'> {
  /** A place whose buffer is somebody else's; null as long as they have none. */
  foreignPlace(type: HostTensor['type'], dims: readonly number[], buffer: () => GPUBuffer | null): EnginePlace;
}

export function deviceMemory(gpu: GpuHandle): DeviceMemory {
  const { device } = gpu;
  const placeOf = (type: HostTensor['type'], dims: readonly number[], buffer: () => GPUBuffer | null, release: () => void): EnginePlace => {
    const numbers = numbersOf(dims);
    const place: EnginePlace = {
      type,
      dims,
      write(data) {
        if (data.length !== numbers || data instanceof Float32Array !== (type === 'float32')) throw new Error(`${data.length} numbers for a place of ${numbers} ${type}`);
        // Every array here is over plain memory; the type says it may be shared, which a queue takes too.
        device.queue.writeBuffer(bufferOf(place), 0, data as Float32Array<ArrayBuffer>);
      },
      read: () =>
        guarded(gpu, 'read', async () => {
          const bytes = await bytesOf(gpu, bufferOf(place), numbers * ELEMENT_BYTES[type]);
          return type === 'float32' ? { type, dims, data: new Float32Array(bytes) } : { type, dims, data: new BigInt64Array(bytes) };
        }),
      dispose() {
        if (buffers.delete(place)) release();
      },
    };
    buffers.set(place, buffer);
    return place;
  };
  return {
    place(type, dims) {
      const buffer = device.createBuffer({
        size: Math.max(ALIGNED_BYTES, Math.ceil((numbersOf(dims) * ELEMENT_BYTES[type]) / ALIGNED_BYTES) * ALIGNED_BYTES),
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      return placeOf(type, dims, () => buffer, () => buffer.destroy());
    },
    foreignPlace: (type, dims, buffer) => placeOf(type, dims, buffer, () => undefined),
    copy(moves) {
      const encoder = device.createCommandEncoder();
      for (const { from, row = 0, to } of moves) {
        const bytes = numbersOf(to.dims) * ELEMENT_BYTES[to.type];
        encoder.copyBufferToBuffer(bufferOf(from), row * bytes, bufferOf(to), 0, bytes);
      }
      device.queue.submit([encoder.finish()]);
    },
  };
}

function numbersOf(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1);
}

async function bytesOf({ device }: GpuHandle, buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return staging.getMappedRange().slice(0);
  } finally {
    staging.destroy();
  }
}
