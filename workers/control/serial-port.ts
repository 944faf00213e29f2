/**
 * The one file of the workers that names `navigator.serial`. A worker may open ports that the page was allowed to use, not ask for new
 * ones; so the page asks, and this finds the port again by its USB numbers. One tab drives one arm: a Web Lock is held for as
 * long as the port is open. Ports in the same shape (the virtual servos') are opened by the same code.
 */
import type { SerialAdapter } from '#contracts/serial.ts';
import type { WebPort, WebPorts } from '#core/arm/serial/web-port.ts';
import { FailureError } from '#core/lib/failure.ts';
import { serialLink, type SerialLink } from './serial-link.ts';

/** Whoever opens ports. */
export interface PortHost {
  /**
   * Opens the allowed port with these USB numbers, or any allowed one when `adapter` is null. Rejects with `serial/unsupported`,
   * `serial/no-port`, `serial/another-tab`, `serial/blocked` or `serial/open-failed`.
   */
  open(adapter: SerialAdapter | null, baudRate: number): Promise<OpenedPort>;
}

export interface OpenedPort extends SerialLink {
  /** Null for a port that is no USB adapter. */
  readonly adapter: SerialAdapter | null;
}

/** The browser's own 255 bytes overrun within two answers of six servos (126 bytes) when the thread is busy. */
const BUFFER_BYTES = 16 * 1024;
const LOCK = 'vla-playground/serial-port';

/** The adapters on this computer. */
export function browserPorts(): PortHost {
  return {
    async open(adapter, baudRate) {
      const { serial } = navigator as WorkerNavigator & { readonly serial?: WebPorts };
      if (serial === undefined) throw new FailureError('serial/unsupported');
      const unlock = await lockPort();
      return openPort(serial, adapter, baudRate, unlock);
    },
  };
}

/** Ports that no other tab can reach. */
export function ownPorts(ports: WebPorts): PortHost {
  return { open: (adapter, baudRate) => openPort(ports, adapter, baudRate, () => undefined) };
}

async function openPort(ports: WebPorts, adapter: SerialAdapter | null, baudRate: number, unlock: () => void): Promise<OpenedPort> {
  try {
    const port = await findPort(ports, adapter);
    await port.open({ baudRate, bufferSize: BUFFER_BYTES }).catch((thrown: unknown) => {
      throw openFailure(thrown);
    });
    const link = serialLink(port);
    return {
      ...link,
      adapter: adapterOf(port),
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

async function findPort(serial: WebPorts, adapter: SerialAdapter | null): Promise<WebPort> {
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

function adapterOf(port: WebPort): SerialAdapter | null {
  const { usbVendorId, usbProductId } = port.getInfo();
  return usbVendorId === undefined || usbProductId === undefined ? null : { usbVendorId, usbProductId };
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
