/**
 * A look at a bus that changes nothing: who answers, and everything they say of themselves. The record goes to the doctor and to
 * the configuration plan; neither touches a wire.
 */
import type { BusScan, ServoScan } from '#contracts/serial.ts';
import type { Clock } from '#contracts/time.ts';
import type { Bus, ServoReply } from './feetech/bus.ts';
import { decodeRegister, REGISTER_NAMES, REGISTERS } from './feetech/registers.ts';
import { servoErrors } from './feetech/servo-errors.ts';

/** Whole table in three reads: EEPROM, SRAM, factory area. Answers of 46 bytes at most. */
const BLOCKS = [
  { address: 0, count: 40 },
  { address: 40, count: 33 },
  { address: 80, count: 7 },
] as const;

export interface ScanOptions {
  readonly clock: Clock;
  readonly baud: number;
  /** In the order of the chain. */
  readonly expectedIds: readonly number[];
  /** Ids to look for besides; silent ones among these are not recorded. */
  readonly otherIds?: readonly number[];
}

export async function scanBus(bus: Bus, options: ScanOptions): Promise<BusScan> {
  const before = bus.counts();
  const servos: ServoScan[] = [];
  for (const id of options.expectedIds) servos.push(await scanServo(bus, id, options.baud));
  for (const id of options.otherIds ?? []) {
    if (options.expectedIds.includes(id)) continue;
    const found = (await bus.ping(id, { attempts: 1 })).kind === 'ok' ? await scanServo(bus, id, options.baud) : null;
    if (found !== null) servos.push(found);
  }
  const after = bus.counts();
  return {
    atMs: options.clock.nowMs(),
    expectedIds: options.expectedIds,
    servos,
    echo: bus.echo === true,
    requests: after.requests - before.requests,
    // A servo that is not there costs requests; trouble is what an answering one did not say at first.
    troubled: after.badChecksums - before.badChecksums + after.strayPackets - before.strayPackets,
    moving: servos.some((servo) => servo.registers['moving'] === 1),
  };
}

async function scanServo(bus: Bus, id: number, baud: number): Promise<ServoScan> {
  const ping = await bus.ping(id, { attempts: 3 });
  if (ping.kind === 'lost') return { id, baud, answer: isGarbled(ping) ? 'garbled' : 'silent', errors: [], registers: {} };
  const registers: Record<string, number> = {};
  let errors = ping.errors;
  let lost = false;
  for (const { address, count } of BLOCKS) {
    const reply = await bus.read(id, address, count, { attempts: 3 });
    if (reply.kind === 'lost') {
      lost ||= isGarbled(reply);
      continue;
    }
    errors |= reply.errors;
    for (const name of REGISTER_NAMES) {
      const register = REGISTERS[name];
      if (register.address >= address && register.address + register.width <= address + count) registers[name] = decodeRegister(name, reply.data, address);
    }
  }
  // Two servos with one id and one state ping alike; their readings differ, and then nothing but rubble arrives.
  return { id, baud, answer: lost ? 'garbled' : 'ok', errors: servoErrors(errors), registers };
}

function isGarbled(reply: ServoReply & { readonly kind: 'lost' }): boolean {
  return reply.reasons.some((reason) => reason === 'checksum' || reason === 'short' || reason === 'wrong-length');
}
