/**
 * The GPU buffers that a session's weights lie in. onnxruntime-web 1.30 never gives them back while another session lives on the
 * device: 8.2 MB of the tiny golden policy's 8.7, and as much again each time it is opened. So whoever makes a session notes them, and
 * destroys them when it is released: nobody else has them, and the next session never gets one of them.
 *
 * Told by how they come about: while a session is made, only weights are copied out of buffers that were mapped when they were made.
 */

/** What `make` made, and the buffers its weights went to. Only one session is made at a time. */
export async function notingWeights<T>(device: GPUDevice, make: () => Promise<T>): Promise<{ readonly made: T; readonly weights: readonly GPUBuffer[] }> {
  const staged = new WeakSet<GPUBuffer>();
  const weights = new Set<GPUBuffer>();
  const createBuffer = device.createBuffer;
  const createCommandEncoder = device.createCommandEncoder;
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device, descriptor);
    if (descriptor.mappedAtCreation === true) staged.add(buffer);
    return buffer;
  };
  device.createCommandEncoder = (descriptor) => {
    const encoder = createCommandEncoder.call(device, descriptor);
    const copy = encoder.copyBufferToBuffer;
    encoder.copyBufferToBuffer = (...words: unknown[]) => {
      const [from, second, third] = words;
      // With offsets or without: the second buffer is the third argument or the second.
      const to = typeof second === 'number' ? third : second;
      if (staged.has(from as GPUBuffer)) weights.add(to as GPUBuffer);
      return Reflect.apply(copy, encoder, words) as undefined;
    };
    return encoder;
  };
  try {
    return { made: await make(), weights: [...weights] };
  } finally {
    device.createBuffer = createBuffer;
    device.createCommandEncoder = createCommandEncoder;
  }
}
