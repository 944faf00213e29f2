/** The program as a process: another program talks to it over TCP. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBus } from '#core/arm/serial/feetech/bus.ts';
import type { ByteLink } from '#core/arm/serial/feetech/link.ts';
import { decodeRegister, encodeRegister } from '#core/arm/serial/feetech/registers.ts';
import { systemClock } from '#core/lib/clock.ts';

const program = (...words: readonly string[]) => spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'virtual-arm.ts'), ...words], { cwd: join(import.meta.dirname, '..') });

function portOf(child: ReturnType<typeof program>): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (part) => {
      said += String(part);
      const found = /on tcp 127\.0\.0\.1:(\d+)/.exec(said);
      if (found !== null) resolve(Number(found[1]));
    });
    child.on('close', () => reject(new Error(`ended without a port: ${said}`)));
  });
}

test('six servos answer, keep what they are told and move', async () => {
  const child = program('--tcp', '0', '--echo');
  try {
    const socket = connect(await portOf(child), '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    const link: ByteLink = {
      write: async (bytes) => void socket.write(bytes),
      onBytes: (listener) => void socket.on('data', listener),
      onLost: (listener) => void socket.on('close', () => listener('closed')),
      close: async () => void socket.destroy(),
    };
    // A busy machine may hold a process up for long; the answer is what matters here.
    const bus = createBus(link, { clock: systemClock(), baud: 1e9, allowanceMs: 3000 });
    const read = async (id: number, address: number, count: number): Promise<Uint8Array> => {
      const reply = await bus.read(id, address, count);
      if (reply.kind === 'lost') throw new Error(`${id}: ${reply.reasons.join()}`);
      return reply.data;
    };
    for (const id of [1, 2, 3, 4, 5, 6]) expect(decodeRegister('modelNumber', await read(id, 3, 2))).toBe(777);
    expect(bus.echo).toBe(true);
    const from = decodeRegister('presentPosition', await read(1, 56, 2));
    await bus.write(1, 42, encodeRegister('goalPosition', from + 300));
    await bus.write(1, 40, [1]);
    let now = from;
    // 300 steps are a tenth of a second of this servo's time.
    for (let look = 0; look < 1000 && Math.abs(now - from - 300) > 3; look++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      now = decodeRegister('presentPosition', await read(1, 56, 2));
    }
    await bus.close();
    expect(Math.abs(now - from - 300)).toBeLessThanOrEqual(3);
  } finally {
    child.kill();
  }
});

test('without a port it says how it is used', async () => {
  const child = program('--tcp', 'seven');
  let said = '';
  child.stderr.on('data', (part) => (said += String(part)));
  const [status] = (await once(child, 'close')) as [number];
  expect(status).toBe(2);
  expect(said).toContain('npm run virtual-arm -- --tcp PORT');
});
