/**
 * Asking the person for a serial port: the browser shows its list, the person chooses, and the control worker, which may not ask, opens
 * what was chosen. Only ever called from a click. Knows the adapters that arms come with; opens nothing.
 */
import { ADAPTER_VENDORS, type SerialAdapter } from '#contracts/serial.ts';
import { FailureError } from '#core/lib/failure.ts';

interface AskedPort {
  getInfo(): { readonly usbVendorId?: number; readonly usbProductId?: number };
}

interface PageSerial {
  getPorts(): Promise<readonly AskedPort[]>;
  requestPort(options: { readonly filters: readonly { readonly usbVendorId: number }[] }): Promise<AskedPort>;
}

/** `known`: one that was allowed before is used without asking. `all`: every port in the list, also boards nobody here has heard of. */
export type PortQuestion = 'known' | 'adapters' | 'all';

/** Null where the port is no USB adapter, or where more than one was allowed before: control knows which is free. Rejects with `serial/unsupported`, `serial/no-port` (also when the person closes the list), `serial/blocked`. */
export async function askForPort(question: PortQuestion): Promise<SerialAdapter | null> {
  const { serial } = navigator as Navigator & { readonly serial?: PageSerial };
  if (serial === undefined) throw new FailureError('serial/unsupported');
  try {
    const allowed = question === 'known' ? await serial.getPorts() : [];
    // Which of several is the follower is known where the leader was found by hand, and not here.
    if (allowed.length > 1) return null;
    const [known] = allowed;
    const filters = question === 'all' ? [] : ADAPTER_VENDORS.map((usbVendorId) => ({ usbVendorId }));
    return adapterOf(known ?? (await serial.requestPort({ filters })));
  } catch (thrown) {
    const name = thrown instanceof DOMException ? thrown.name : '';
    if (name === 'NotFoundError') throw new FailureError('serial/no-port');
    throw new FailureError('serial/blocked', { message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
}

function adapterOf(port: AskedPort): SerialAdapter | null {
  const { usbVendorId, usbProductId } = port.getInfo();
  return usbVendorId === undefined || usbProductId === undefined ? null : { usbVendorId, usbProductId };
}
