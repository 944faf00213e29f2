/**
 * A line of bytes, and nothing more: a USB serial port, a TCP socket or virtual servos. The bus speaks over it and does not
 * ask which.
 */
export interface ByteLink {
  /** Resolves when the bytes are on their way. Rejects when the line is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** The one listener, called with whatever has arrived, in any portions. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Called once when the line goes away by itself: the cable was pulled, the other side closed. Not after `close`. */
  onLost(listener: (reason: string) => void): void;
  /** Twice is once. */
  close(): Promise<void>;
}
