/**
 * One motor alone on the wire: who it is, and giving it an id and 1 Mbaud. A new servo is id 1 like every other, so this is only ever
 * done with one on the wire; with two, both would take the same id. It goes through the baud rates that a servo can be told, one
 * opened line each.
 */
import type { FoundMotor } from '#contracts/robot-setup.ts';
import { FailureError } from '#core/lib/failure.ts';
import { readRegister, writeRegister } from './configure.ts';
import type { Bus } from './feetech/bus.ts';
import { BAUD_BY_CODE, encodeRegister, REGISTERS } from './feetech/registers.ts';

/** LeRobot's ids are 1 to 6; somebody may have tried a few more. */
const IDS = Array.from({ length: 21 }, (_, id) => id);
const BAUD_CODE_1M = 0;

/** Rejects with `arm/not-one-motor`. `openAt` opens the line anew at a rate, and closes the one before. */
export async function findMotor(openAt: (baud: number) => Promise<Bus>): Promise<FoundMotor> {
  const found: FoundMotor[] = [];
  for (const baud of BAUD_BY_CODE) {
    const bus = await openAt(baud);
    for (const id of IDS) {
      if ((await bus.ping(id, { attempts: 1 })).kind === 'ok') found.push({ id, baud, model: await readRegister(bus, id, 'modelNumber') });
    }
    // The usual rate first, and nobody mixes rates on one wire on purpose.
    if (found.length > 0) break;
  }
  const [only] = found;
  if (only === undefined || found.length > 1) throw new FailureError('arm/not-one-motor', { found: found.map((motor) => motor.id).join(', ') });
  return only;
}

/** Rejects with `arm/not-one-motor`, `arm/not-kept`. */
export async function nameMotor(openAt: (baud: number) => Promise<Bus>, id: number): Promise<FoundMotor> {
  if (!Number.isInteger(id) || id < 1 || id > 6) throw new FailureError('control/out-of-range', { what: 'id', found: id, least: 1, most: 6 });
  const found = await findMotor(openAt);
  const bus = await openAt(found.baud);
  await writeRegister(bus, found.id, 'torqueEnable', 0);
  await writeRegister(bus, found.id, 'lock', 0);
  // A servo acknowledges these two as who it has just become, or no more: what counts is whether it answers so afterwards.
  if (found.id !== id) await bus.write(found.id, REGISTERS.id.address, encodeRegister('id', id), { attempts: 1 });
  await bus.write(id, REGISTERS.baudRate.address, encodeRegister('baudRate', BAUD_CODE_1M), { attempts: 1 });
  const again = await openAt(BAUD_BY_CODE[BAUD_CODE_1M] as number);
  const model = await readRegister(again, id, 'modelNumber').catch(() => null);
  if (model === null) throw new FailureError('arm/not-kept', { id, joint: String(id), register: 'id', wrote: id, found: null });
  await writeRegister(again, id, 'lock', 1);
  return { id, baud: BAUD_BY_CODE[BAUD_CODE_1M] as number, model };
}
