/**
 * The virtual servos behind a port in the shape of Web Serial: streams that end with a NetworkError when the cable is pulled, a new
 * port object after a replug, a port that refuses to be opened twice or closed while locked. So the whole path from the browser's
 * streams to the motors is walked without an adapter.
 */
import type { WebPort, WebPorts } from '../serial/web-port.ts';
import type { VirtualBus } from './virtual-bus.ts';

export function virtualPorts(bus: VirtualBus): WebPorts {
  let port: WebPort | null = null;
  const lost: (() => void)[] = [];
  bus.link.onLost(() => {
    port = null;
    for (const tell of lost.splice(0)) tell();
  });
  return {
    // As with an adapter: out of its socket it is not listed, and what is plugged in again is another object.
    getPorts: async () => (bus.plugged ? [(port ??= virtualPort(bus, (tell) => lost.push(tell)))] : []),
  };
}

function virtualPort(bus: VirtualBus, onLost: (tell: () => void) => void): WebPort {
  const listeners: (() => void)[] = [];
  let readable: ReadableStream<Uint8Array> | null = null;
  let writable: WritableStream<Uint8Array> | null = null;
  let incoming: ReadableStreamDefaultController<Uint8Array> | null = null;
  let state: 'closed' | 'open' | 'gone' = 'closed';

  onLost(() => {
    const wasOpen = state === 'open';
    state = 'gone';
    readable = null;
    writable = null;
    if (wasOpen) incoming?.error(new DOMException('The device has been lost.', 'NetworkError'));
    for (const tell of listeners) tell();
  });

  return {
    get readable() {
      return readable;
    },
    get writable() {
      return writable;
    },
    async open({ baudRate }) {
      if (state === 'gone') throw new DOMException('The port has been closed.', 'NetworkError');
      if (state === 'open') throw new DOMException('The port is already open.', 'InvalidStateError');
      state = 'open';
      bus.listenAt(baudRate);
      readable = new ReadableStream<Uint8Array>({ start: (controller) => void (incoming = controller) });
      writable = new WritableStream<Uint8Array>({ write: (bytes) => bus.link.write(bytes) });
      bus.link.onBytes((bytes) => {
        if (state === 'open') incoming?.enqueue(bytes);
      });
    },
    async close() {
      if (state !== 'open') return;
      if (readable?.locked === true || writable?.locked === true) throw new TypeError('Cannot close a locked port.');
      state = 'closed';
      readable = null;
      writable = null;
    },
    getInfo: () => ({}),
    addEventListener: (_type, listener) => void listeners.push(listener),
  };
}
