import { expect, it } from 'vitest';
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import { SO100 } from '#core/robots/so100.ts';
import { DEFAULT_ARM_LIMITS, DEFAULT_GRIPPER_LIMITS, limitsOf } from './limits.ts';

it("takes the range from the robot, the motion from the defaults, the gripper's apart", () => {
  const limits = limitsOf(SO100);
  expect(limits.length).toBe(SO100.joints.length);
  limits.forEach((limit, i) => {
    expect(limit).toMatchObject({ least: SO100.joints[i]?.least, most: SO100.joints[i]?.most });
    expect(limit).toMatchObject(i === GRIPPER_INDEX ? DEFAULT_GRIPPER_LIMITS : DEFAULT_ARM_LIMITS);
  });
});

it('lets a caller choose, but never faster than the servo', () => {
  const limits = limitsOf(SO100, { arm: { maxSpeedRadPerS: 100 }, gripper: { maxSpeedRadPerS: 0.5 } });
  expect(limits[0]?.maxSpeedRadPerS).toBe(SO100.joints[0]?.maxSpeedRadPerS);
  expect(limits[GRIPPER_INDEX]?.maxSpeedRadPerS).toBe(0.5);
  expect(limits[GRIPPER_INDEX]?.maxAccelerationRadPerS2).toBe(DEFAULT_GRIPPER_LIMITS.maxAccelerationRadPerS2);
});
