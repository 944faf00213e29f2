/** Counts what really reaches a GPU device: kernels dispatched and command buffers submitted while it is watched. */
export interface DispatchCount {
  dispatches(): number;
  submits(): number;
  stop(): void;
}

export function countDispatches(device: GPUDevice): DispatchCount {
  let dispatches = 0;
  let submits = 0;
  const pass = GPUComputePassEncoder.prototype;
  const dispatch = pass.dispatchWorkgroups;
  pass.dispatchWorkgroups = function counted(this: GPUComputePassEncoder, ...size) {
    dispatches++;
    return dispatch.apply(this, size);
  };
  const queue = device.queue;
  const submit = queue.submit.bind(queue);
  queue.submit = (buffers) => {
    submits++;
    return submit(buffers);
  };
  return {
    dispatches: () => dispatches,
    submits: () => submits,
    stop() {
      pass.dispatchWorkgroups = dispatch;
      queue.submit = submit;
    },
  };
}
