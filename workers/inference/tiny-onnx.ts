/** Stand-in until core/onnx is here. */
type Bytes = number[];
function varint(n: number): Bytes { const out: Bytes = []; let v = n; while (v > 127) { out.push((v & 127) | 128); v = Math.floor(v / 128); } out.push(v); return out; }
const num = (field: number, n: number): Bytes => [...varint(field << 3), ...varint(n)];
const sub = (field: number, bytes: Bytes): Bytes => [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
const str = (field: number, s: string): Bytes => sub(field, [...new TextEncoder().encode(s)]);
const value = (name: string, dims: readonly number[]): Bytes => [...str(1, name), ...sub(2, sub(1, [...num(1, 1), ...sub(2, dims.flatMap((d) => sub(1, num(1, d))))]))];
export interface TinyNode { readonly op: string; readonly domain: string; readonly inputs: readonly string[]; readonly outputs: readonly string[]; readonly ints: Readonly<Record<string, number>> }
export function tinyModel(nodes: readonly TinyNode[], inputs: Readonly<Record<string, readonly number[]>>, outputs: Readonly<Record<string, readonly number[]>>): Uint8Array {
  const graph: Bytes = [
    ...nodes.flatMap((n) => sub(1, [...n.inputs.flatMap((i) => str(1, i)), ...n.outputs.flatMap((o) => str(2, o)), ...str(4, n.op), ...Object.entries(n.ints).flatMap(([k, v]) => sub(5, [...str(1, k), ...num(3, v), ...num(20, 2)])), ...str(7, n.domain)])),
    ...str(2, 'g'),
    ...Object.entries(inputs).flatMap(([n, d]) => sub(11, value(n, d))),
    ...Object.entries(outputs).flatMap(([n, d]) => sub(12, value(n, d))),
  ];
  return Uint8Array.from([...num(1, 10), ...sub(8, [...str(1, ''), ...num(2, 21)]), ...sub(8, [...str(1, 'com.microsoft'), ...num(2, 1)]), ...sub(7, graph)]);
}
