/**
 * From a line of bytes to an arm that may be moved: look, refuse or configure, look again, read. Leaves torque as it finds
 * it, so an arm that somebody holds does not drop; `engage` takes hold of it.
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { ArmCalibration, BusScan, Finding, FindingCode, RegisterChange } from '#contracts/serial.ts';
import { FailureError } from '#core/lib/failure.ts';
import { calibrationInServos } from './calibrate.ts';
import { applyChanges, configurationChanges } from './configure.ts';
import { diagnose } from './doctor.ts';
import { createBus, type Bus } from './feetech/bus.ts';
import type { ByteLink } from './feetech/link.ts';
import { scanBus } from './scan.ts';
import { serialArm, type SerialArm, type SerialArmOptions } from './serial-arm.ts';

export interface ConnectOptions extends Omit<SerialArmOptions, 'bus' | 'calibration'> {
  /** `in-servos`: what their EEPROM holds. */
  readonly calibration: ArmCalibration | 'in-servos';
  readonly link: ByteLink;
  readonly baud?: number;
  readonly allowanceMs?: number;
  /** `write`: LeRobot's configure() where it differs. `leave`: as the servos are; what that forbids is refused. */
  readonly configure: 'write' | 'leave';
}

export interface ConnectedArm {
  readonly arm: SerialArm;
  readonly bus: Bus;
  readonly calibration: ArmCalibration;
  readonly scan: BusScan;
  /** What the doctor found and let pass. */
  readonly findings: readonly Finding[];
  readonly changed: readonly RegisterChange[];
}

/** What configuring mends by itself. */
const MENDED: readonly FindingCode[] = ['wrong-mode', 'multi-turn'];

/**
 * Rejects with `arm/refused` (facts: the first finding that forbids moving), `arm/port-lost`, `arm/servo-lost`, `arm/not-kept`; the link is
 * closed then.
 */
export async function connectSerialArm(options: ConnectOptions): Promise<ConnectedArm> {
  const { clock, robot } = options;
  const baud = options.baud ?? 1_000_000;
  const bus = createBus(options.link, { clock, baud, ...(options.allowanceMs === undefined ? {} : { allowanceMs: options.allowanceMs }) });
  try {
    const given = options.calibration;
    const expectedIds = JOINT_NAMES.map((name, i) => (given === 'in-servos' ? i + 1 : given[name].id));
    const look = (): Promise<BusScan> => scanBus(bus, { clock, baud, expectedIds });

    let scan = await look();
    const known = given === 'in-servos' ? calibrationInServos(scan) : given;
    const examine = (seen: BusScan): readonly Finding[] => diagnose(seen, { calibration: known, robot, expectedBaud: 1_000_000 });
    let findings = examine(scan);
    if (!bus.open) throw new FailureError('arm/port-lost', { reason: 'unplugged' });
    refuse(findings.filter((finding) => options.configure === 'leave' || !MENDED.includes(finding.code)));
    if (known === null) throw new FailureError('arm/refused', { finding: 'range-full-turn', id: 1, joint: JOINT_NAMES[0] });
    const calibration = known;
    const changed = options.configure === 'write' ? configurationChanges(scan, calibration.gripper.id) : [];
    if (changed.length > 0) {
      await applyChanges(bus, changed);
      scan = await look();
      findings = examine(scan);
      refuse(findings);
    }
    const arm = serialArm({ ...options, calibration, bus });
    await arm.refresh();
    return { arm, bus, calibration, scan, findings, changed };
  } catch (thrown) {
    await bus.close();
    throw thrown;
  }
}

function refuse(findings: readonly Finding[]): void {
  const first = findings.find((finding) => finding.weight === 'refuse');
  if (first !== undefined) throw new FailureError('arm/refused', { finding: first.code, ...first.facts });
}
