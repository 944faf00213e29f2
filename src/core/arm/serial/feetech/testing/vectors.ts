/** Frames of the STS3215 bus as published and checked by hand (Feetech's protocol text and SDK); the checksum is the last byte. */
import { encodeAction, encodeFrame, encodePing, encodeRead, encodeRegWrite, encodeSyncRead, encodeSyncWrite, encodeWrite } from '../packet.ts';

export const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.split(' '), (pair) => Number.parseInt(pair, 16));

const GOAL = [0x00, 0x08, 0, 0, 0xe8, 0x03];
const ALL = [1, 2, 3, 4, 5, 6];

export interface RequestVector {
  readonly what: string;
  readonly made: Uint8Array;
  readonly hex: string;
}

export const REQUESTS: readonly RequestVector[] = [
  { what: 'ping 1', made: encodePing(1), hex: 'FF FF 01 02 01 FB' },
  { what: 'read position of 1', made: encodeRead(1, 56, 2), hex: 'FF FF 01 04 02 38 02 BE' },
  { what: 'write goal 2048, time 0, speed 1000', made: encodeWrite(1, 42, GOAL), hex: 'FF FF 01 09 03 2A 00 08 00 00 E8 03 D5' },
  { what: 'the same, held back', made: encodeRegWrite(1, 42, GOAL), hex: 'FF FF 01 09 04 2A 00 08 00 00 E8 03 D4' },
  { what: 'action, all', made: encodeAction(), hex: 'FF FF FE 02 05 FA' },
  {
    what: 'sync write goal, time and speed, ids 1 to 4',
    made: encodeSyncWrite(42, [1, 2, 3, 4].map((id) => ({ id, data: GOAL }))),
    hex: 'FF FF FE 20 83 2A 06 01 00 08 00 00 E8 03 02 00 08 00 00 E8 03 03 00 08 00 00 E8 03 04 00 08 00 00 E8 03 58',
  },
  { what: 'sync write goal 2048, ids 1 to 6', made: encodeSyncWrite(42, ALL.map((id) => ({ id, data: [0x00, 0x08] }))), hex: 'FF FF FE 16 83 2A 02 01 00 08 02 00 08 03 00 08 04 00 08 05 00 08 06 00 08 F7' },
  { what: 'sync write torque off', made: encodeSyncWrite(40, ALL.map((id) => ({ id, data: [0] }))), hex: 'FF FF FE 10 83 28 01 01 00 02 00 03 00 04 00 05 00 06 00 30' },
  { what: 'sync write torque on', made: encodeSyncWrite(40, ALL.map((id) => ({ id, data: [1] }))), hex: 'FF FF FE 10 83 28 01 01 01 02 01 03 01 04 01 05 01 06 01 2A' },
  { what: 'torque off for all, in eight bytes', made: encodeWrite(254, 40, [0]), hex: 'FF FF FE 04 03 28 00 D2' },
  { what: 'sync read position, ids 1 to 6', made: encodeSyncRead(ALL, 56, 2), hex: 'FF FF FE 0A 82 38 02 01 02 03 04 05 06 26' },
  { what: 'sync read 15 bytes from 56, ids 1 to 6', made: encodeSyncRead(ALL, 56, 15), hex: 'FF FF FE 0A 82 38 0F 01 02 03 04 05 06 19' },
  { what: 'sync read 8 bytes from 56, ids 1 and 2', made: encodeSyncRead([1, 2], 56, 8), hex: 'FF FF FE 06 82 38 08 01 02 36' },
  { what: 'lock 0', made: encodeWrite(1, 55, [0]), hex: 'FF FF 01 04 03 37 00 C0' },
  { what: 'lock 1', made: encodeWrite(1, 55, [1]), hex: 'FF FF 01 04 03 37 01 BF' },
  { what: 'homing offset -100', made: encodeWrite(1, 31, [0x64, 0x08]), hex: 'FF FF 01 05 03 1F 64 08 6B' },
  { what: 'homing offset +1073, id 4', made: encodeWrite(4, 31, [0x31, 0x04]), hex: 'FF FF 04 05 03 1F 31 04 9F' },
  { what: 'torque limit 500, id 6', made: encodeWrite(6, 48, [0xf4, 0x01]), hex: 'FF FF 06 05 03 30 F4 01 CC' },
  { what: 'set id 1, to whoever is there', made: encodeWrite(254, 5, [1]), hex: 'FF FF FE 04 03 05 01 F4' },
  { what: 'calibrate the middle', made: encodeFrame(1, 0x0b, []), hex: 'FF FF 01 02 0B F1' },
  { what: 'calibrate to 1024', made: encodeFrame(1, 0x0b, [0x00, 0x04]), hex: 'FF FF 01 04 0B 00 04 EB' },
  { what: 'reset', made: encodeFrame(1, 0x0a, []), hex: 'FF FF 01 02 0A F2' },
  { what: 'recovery', made: encodeFrame(1, 0x06, []), hex: 'FF FF 01 02 06 F6' },
  { what: 'backup', made: encodeFrame(1, 0x09, []), hex: 'FF FF 01 02 09 F3' },
  { what: 'restart', made: encodeFrame(1, 0x08, []), hex: 'FF FF 01 02 08 F4' },
];

export interface ReplyVector {
  readonly what: string;
  readonly hex: string;
  readonly id: number;
  readonly errors: number;
  readonly data: readonly number[];
}

export const REPLIES: readonly ReplyVector[] = [
  { what: 'ping answered', hex: 'FF FF 01 02 00 FC', id: 1, errors: 0, data: [] },
  { what: 'ping answered in overload', hex: 'FF FF 01 02 20 DC', id: 1, errors: 32, data: [] },
  { what: 'position 1304', hex: 'FF FF 01 04 00 18 05 DD', id: 1, errors: 0, data: [0x18, 0x05] },
  { what: 'position 2047', hex: 'FF FF 01 04 00 FF 07 F4', id: 1, errors: 0, data: [0xff, 0x07] },
  { what: 'eight bytes of 1', hex: 'FF FF 01 0A 00 00 08 00 00 00 00 79 1E 55', id: 1, errors: 0, data: [0, 8, 0, 0, 0, 0, 0x79, 0x1e] },
  { what: 'eight bytes of 2', hex: 'FF FF 02 0A 00 FF 07 00 00 00 00 77 23 53', id: 2, errors: 0, data: [0xff, 7, 0, 0, 0, 0, 0x77, 0x23] },
  telemetry(),
];

/** Position 2050, speed -20, load -150, 7.3 V, 34 deg C, status 0, moving 1, target 2100, current 37. */
function telemetry(): ReplyVector {
  return {
    what: 'everything from 56 to 70',
    hex: 'FF FF 01 11 00 02 08 14 80 96 04 49 22 00 00 01 34 08 25 00 E8',
    id: 1,
    errors: 0,
    data: [0x02, 0x08, 0x14, 0x80, 0x96, 0x04, 0x49, 0x22, 0, 0, 1, 0x34, 0x08, 0x25, 0],
  };
}
