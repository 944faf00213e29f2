/** Counts the bytes of a device's buffers that were made since and not yet destroyed. Buffers that are older count when they go. */
export interface MemoryCount {
  liveBytes(): number;
  stop(): void;
}

export function countMemory(device: GPUDevice): MemoryCount {
  let live = 0;
  const sizes = new WeakMap<GPUBuffer, number>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const made = create(descriptor);
    sizes.set(made, descriptor.size);
    live += descriptor.size;
    return made;
  };
  const buffers = GPUBuffer.prototype;
  const destroy = buffers.destroy;
  buffers.destroy = function counted(this: GPUBuffer) {
    live -= sizes.get(this) ?? 0;
    sizes.delete(this);
    return destroy.call(this);
  };
  return {
    liveBytes: () => live,
    stop() {
      buffers.destroy = destroy;
      Reflect.deleteProperty(device, 'createBuffer');
    },
  };
}
