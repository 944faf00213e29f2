/**
 * A serial port in the shape in which browsers have it (Web Serial), as far as it is used here. A real one and the virtual servos'
 * are the same to whoever opens it.
 */
export interface WebPort {
  readonly readable: ReadableStream<Uint8Array> | null;
  readonly writable: WritableStream<Uint8Array> | null;
  open(options: { readonly baudRate: number; readonly bufferSize: number }): Promise<void>;
  close(): Promise<void>;
  getInfo(): { readonly usbVendorId?: number; readonly usbProductId?: number };
  addEventListener(type: 'disconnect', listener: () => void): void;
}

/** `navigator.serial`, as a worker has it: it lists the ports that the page was allowed to use. */
export interface WebPorts {
  getPorts(): Promise<readonly WebPort[]>;
}
