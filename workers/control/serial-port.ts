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
   * `serial/no-port`, `serial/which-arm` (more than one fits), `serial/another-tab`, `serial/blocked` or `serial/open-failed`.
   */
  open(adapter: SerialAdapter | null, baudRate: number): Promise<OpenedPort>;
  /** Allowed ports that nobody here has open, in the browser's order. Rejects with `serial/unsupported`, `serial/blocked`. */
  free(): Promise<readonly FreePort[]>;
}

export interface FreePort {
  readonly adapter: SerialAdapter | null;
  open(baudRate: number): Promise<OpenedPort>;
  /** It is somebody's: `PortHost.open` passes it over, until it is given back. */
  keep(): void;
  giveBack(): void;
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
  const { serial } = navigator as WorkerNavigator & { readonly serial?: WebPorts };
  return portHost(serial ?? null, lockPort);
}

/** Ports that no other tab can reach. */
export function ownPorts(ports: WebPorts): PortHost {
  return portHost(ports, () => Promise.resolve(() => undefined));
}

function portHost(ports: WebPorts | null, lockAll: () => Promise<() => void>): PortHost {
  const inUse = new Set<WebPort>();
  const kept = new Set<WebPort>();
  // A follower and a leader are one tab's: the lock is taken with the first port and given back with the last.
  let lock: { readonly unlock: Promise<() => void>; users: number } | null = null;
  const takeLock = async (): Promise<() => void> => {
    const mine = (lock ??= { unlock: lockAll(), users: 0 });
    mine.users++;
    let given = false;
    const giveBack = (): void => {
      if (given) return;
      given = true;
      mine.users--;
      if (mine.users > 0) return;
      if (lock === mine) lock = null;
      void mine.unlock.then((unlock) => unlock()).catch(() => undefined);
    };
    try {
      await mine.unlock;
    } catch (thrown) {
      giveBack();
      throw thrown;
    }
    return giveBack;
  };
  const allowed = async (): Promise<readonly WebPort[]> => {
    if (ports === null) throw new FailureError('serial/unsupported');
    const all = await ports.getPorts().catch((thrown: unknown) => {
      throw new FailureError('serial/blocked', { message: messageOf(thrown) });
    });
    // A replugged adapter is a new object: what was said of the old one is forgotten.
    for (const set of [inUse, kept]) for (const port of set) if (!all.includes(port)) set.delete(port);
    return all.filter((port) => !inUse.has(port));
  };
  const open = async (find: () => Promise<WebPort>, baudRate: number): Promise<OpenedPort> => {
    if (ports === null) throw new FailureError('serial/unsupported');
    const unlock = await takeLock();
    let port: WebPort | null = null;
    const leave = (): void => {
      if (port !== null) inUse.delete(port);
      unlock();
    };
    try {
      port = await find();
      inUse.add(port);
      return await openPort(port, baudRate, leave);
    } catch (thrown) {
      leave();
      throw thrown;
    }
  };
  return {
    open: (adapter, baudRate) =>
      open(async () => {
        const fitting = (await allowed()).filter((port) => {
          const found = adapterOf(port);
          return !kept.has(port) && (adapter === null || (found?.usbVendorId === adapter.usbVendorId && found.usbProductId === adapter.usbProductId));
        });
        const [port] = fitting;
        if (port === undefined) throw new FailureError('serial/no-port');
        // Torque on the wrong arm throws the one that somebody holds.
        if (fitting.length > 1) throw new FailureError('serial/which-arm', { count: fitting.length });
        return port;
      }, baudRate),
    free: async () =>
      (await allowed()).map((port): FreePort => ({ adapter: adapterOf(port), open: (baudRate) => open(() => Promise.resolve(port), baudRate), keep: () => void kept.add(port), giveBack: () => void kept.delete(port) })),
  };
}

async function openPort(port: WebPort, baudRate: number, unlock: () => void): Promise<OpenedPort> {
  try {
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
