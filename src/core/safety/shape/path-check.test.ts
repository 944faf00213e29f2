/** The fast check of a step against the slow one, on random steps from random poses, near everything it can be near. */
import { expect, it } from 'vitest';
import { seededRandom } from '#core/lib/random.ts';
import { SO100 } from '#core/robots/so100.ts';
import { jointLimits, PROFILES, shapeLimits } from '../profile.ts';
import { NO_JERK_LIMIT_DV, type Motion } from '../rules/jerk.ts';
import { slowPathCheck } from '../testing/slow-path-check.ts';
import { createBody } from './body.ts';
import { pathCheck } from './path-check.ts';

it('decides what the slow one decides, and names the same rule', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
  console.log(`path check seed ${seed} (repeat with FUZZ_SEED=${seed})`);
  const random = seededRandom(seed);
  const body = createBody(SO100);
  const named: Record<string, number> = {};
  let steps = 0;
  // Ten rounds, and more where chance has led near too few things: five kinds of answer are to be seen, and a fold.
  const seen = (): number => Object.keys(named).length;
  for (let round = 0; round < 10 || (round < 200 && (seen() < 5 || named['self-collision'] === undefined)); round++) {
    const profile = PROFILES[random.uniform() < 0.5 ? 'first-motion' : 'research'];
    const x = random.between(-0.2, 0.1);
    const limits = {
      ...shapeLimits(SO100, body, profile, 'simulated'),
      ...(round % 3 === 0 ? { workspace: { least: [-0.3, -0.4, 0.002], most: [0.3, 0.2, 0.35] } as const } : {}),
      ...(round % 3 === 1 ? { keepOut: [{ least: [x, -0.4, 0], most: [x + 0.1, -0.2, 0.2] } as const] } : {}),
    };
    const dt = 1 / (20 + random.index(80));
    const motions = jointLimits(SO100, profile.simulated).map((limit): Motion => {
      const dv = limit.maxAccelerationRadPerS2 * dt;
      return { dt, dv, dj: Math.min(NO_JERK_LIMIT_DV * dv, (limit.maxJerkRadPerS3 ?? Infinity) * dt * dt) };
    });
    const fast = pathCheck(limits);
    const slow = slowPathCheck(limits);
    // A walk, because the fast one remembers what was far.
    const spread = random.uniform();
    // Every fourth round about rest, where what two links need changes with the pose.
    const [about, width] = round % 4 === 3 ? [SO100.restPose, 0.25 * spread] : [SO100.homePose, spread];
    let at = SO100.joints.map(({ least, most }, i) => (about[i] as number) + width * (random.between(least, most) - (about[i] as number)));
    for (let k = 0; k < 12; k++) {
      // Slow ones meet places, fast ones are too fast.
      const pace = (random.uniform() < 0.7 ? 0.1 : 1) * profile.simulated.armSpeedRadPerS;
      const speed = at.map(() => random.between(-1, 1) * pace);
      const stepSpeed = speed.map((v, i) => v + random.between(-1, 1) * Math.min((motions[i] as Motion).dv, (motions[i] as Motion).dj));
      const arm = random.uniform() < 0.3 ? null : { measured: at.map((p) => p + random.between(-0.06, 0.06)), leadM: random.between(0.005, 0.06) };
      const share = random.between(0.5, 1);
      fast.begin(at, arm);
      const found = fast.broken(at, speed, stepSpeed, motions, share);
      expect(found, `round ${round} step ${k}`).toBe(slow({ at, speed, stepSpeed, arm, share }, motions));
      named[found ?? 'nothing'] = (named[found ?? 'nothing'] ?? 0) + 1;
      steps++;
      const far = random.uniform() < 0.1 ? 8 : 1;
      at = at.map((p, i) => Math.min((SO100.joints[i] as { most: number }).most, Math.max((SO100.joints[i] as { least: number }).least, p + far * (stepSpeed[i] as number) * dt)));
    }
  }
  console.log(`${steps} steps: ${JSON.stringify(named)}`);
  expect(seen()).toBeGreaterThanOrEqual(5);
  expect(named['self-collision']).toBeGreaterThan(0);
}, 60_000);
