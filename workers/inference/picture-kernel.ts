/**
 * A picture made ready on the GPU: what `core/camera/letterbox.ts` and `patches.ts` do on the CPU, in one kernel, straight into
 * the place that the vision graph reads. Knows pixels and WGSL; whether it may be used is for the self-test to say.
 *
 *   bytes of the picture ─► letterbox (padding left and top), bilinear, x 2 - 1 ─► patches, in the order channel, row, column
 *
 * It takes bytes and no video frame: those of a simulated camera are what the policy was trained on, those of a real one are
 * read as OpenCV reads them (`core/camera/planes.ts`), and the browser's own conversion of a frame is neither. A picture of
 * 640 x 480 is 1.2 MB on its way up, its patches at 512 x 512 are 3.1.
 */
import type { PatchKernel } from '#contracts/engine.ts';
import { placeLetterbox } from '#core/camera/letterbox.ts';
import { bufferOf } from './device-memory.ts';

const TILE = 8;
/** The last three: unused. */
const FORM_WORDS = 12;

const KERNEL = `
  struct Form { width: u32, height: u32, channels: u32, side: u32, cut: u32, placedWidth: u32, placedHeight: u32, scaleX: f32, scaleY: f32 }
  @group(0) @binding(0) var<storage, read> bytes: array<u32>;
  @group(0) @binding(1) var<storage, read_write> patches: array<f32>;
  @group(0) @binding(2) var<uniform> form: Form;

  fn unit(x: u32, y: u32, channel: u32) -> f32 {
    let at = (y * form.width + x) * form.channels + channel;
    return f32((bytes[at / 4u] >> (8u * (at % 4u))) & 255u) / 255.0;
  }

  // The two inputs next to an output number, and how much of the second.
  fn mixAt(i: u32, scale: f32, inputs: u32) -> vec3<f32> {
    let at = max(scale * (f32(i) + 0.5) - 0.5, 0.0);
    let first = min(floor(at), f32(inputs - 1u));
    return vec3<f32>(first, min(first + 1.0, f32(inputs - 1u)), at - first);
  }

  @compute @workgroup_size(${TILE}, ${TILE}) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= form.side || id.y >= form.side) { return; }
    let left = form.side - form.placedWidth;
    let top = form.side - form.placedHeight;
    let inside = id.x >= left && id.y >= top;
    let column = mixAt(id.x - min(left, id.x), form.scaleX, form.width);
    let row = mixAt(id.y - min(top, id.y), form.scaleY, form.height);
    let area = form.cut * form.cut;
    let start = ((id.y / form.cut) * (form.side / form.cut) + id.x / form.cut) * 3u * area + (id.y % form.cut) * form.cut + id.x % form.cut;
    for (var channel = 0u; channel < 3u; channel++) {
      let upper = (1.0 - column.z) * unit(u32(column.x), u32(row.x), channel) + column.z * unit(u32(column.y), u32(row.x), channel);
      let lower = (1.0 - column.z) * unit(u32(column.x), u32(row.y), channel) + column.z * unit(u32(column.y), u32(row.y), channel);
      patches[start + channel * area] = select(-1.0, ((1.0 - row.z) * upper + row.z * lower) * 2.0 - 1.0, inside);
    }
  }`;

/** Compiled. Its buffers are as large as the largest picture so far and live as long as the device. */
export async function pictureKernel(device: GPUDevice): Promise<PatchKernel> {
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module: device.createShaderModule({ label: 'pictures', code: KERNEL }) } });
  const form = device.createBuffer({ size: 4 * FORM_WORDS, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  let bytes = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  return (picture, { side, patch }, into) => {
    const { width, height, channels, data } = picture;
    if (width < 1 || height < 1 || data.length !== width * height * channels) throw new RangeError(`a picture of ${width} x ${height} x ${channels} with ${data.length} bytes`);
    const placed = placeLetterbox(picture, { width: side, height: side });
    const whole = Math.ceil(data.length / 4) * 4;
    if (bytes.size < whole) {
      bytes.destroy();
      bytes = device.createBuffer({ size: whole, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    }
    // RGBA is whole words; of RGB the last word may need filling.
    const words = data.length === whole ? data : new Uint8Array(whole);
    if (words !== data) words.set(data);
    device.queue.writeBuffer(bytes, 0, words as Uint8Array<ArrayBuffer>);
    const values = new ArrayBuffer(4 * FORM_WORDS);
    new Uint32Array(values).set([width, height, channels, side, patch, placed.width, placed.height]);
    new Float32Array(values).set([width / placed.width, height / placed.height], 7);
    device.queue.writeBuffer(form, 0, values);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const resources = [bytes, bufferOf(into), form];
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: resources.map((buffer, binding) => ({ binding, resource: { buffer } })) }));
    pass.dispatchWorkgroups(Math.ceil(side / TILE), Math.ceil(side / TILE));
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
}
