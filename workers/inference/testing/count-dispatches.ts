/** Counts what really reaches a GPU device: kernels dispatched, command buffers submitted, buffers read back to memory. */
export interface DispatchCount {
  dispatches(): number;
  submits(): number;
  readBacks(): number;
  stop(): void;
}

export function countDispatches(device: GPUDevice): DispatchCount {
  const seen = { dispatches: 0, submits: 0, readBacks: 0 };
  const pass = GPUComputePassEncoder.prototype;
  const dispatch = pass.dispatchWorkgroups;
  pass.dispatchWorkgroups = function counted(this: GPUComputePassEncoder, ...size) {
    seen.dispatches++;
    return dispatch.apply(this, size);
  };
  const buffer = GPUBuffer.prototype;
  const mapAsync = buffer.mapAsync;
  buffer.mapAsync = function counted(this: GPUBuffer, mode, ...range) {
    if ((mode & GPUMapMode.READ) !== 0) seen.readBacks++;
    return mapAsync.call(this, mode, ...range);
  };
  const queue = device.queue;
  const submit = queue.submit.bind(queue);
  queue.submit = (buffers) => {
    seen.submits++;
    return submit(buffers);
  };
  return {
    dispatches: () => seen.dispatches,
    submits: () => seen.submits,
    readBacks: () => seen.readBacks,
    stop() {
      pass.dispatchWorkgroups = dispatch;
      buffer.mapAsync = mapAsync;
      queue.submit = submit;
    },
  };
}
