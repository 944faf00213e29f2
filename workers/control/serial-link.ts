/**
 * A Web Serial port as a `ByteLink`. One reader for as long as the port is open, one writer; what the browser calls a stream
 * error and is only noise on the wire (framing, parity, break, overrun) costs the bytes it spoilt, not the connection.
 */
import type { ByteLink } from '#core/arm/serial/feetech/link.ts';
import type { WebPort } from '#core/arm/serial/web-port.ts';

/** The part of an open port that is used. */
export type PortStreams = Pick<WebPort, 'readable' | 'writable' | 'close' | 'addEventListener'>;

export interface SerialLink extends ByteLink {
  /** Stream errors that were stepped over. */
  readonly lineErrors: number;
}

/** Takes an open port. */
export function serialLink(port: PortStreams): SerialLink {
  let listener: (bytes: Uint8Array) => void = () => undefined;
  let lost: (reason: string) => void = () => undefined;
  let open = true;
  let closed = false;
  let lineErrors = 0;
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  const writer = port.writable?.getWriter() ?? null;

  const lose = (reason: string): void => {
    if (!open) return;
    open = false;
    lost(reason);
  };

  /** Until the port is closed or gone. After an error that the wire made the port has a fresh `readable`. */
  const pump = async (): Promise<void> => {
    while (open && port.readable !== null) {
      const own = port.readable.getReader();
      reader = own;
      try {
        for (let part = await own.read(); !part.done; part = await own.read()) if (open && part.value.length > 0) listener(part.value);
        if (!open) break;
        // Ended without an error and without being asked to: the other side is gone.
        break;
      } catch {
        lineErrors++;
      } finally {
        own.releaseLock();
        reader = null;
      }
    }
    lose('unplugged');
  };
  const pumping = pump();
  port.addEventListener('disconnect', () => lose('unplugged'));

  return {
    async write(bytes) {
      if (!open || writer === null) throw new Error('the port is closed');
      // Not waited for until it is on the wire: an answer may come first.
      await writer.ready;
      void writer.write(bytes).catch(() => lose('unplugged'));
    },
    onBytes(to) {
      listener = to;
    },
    onLost(to) {
      lost = to;
    },
    async close() {
      if (closed) return;
      closed = true;
      open = false;
      // In this order: a locked port does not close. Each may fail because the device is gone, which is what was wanted.
      await reader?.cancel().catch(() => undefined);
      await pumping;
      await writer?.close().catch(() => undefined);
      writer?.releaseLock();
      await port.close().catch(() => undefined);
    },
    get lineErrors() {
      return lineErrors;
    },
  };
}
