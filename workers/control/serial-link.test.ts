import { describe, expect, it } from 'vitest';
import { systemClock } from '#core/lib/clock.ts';
import { createBus } from '#core/arm/serial/feetech/bus.ts';
import { createDecoder } from '#core/arm/serial/feetech/decoder.ts';
import { virtualServo } from '#core/arm/virtual/servo.ts';
import { serialLink, type PortStreams } from './serial-link.ts';

/** A port made of real streams, as the browser makes them, with a servo at its end. */
function fakePort() {
  const servo = virtualServo({ id: 1, encoderAtZero: 2047 });
  servo.step(0, { angle: 0, speed: 0, load: 0 });
  const decoder = createDecoder('request');
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  let gone: () => void = () => undefined;
  const make = (): ReadableStream<Uint8Array> => new ReadableStream({ start: (one) => void (controller = one) });
  let readable: ReadableStream<Uint8Array> | null = make();
  const log: string[] = [];
  const writable = new WritableStream<Uint8Array>({
    write(bytes) {
      for (const request of decoder.push(bytes)) {
        const answer = servo.handle(request);
        if (answer !== null) controller?.enqueue(answer);
      }
    },
  });
  const port: PortStreams = {
    get readable() {
      return readable;
    },
    writable,
    async close() {
      if (readable?.locked === true || writable.locked) throw new TypeError('locked');
      log.push('closed');
    },
    addEventListener: (_type, listener) => void (gone = listener),
  };
  return {
    port,
    log,
    /** The wire made noise: this stream errors, the port has a fresh one. */
    disturb() {
      const old = controller;
      readable = make();
      old?.error(new DOMException('a framing error', 'FramingError'));
    },
    pull() {
      const old = controller;
      readable = null;
      old?.error(new DOMException('The device has been lost.', 'NetworkError'));
      gone();
    },
  };
}

const open = () => {
  const fake = fakePort();
  const link = serialLink(fake.port);
  return { ...fake, link, bus: createBus(link, { clock: systemClock(), baud: 1e9, allowanceMs: 500 }) };
};

describe('a Web Serial port', () => {
  it('carries requests and answers, and closes unlocked, once', async () => {
    const { bus, log } = open();
    expect(await bus.ping(1)).toMatchObject({ kind: 'ok' });
    expect(bus.echo).toBe(false);
    await bus.close();
    await bus.close();
    expect(log).toEqual(['closed']);
    expect(await bus.ping(1)).toMatchObject({ kind: 'lost', reasons: ['closed'] });
  });

  it('goes on after errors that only the wire made', async () => {
    const { bus, disturb, link } = open();
    await bus.ping(1);
    for (let n = 1; n <= 3; n++) {
      disturb();
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await bus.ping(1)).toMatchObject({ kind: 'ok' });
      expect(link.lineErrors).toBe(n);
    }
    await bus.close();
  });

  it('says once that the cable was pulled, to whoever waits too', async () => {
    const { bus, pull, link, log } = open();
    await bus.ping(1);
    const waiting = bus.ping(2, { attempts: 5 });
    pull();
    expect(await waiting).toMatchObject({ kind: 'lost', reasons: ['closed'] });
    expect(bus.open).toBe(false);
    await expect(link.write(Uint8Array.of(1))).rejects.toThrow();
    await bus.close();
    expect(log).toEqual(['closed']);
  });
});
