/** Conversions against LeRobot 0.6.2's formulas and the published model offsets. */
import { describe, expect, it } from 'vitest';
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { JointUnits, Radians, Ticks } from '#contracts/units.ts';
import { seededRandom } from '#core/lib/random.ts';
import { radiansToUnits, radiansVectorToUnits, range100ToTicks, ticksToRange100, ticksToUnits, unitsToRadians, unitsToTicks, unitsVectorToRadians, type JointCalibration } from './units.ts';

const ticks = (value: number): Ticks => value as Ticks;
const units = (value: number): JointUnits => value as JointUnits;
const elbow: JointCalibration = { rangeMin: 912, rangeMax: 3089, driveMode: 0 };
const gripper: JointCalibration = { rangeMin: 2030, rangeMax: 3500, driveMode: 0 };

describe('joint units and radians', () => {
  it('reads arm degrees as degrees and the gripper as -10 + 1.1 g degrees', () => {
    expect(unitsToRadians(units(90), 0)).toBeCloseTo(Math.PI / 2, 12);
    expect(unitsToRadians(units(0), GRIPPER_INDEX)).toBeCloseTo((-10 * Math.PI) / 180, 12);
    expect(unitsToRadians(units(100), GRIPPER_INDEX)).toBeCloseTo((100 * Math.PI) / 180, 12);
    expect(radiansToUnits(((45 * Math.PI) / 180) as Radians, GRIPPER_INDEX)).toBeCloseTo(50, 12);
  });

  it('comes back to the same numbers, one joint or six', () => {
    const start = [-110, 99.5, 12.25, -95, 160, 37];
    const back = radiansVectorToUnits(unitsVectorToRadians(start));
    start.forEach((value, i) => expect(back[i]).toBeCloseTo(value, 10));
    expect(() => unitsVectorToRadians([1, 2, 3])).toThrow(RangeError);
  });
});

describe('ticks, as LeRobot counts them', () => {
  it('puts zero degrees at the middle of the range, halves included, and 360 degrees on 4095 ticks', () => {
    // (912 + 3089) / 2 = 2000.5
    expect(ticksToUnits(ticks(2000.5), 2, elbow)).toBe(0);
    expect(ticksToUnits(ticks(2000.5 + 4095), 2, elbow)).toBe(360);
    expect(ticksToUnits(ticks(2047), 4, { rangeMin: 0, rangeMax: 4095, driveMode: 0 })).toBe(((2047 - 2047.5) * 360) / 4095);
  });

  it('never clamps degrees, in either direction, and ignores the drive mode for them', () => {
    expect(ticksToUnits(ticks(4000), 2, elbow)).toBeCloseTo((1999.5 * 360) / 4095, 12);
    expect(unitsToTicks(units(180), 2, elbow)).toBe(Math.trunc(2000.5 + 2047.5));
    expect(unitsToTicks(units(180), 2, { ...elbow, driveMode: 1 })).toBe(4048);
  });

  it('truncates towards zero when encoding', () => {
    expect(unitsToTicks(units(0), 2, elbow)).toBe(2000);
    // 10 degrees = 113.75 ticks; 2000.5 + 113.75 = 2114.25
    expect(unitsToTicks(units(10), 2, elbow)).toBe(2114);
    // Below zero truncation goes up: -180.5 degrees = -2053.19 ticks, -52.69 in all.
    expect(unitsToTicks(units(-180.5), 2, elbow)).toBe(-52);
  });

  it('clamps the gripper to 0..100 and turns it round for drive mode 1', () => {
    expect(ticksToUnits(ticks(2030), GRIPPER_INDEX, gripper)).toBe(0);
    expect(ticksToUnits(ticks(1900), GRIPPER_INDEX, gripper)).toBe(0);
    expect(ticksToUnits(ticks(9999), GRIPPER_INDEX, gripper)).toBe(100);
    expect(ticksToUnits(ticks(2765), GRIPPER_INDEX, gripper)).toBeCloseTo(50, 12);
    expect(ticksToUnits(ticks(2030), GRIPPER_INDEX, { ...gripper, driveMode: 1 })).toBe(100);
    expect(unitsToTicks(units(50), GRIPPER_INDEX, gripper)).toBe(2765);
    expect(unitsToTicks(units(140), GRIPPER_INDEX, gripper)).toBe(3500);
    expect(unitsToTicks(units(30), GRIPPER_INDEX, { ...gripper, driveMode: 1 })).toBe(Math.trunc(0.7 * 1470 + 2030));
  });

  it('knows the -100..100 of datasets before 0.4.4', () => {
    expect(ticksToRange100(ticks(912), elbow)).toBe(-100);
    expect(ticksToRange100(ticks(3089), elbow)).toBe(100);
    expect(ticksToRange100(ticks(4000), elbow)).toBe(100);
    expect(ticksToRange100(ticks(3089), { ...elbow, driveMode: 1 })).toBe(-100);
    expect(range100ToTicks(0, elbow)).toBe(2000);
    expect(range100ToTicks(-250, elbow)).toBe(912);
  });

  it('is off by less than one tick after there and back, at random calibrations', () => {
    const seed = 5;
    const random = seededRandom(seed);
    for (let n = 0; n < 2000; n++) {
      const rangeMin = random.index(1800);
      const calibration: JointCalibration = { rangeMin, rangeMax: rangeMin + 200 + random.index(2000), driveMode: random.index(2) === 1 ? 1 : 0 };
      const joint = random.index(6);
      const start = rangeMin + random.index(calibration.rangeMax - rangeMin + 1);
      const back = unitsToTicks(ticksToUnits(ticks(start), joint, calibration), joint, calibration);
      expect(Math.abs(back - start), `seed ${seed}, n ${n}`).toBeLessThanOrEqual(1);
    }
  });
});
