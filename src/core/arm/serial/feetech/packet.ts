/**
 * Frames of the STS3215 bus, as bytes. Knows the frame and the instructions; refuses to know what a register means or
 * who is listening.
 *
 *   request   FF FF  id  length  instruction  parameters  checksum      length = parameters + 2
 *   status    FF FF  id  length  error        data        checksum      length = data + 2
 *
 *   checksum  the ones' complement of the sum of everything after FF FF, low byte
 *
 * 16-bit values are little-endian on STS servos.
 */

export const INSTRUCTION = {
  ping: 0x01,
  read: 0x02,
  write: 0x03,
  /** As write, held back until `action`. */
  regWrite: 0x04,
  action: 0x05,
  /** Answers nothing; the servo is away for about 1.8 s. */
  restart: 0x08,
  /** Makes the present position 2048 (firmware 3.10 and later). */
  calibrate: 0x0b,
  syncRead: 0x82,
  syncWrite: 0x83,
} as const;

/** Everybody listens, nobody answers. */
export const BROADCAST_ID = 254;
export const MOST_ID = 253;
/** Feetech's own SDK holds no longer frame than this, so its servos are sent none. */
export const MOST_PACKET_BYTES = 250;
/** Header, id, length, instruction or error, checksum. */
export const FRAME_BYTES = 6;

/** The low byte of ~sum over id, length, instruction or error, and what follows. */
export function checksum(bytes: ArrayLike<number>, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += bytes[i] as number;
  return ~sum & 0xff;
}

/** Any frame, request or status: `third` is the instruction or the error byte. Throws a RangeError for what no frame can carry. */
export function encodeFrame(id: number, third: number, body: ArrayLike<number>): Uint8Array {
  const total = body.length + FRAME_BYTES;
  requireByte('id', id);
  requireByte('instruction', third);
  if (id > BROADCAST_ID) throw new RangeError(`id ${id}: 0 to ${BROADCAST_ID}`);
  if (total > MOST_PACKET_BYTES) throw new RangeError(`a frame of ${total} bytes: at most ${MOST_PACKET_BYTES}`);
  const frame = new Uint8Array(total);
  frame.set([0xff, 0xff, id, body.length + 2, third]);
  for (let i = 0; i < body.length; i++) {
    requireByte('a parameter', body[i] as number);
    frame[5 + i] = body[i] as number;
  }
  frame[total - 1] = checksum(frame, 2, total - 1);
  return frame;
}

export const encodePing = (id: number): Uint8Array => encodeFrame(id, INSTRUCTION.ping, []);

export const encodeRead = (id: number, address: number, count: number): Uint8Array => encodeFrame(id, INSTRUCTION.read, [address, count]);

export const encodeWrite = (id: number, address: number, data: ArrayLike<number>): Uint8Array => encodeFrame(id, INSTRUCTION.write, [address, ...Array.from(data)]);

export const encodeRegWrite = (id: number, address: number, data: ArrayLike<number>): Uint8Array =>
  encodeFrame(id, INSTRUCTION.regWrite, [address, ...Array.from(data)]);

export const encodeAction = (): Uint8Array => encodeFrame(BROADCAST_ID, INSTRUCTION.action, []);

/** Each of `ids` answers with `count` bytes, in this order. */
export const encodeSyncRead = (ids: readonly number[], address: number, count: number): Uint8Array =>
  encodeFrame(BROADCAST_ID, INSTRUCTION.syncRead, [address, count, ...ids]);

/** The same registers of several servos in one frame; every entry has the same number of bytes. Nobody answers. */
export function encodeSyncWrite(address: number, entries: readonly SyncWriteEntry[]): Uint8Array {
  const width = entries[0]?.data.length ?? 0;
  if (width === 0 || entries.some((entry) => entry.data.length !== width)) throw new RangeError('sync write wants entries of one length, at least one byte');
  return encodeFrame(BROADCAST_ID, INSTRUCTION.syncWrite, [address, width, ...entries.flatMap((entry) => [entry.id, ...Array.from(entry.data)])]);
}

export interface SyncWriteEntry {
  readonly id: number;
  readonly data: ArrayLike<number>;
}

function requireByte(what: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 255) throw new RangeError(`${what} ${value} is no byte`);
}
