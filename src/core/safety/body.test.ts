/** The promises about the arm's body, one by one, through the gate, at the arm's own shape. */
import { describe, expect, it } from 'vitest';
import type { SafetyRule } from '#contracts/control.ts';
import { seededRandom } from '#core/lib/random.ts';
import { linkPoses } from '#core/robots/kinematics.ts';
import { SO100 } from '#core/robots/so100.ts';
import { SO101 } from '#core/robots/so101.ts';
import { transform } from '#core/robots/transforms.ts';
import { createGate, type Gate, type PassContext } from './gate.ts';
import { jointLimits, PROFILES, shapeLimits } from './profile.ts';
import { distanceFromBox, distanceInside } from './rules/keep-out.ts';
import { furthestMoved } from './rules/link-speed.ts';
import { linkPairs } from './rules/self-collision.ts';
import { lowest } from './rules/table.ts';
import { createBody } from './shape/body.ts';
import type { ShapeLimits } from './shape/path-check.ts';
import { segmentDistance } from './shape/segments.ts';
import { cornersOf } from './testing/judge.ts';

describe.each([SO100, SO101])('$name', (robot) => {
  const body = createBody(robot);
  const motion = PROFILES['first-motion'].simulated;
  const NOTHING: ShapeLimits = { body, robot, linkSpeedMPerS: null, servo: null, floorM: null, keepOut: [], workspace: null, selfClearanceM: null };
  const FRESH: PassContext = { stateAgeMs: 0 };
  const gateWith = (shape: Partial<ShapeLimits>, rampSeconds = 0): Gate =>
    createGate({ limits: jointLimits(robot, motion), tickSeconds: 1 / 30, staleAfterMs: 250, rampSeconds, shape: { ...NOTHING, ...shape } }, robot.homePose);
  const placedAt = (pose: ArrayLike<number>) => {
    const placed = body.placement();
    body.place(pose, placed);
    return placed;
  };
  /** Wants `change` a tick for a while; what the gate said and where the arm was. */
  const push = (gate: Gate, change: readonly number[], ticks: number): { rules: Set<SafetyRule>; poses: (readonly number[])[] } => {
    const rules = new Set<SafetyRule>();
    const poses = Array.from({ length: ticks }, () => {
      const passed = gate.pass({ positions: Float64Array.from(gate.positions(), (p, i) => p + (change[i] ?? 0)), velocities: change.map((step) => 30 * step) }, FRESH);
      for (const rule of passed.rules) rules.add(rule);
      return passed.command.positions;
    });
    return { rules, poses };
  };
  /** The fingers go on pointing down. */
  const DOWN = [0, 0.01, 0.01, -0.02, 0, 0];

  describe('the body', () => {
    it('is where the kinematics of core/robots puts it', () => {
      const pose = [0.3, -0.7, 0.4, 1.1, -2, 0.5];
      const { points } = placedAt(pose);
      const corners = cornersOf(robot);
      const all = linkPoses(robot, pose).slice(1).flatMap((link, i) => (corners[i] ?? []).map((corner) => transform(link, corner)));
      const kept = Array.from({ length: points.length / 3 }, (_, k) => [points[3 * k], points[3 * k + 1], points[3 * k + 2]] as [number, number, number]);
      for (const point of kept) expect(Math.min(...all.map((corner) => Math.hypot(...corner.map((x, i) => x - (point[i] as number)))))).toBeLessThan(1e-6);
      // The body leaves out corners that lie inside its links: link by link it must reach as far as all of them, in any direction.
      const random = seededRandom(4);
      robot.links.forEach((_, link) => {
        const pose = linkPoses(robot, [0.3, -0.7, 0.4, 1.1, -2, 0.5])[link + 1] as Parameters<typeof transform>[0];
        const whole = (corners[link] ?? []).map((corner) => transform(pose, corner));
        const own = kept.filter((_point, k) => body.pointLink[k] === link);
        expect(own.length).toBeLessThan(whole.length);
        for (let k = 0; k < 200; k++) {
          const [x, y, z] = [random.between(-1, 1), random.between(-1, 1), random.between(-1, 1)];
          const furthest = (list: readonly (readonly [number, number, number])[]): number => Math.max(...list.map((p) => x * p[0] + y * p[1] + z * p[2]));
          expect(furthest(own)).toBeCloseTo(furthest(whole), 8);
        }
      });
    });

    it('moves no point further than each joint turns times its reach', () => {
      const random = seededRandom(5);
      for (let k = 0; k < 300; k++) {
        const from = robot.joints.map(({ least, most }) => random.between(least, most));
        const to = from.map((p) => p + random.between(-0.2, 0.2));
        const most = to.reduce((sum, p, j) => sum + Math.abs(p - (from[j] as number)) * (body.reach[j] as number), 0);
        expect(furthestMoved(placedAt(from).points, placedAt(to).points)).toBeLessThanOrEqual(most);
      }
    });

    it('knows the distance of two segments', () => {
      const d = (...n: number[]): number => segmentDistance(Float64Array.from(n.slice(0, 6)), 0, Float64Array.from(n.slice(6)), 0);
      expect(d(0, 0, 0, 1, 0, 0, 0.5, 1, -1, 0.5, 1, 1)).toBeCloseTo(1, 12);
      expect(d(0, 0, 0, 1, 0, 0, 3, 0, 0, 4, 0, 0)).toBeCloseTo(2, 12);
      expect(d(0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 2, 0)).toBeCloseTo(2, 12);
      expect(d(0, 0, 0, 0, 0, 0, 0, 3, 4, 0, 3, 4)).toBeCloseTo(5, 12);
    });
  });

  describe('link speed', () => {
    it('slows the whole step, in its own direction, and never goes faster anywhere on the arm', () => {
      const gate = gateWith({ linkSpeedMPerS: 0.25 });
      const { rules, poses } = push(gate, [0.06, 0, 0.03, 0, 0, 0], 20);
      expect(rules.has('link-speed')).toBe(true);
      const placed = [robot.homePose, ...poses].map((pose) => placedAt(pose).points);
      const speeds = poses.map((_, k) => furthestMoved(placed[k] as Float64Array, placed[k + 1] as Float64Array) * 30);
      expect(Math.max(...speeds)).toBeLessThanOrEqual(0.25 + 1e-6);
      expect(speeds.at(-1)).toBeGreaterThan(0.23);
      const [before, after] = poses.slice(-2) as [readonly number[], readonly number[]];
      expect(((after[0] as number) - (before[0] as number)) / ((after[2] as number) - (before[2] as number))).toBeCloseTo(2, 1);
      expect(push(gateWith({}), [0.06, 0, 0.03, 0, 0, 0], 20).rules.has('link-speed')).toBe(false);
    });

    it('is less out of rest, and less when slowed', () => {
      const first = push(gateWith({ linkSpeedMPerS: 0.25 }, 1), [0.06, 0, 0, 0, 0, 0], 4);
      expect(first.rules.has('ramp') || first.rules.has('link-speed')).toBe(true);
      const steps = first.poses.map((pose, k) => (pose[0] as number) - ((first.poses[k - 1] ?? robot.homePose)[0] as number));
      expect(Math.max(...steps)).toBeLessThan(0.02);
      const gate = gateWith({});
      const passed = gate.pass({ positions: Float64Array.from(robot.homePose, (p, i) => p + (i === 0 ? 1 : 0)), velocities: null }, { ...FRESH, slow: { share: 0, by: 'temperature' } });
      expect(passed.rules).toContain('temperature');
      expect(passed.command.positions).toEqual([...robot.homePose]);
    });
  });

  describe('places', () => {
    it('stops above the table, slides along it, and brakes without touching it', () => {
      const gate = gateWith({ floorM: 0.005 });
      const { rules, poses } = push(gate, DOWN, 90);
      expect(rules.has('table')).toBe(true);
      expect(Math.min(...poses.map((pose) => lowest(placedAt(pose).points)))).toBeGreaterThanOrEqual(0.005 - 1e-8);
      const along = push(gate, [0.02, 0.01, 0.01, -0.02, 0, 0], 30);
      expect((along.poses.at(-1) as number[])[0]).toBeGreaterThan(0.2);
      for (const pose of along.poses) expect(lowest(placedAt(pose).points)).toBeGreaterThanOrEqual(0.005 - 1e-8);
      expect(push(gateWith({}), DOWN, 90).poses.some((pose) => lowest(placedAt(pose).points) < 0)).toBe(true);
    });

    it('keeps out of a box, and inside the workspace', () => {
      const box = { least: [0.08, -0.4, 0], most: [0.3, -0.1, 0.3] } as const;
      const turn = [-0.03, 0, 0, 0, 0, 0];
      const kept = push(gateWith({ keepOut: [box] }), turn, 60);
      expect(kept.rules.has('keep-out')).toBe(true);
      for (const pose of kept.poses) expect(distanceFromBox(body, placedAt(pose), box)).toBeGreaterThanOrEqual(-1e-8);
      const room = { least: [-0.3, -0.5, 0], most: [0.12, 0.3, 0.6] } as const;
      const inside = push(gateWith({ workspace: room }), turn, 60);
      expect(inside.rules.has('workspace')).toBe(true);
      for (const pose of inside.poses) expect(distanceInside(placedAt(pose).points, room)).toBeGreaterThanOrEqual(-1e-8);
    });

    it('keeps links that are not neighbours apart', () => {
      const fold = [0, -0.02, 0.02, 0.03, 0, 0];
      const pairs = linkPairs(body, robot, 0.005);
      const least = (poses: readonly (readonly number[])[]): number => {
        const found = new Float64Array(pairs.count);
        return Math.min(
          ...poses.map((pose) => {
            pairs.distances(placedAt(pose), found);
            return Math.min(...found);
          }),
        );
      };
      const kept = push(gateWith({ selfClearanceM: 0.005 }), fold, 120);
      expect(kept.rules.has('self-collision')).toBe(true);
      expect(least(kept.poses)).toBeGreaterThanOrEqual(0.005 - 1e-8);
      expect(least(push(gateWith({}), fold, 120).poses)).toBeLessThan(0);
    });

    it('asks more where corners could meet, and less around the folded pose, so that an arm can be put to rest', () => {
      const pairs = linkPairs(body, robot, 0.012);
      // MuJoCo lets shoulder and gripper touch here, 11.6 mm from capsule to capsule.
      const touching = [-0.493, -1.412, 0.948, 1.623, -0.246, 0.722];
      const found = new Float64Array(pairs.count);
      pairs.distances(placedAt(touching), found);
      expect(found.some((d, p) => d < (pairs.neededAt(touching)[p] as number))).toBe(true);
      pairs.distances(placedAt(robot.restPose), found);
      expect(found.every((d, p) => d >= (pairs.neededAt(robot.restPose)[p] as number))).toBe(true);
      expect(found.some((d, p) => d < (pairs.needed[p] as number))).toBe(true);
    });

    it('asks no more of wrist and jaw than roll and jaw leave them everywhere in their ranges', () => {
      const pairs = linkPairs(body, robot, PROFILES['first-motion'].selfClearanceM);
      const found = new Float64Array(pairs.count);
      for (let k = 0; k < 400; k++) {
        const pose = robot.joints.map(({ least, most }, i) => (i < 4 ? (robot.homePose[i] as number) : least + ((most - least) * (i === 4 ? k % 20 : Math.floor(k / 20))) / 19));
        pairs.distances(placedAt(pose), found);
        expect(found.at(-1)).toBeGreaterThanOrEqual(pairs.needed.at(-1) as number);
      }
    });

    it('an arm that begins where it may not be may leave, and comes no nearer', () => {
      const shape = { floorM: 0.1 };
      const start = lowest(placedAt(robot.homePose).points);
      expect(start).toBeLessThan(0.1);
      const down = push(gateWith(shape), DOWN, 60);
      expect(down.rules.has('table')).toBe(true);
      expect(Math.min(...down.poses.map((pose) => lowest(placedAt(pose).points)))).toBeGreaterThanOrEqual(start - 1e-8);
      expect(push(gateWith(shape), [0, -0.01, -0.01, 0, 0, 0], 30).poses.at(-1)).not.toEqual([...robot.homePose]);
    });
  });

  describe('refused whole', () => {
    const wanted = { positions: Float64Array.from(robot.homePose, (p) => p + 0.01), velocities: null };
    it('by others, by name', () => {
      expect(gateWith({}).pass(wanted, { ...FRESH, refusedBy: ['tab-hidden', 'page-silent'] })).toMatchObject({ rules: ['page-silent', 'tab-hidden'], limitedJoints: [0, 1, 2, 3, 4, 5] });
    });

    it('a joint a whole turn outside its range, and a reading of another clock', () => {
      const turn = { positions: Float64Array.from(robot.homePose, (p, i) => p + (i === 4 ? 12 : 0.01)), velocities: null };
      const passed = gateWith({}).pass(turn, FRESH);
      expect(passed.rules).toEqual(['range']);
      expect(passed.command.positions).toEqual([...robot.homePose]);
      for (const stateAgeMs of [-3.6e6, Number.NaN, null, 251]) expect(gateWith({}).pass(wanted, { stateAgeMs }).rules).toEqual(['stale-state']);
    });
  });
});

it.each([[SO100, SO101], [SO101, SO100]] as const)('a gate is not made of the limits of one arm and the body of another: %s, %s', (one, other) => {
  const { real, simulated } = PROFILES['first-motion'];
  for (const [side, motion] of [['real', real], ['simulated', simulated]] as const) {
    const mixed = shapeLimits(one, createBody(other), PROFILES['first-motion'], side);
    expect(() => createGate({ limits: jointLimits(one, motion), tickSeconds: 1 / 30, staleAfterMs: 250, shape: mixed }, one.homePose)).toThrow('arm/other-body');
  }
});
