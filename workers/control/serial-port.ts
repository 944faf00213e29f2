/**
 * The one file that names `navigator.serial`. A worker may open ports that the page was allowed to use, not ask for new ones;
 * so the page asks, and this finds the port again by its USB numbers. One tab drives one arm: a Web Lock is held for as
 * long as the port is open.
 */
import type { SerialAdapter } from '#contracts/serial.ts';
import { FailureError } from '#core/lib/failure.ts';
import { serialLink, type PortStreams, type SerialLink } from './serial-link.ts';

interface WebSerialPort extends PortStreams {
  open(options: { readonly baudRate: number; readonly bufferSize: number }): Promise<void>;
  getInfo(): { readonly usbVendorId?: number; readonly usbProductId?: number };
}

interface WebSerial {
  getPorts(): Promise<readonly WebSerialPort[]>;
}

/** The browser's own 255 bytes overrun within two answers of six servos (126 bytes) when the thread is busy. */
const BUFFER_BYTES = 16 * 1024;
const LOCK = 'vla-playground/serial-port';

/**
 * Opens the allowed port with these USB numbers, or any allowed one when `adapter` is null. Rejects with `serial/unsupported`,
 * `serial/no-port`, `serial/another-tab`, `serial/blocked` or `serial/open-failed`.
 */
export async function openSerialPort(adapter: SerialAdapter | null, baudRate: number): Promise<SerialLink> {
  const { serial } = navigator as WorkerNavigator & { readonly serial?: WebSerial };
  if (serial === undefined) throw new FailureError('serial/unsupported');
  const unlock = await lockPort();
  try {
    const port = await findPort(serial, adapter);
    await port.open({ baudRate, bufferSize: BUFFER_BYTES }).catch((thrown: unknown) => {
      throw openFailure(thrown);
    });
    const link = serialLink(port);
    return {
      ...link,
      get lineErrors() {
        return link.lineErrors;
      },
      // Without the cable this tab drives nothing: another may.
      onLost: (listener) =>
        link.onLost((reason) => {
          unlock();
          listener(reason);
        }),
      async close() {
        await link.close();
        unlock();
      },
    };
  } catch (thrown) {
    unlock();
    throw thrown;
  }
}

async function findPort(serial: WebSerial, adapter: SerialAdapter | null): Promise<WebSerialPort> {
  const ports = await serial.getPorts().catch((thrown: unknown) => {
    throw new FailureError('serial/blocked', { message: messageOf(thrown) });
  });
  // A replugged adapter is a new object with the same numbers.
  const found = ports.find((port) => {
    const { usbVendorId, usbProductId } = port.getInfo();
    return adapter === null || (usbVendorId === adapter.usbVendorId && usbProductId === adapter.usbProductId);
  });
  if (found === undefined) throw new FailureError('serial/no-port');
  return found;
}

/** Resolves with what gives the lock back. */
function lockPort(): Promise<() => void> {
  return new Promise((resolve, reject) => {
    void navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        reject(new FailureError('serial/another-tab'));
        return undefined;
      }
      return new Promise<void>((unlock) => resolve(unlock));
    });
  });
}

function openFailure(thrown: unknown): FailureError {
  const name = thrown instanceof Error ? thrown.name : 'unknown';
  return name === 'SecurityError' ? new FailureError('serial/blocked', { message: messageOf(thrown) }) : new FailureError('serial/open-failed', { name, message: messageOf(thrown) });
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
