/**
 * How large the CPU engine's heap is: it stands before the constructor of WebAssembly's memories, where onnxruntime makes
 * its one. Such a heap never shrinks, so what it is at the end is the most it ever was. For the benchmark's worker alone.
 */
export interface HeapWatch {
  /** Of all memories made since. */
  bytes(): number;
}

/** Stands there for good. Call once, before a runtime is loaded. */
export function watchHeap(): HeapWatch {
  const memories: WebAssembly.Memory[] = [];
  WebAssembly.Memory = class extends WebAssembly.Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  };
  return { bytes: () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) };
}
