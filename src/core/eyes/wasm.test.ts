/** What this writer makes, a runtime must take and run: whole numbers of every length, loops that run never, once and often. */
import { expect, test } from 'vitest';
import { f32, i32, kernel, writeModule } from './wasm.ts';

function run(module: Uint8Array<ArrayBuffer>, name: string, ...args: number[]): Int32Array {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module), { env: { memory } });
  (exports[name] as (...args: number[]) => void)(...args);
  return new Int32Array(memory.buffer);
}

test('whole numbers where one byte more begins, on both sides of 0', () => {
  const numbers = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8192, -8193, 2 ** 20, 2 ** 31 - 1, -(2 ** 31)];
  const module = writeModule([kernel('numbers', [], (f) => numbers.forEach((value, i) => f.storeInt(i32.const(4 * i), i32.const(value))))]);
  expect([...run(module, 'numbers').subarray(0, numbers.length)]).toEqual(numbers);
});

test.each([-1, 0, 1, 2, 1000])('a loop of %s rounds', (rounds) => {
  const count = kernel('count', ['i32'], (f, most) => {
    const i = f.let(i32.const(0));
    const sum = f.let(i32.const(0));
    f.while(i32.less(i, most), () => {
      f.add(sum, i);
      f.add(i, i32.const(1));
    });
    f.storeInt(i32.const(300), sum);
    f.storeFloat(i32.const(0), f32.div(f32.ofInt(sum), f32.const(0.5)), 304);
  });
  const memory = run(writeModule([count]), 'count', rounds);
  const sum = rounds > 0 ? (rounds * (rounds - 1)) / 2 : 0;
  expect(memory[75]).toBe(sum);
  expect(new Float32Array(memory.buffer)[76]).toBe(2 * sum);
});

test('several functions share one memory and keep their names', () => {
  const module = writeModule([kernel('first', ['i32'], (f, value) => f.storeInt(i32.const(0), value)), kernel('second', ['i32', 'f32'], (f, value) => f.storeInt(i32.const(4), value))]);
  expect(WebAssembly.Module.exports(new WebAssembly.Module(module)).map(({ name }) => name)).toEqual(['first', 'second']);
  expect(run(module, 'second', 9, 0)[1]).toBe(9);
});
