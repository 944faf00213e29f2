/** Moving the fingers through the room by keys: what control is told, against the forward kinematics. */
import { expect, it } from 'vitest';
import { gripPose } from '#core/robots/kinematics.ts';
import { SO100 } from '#core/robots/so100.ts';
import { rotate } from '#core/robots/transforms.ts';
import { radiansVectorToUnits, unitsVectorToRadians } from '#core/robots/units.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import { eventHub } from './events.ts';
import { manualVerbs } from './manual-verbs.ts';
import type { SessionContext } from './context.ts';

it('moves the fingers straight, and stays where it cannot reach', async () => {
  const told: JointUnitsVector[] = [];
  const target = [...radiansVectorToUnits(SO100.homePose)];
  const limits = SO100.joints.map((joint, i) => ({ name: joint.name, least: -180, most: i === 5 ? 100 : 180 }));
  // Only what these verbs ask of the app.
  const context = {
    house: { control: { api: { setManualTargets: async (sent: JointUnitsVector) => (told.push(sent), { ok: true, value: null }) } } },
    stores: { arm: { getState: () => ({ limits }) }, world: { getState: () => ({ scene: { description: { robot: SO100 } } }) } },
    events: eventHub(),
    readArm: () => ({ target }),
  } as unknown as SessionContext;
  const verbs = manualVerbs(context);
  const before = gripPose(SO100, SO100.homePose);
  for (let k = 0; k < 20; k++) await verbs.nudgeGrip([0.0015, 0, 0.001]);
  const after = gripPose(SO100, unitsVectorToRadians(told.at(-1) as JointUnitsVector));
  expect(after.position[0] - before.position[0]).toBeCloseTo(0.03, 3);
  expect(after.position[1] - before.position[1]).toBeCloseTo(0, 3);
  expect(after.position[2] - before.position[2]).toBeCloseTo(0.02, 3);
  const down = rotate(after.rotation, [0, 0, 1]);
  expect(Math.acos(Math.min(1, -down[2])) * (180 / Math.PI)).toBeLessThan(15);
  const count = told.length;
  await verbs.nudgeGrip([0, -1, 0]);
  expect(told.length).toBe(count);
});
