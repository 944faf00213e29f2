/**
 * The protobuf wire format, as much of it as ONNX needs: varints, fixed 32-bit numbers and length-delimited bytes.
 * Knows field numbers as numbers and no message of any schema.
 *
 *   message  = field*           field = key payload         key = (number << 3 | wire type) as varint
 *   wire 0: varint   wire 1: 8 bytes   wire 2: length as varint, then bytes   wire 5: 4 bytes
 */

/** Collects the fields of one message. Nested messages are written as their finished bytes. */
export class MessageWriter {
  private readonly pieces: Uint8Array[] = [];
  private size = 0;

  /** Whole numbers, negative ones as 64-bit two's complement (ten bytes), as protobuf's int64 asks. */
  int(field: number, value: number | bigint): this {
    return this.raw(varint((BigInt(field) << 3n) | 0n)).raw(varint(BigInt(value)));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.raw(varint((BigInt(field) << 3n) | 5n)).raw(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.raw(varint((BigInt(field) << 3n) | 2n)).raw(varint(BigInt(value.length))).raw(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: MessageWriter): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const piece of this.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  private raw(piece: Uint8Array): this {
    this.pieces.push(piece);
    this.size += piece.length;
    return this;
  }
}

function varint(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, value);
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(bytes);
}

export type Field =
  | { readonly number: number; readonly wire: 'varint'; readonly value: bigint }
  | { readonly number: number; readonly wire: 'fixed32' | 'fixed64' | 'bytes'; readonly value: Uint8Array };

/**
 * The fields of a message in file order. Throws a plain Error where the bytes end early or a wire type is unknown:
 * ONNX files come only from our own writer, so a bad one is a defect and not a user's mistake.
 */
export function* readFields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const take = (count: number): Uint8Array => {
    if (count < 0 || at + count > bytes.length) throw new Error(`protobuf ends at ${bytes.length}, wanted ${at + count}`);
    const piece = bytes.subarray(at, at + count);
    at += count;
    return piece;
  };
  const takeVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('protobuf varint is longer than ten bytes');
  };
  while (at < bytes.length) {
    const key = Number(takeVarint());
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (wire === 0) yield { number, wire: 'varint', value: takeVarint() };
    else if (wire === 1) yield { number, wire: 'fixed64', value: take(8) };
    else if (wire === 2) yield { number, wire: 'bytes', value: take(Number(takeVarint())) };
    else if (wire === 5) yield { number, wire: 'fixed32', value: take(4) };
    else throw new Error(`protobuf wire type ${wire} in field ${number}`);
  }
}
