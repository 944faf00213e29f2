/**
 * What the arm really did, by MuJoCo alone: the speed of every corner of every link over each physics step of 2 ms, and the
 * forces where the arm touched the table or itself. Imports nothing of `core/safety`: the gate does not judge itself.
 */
import type { RobotDescription, Vector3 } from '#contracts/robot.ts';
import { transform } from '#core/robots/transforms.ts';
import { STEP_SECONDS, type World } from '#core/world/world.ts';

export interface Measured {
  ticks: number;
  /** Metres a second, measured over 2 ms and over a control tick. */
  fastestStep: number;
  fastestTick: number;
  /** Newton. */
  tableForce: number;
  selfForce: number;
  /** Ticks in which the arm touched the table, or itself. */
  tableTicks: number;
  selfTicks: number;
  /** Radians, arm joints: how far the arm was from what it was told. */
  furthestOff: number;
}

export const nothingMeasured = (): Measured => ({ ticks: 0, fastestStep: 0, fastestTick: 0, tableForce: 0, selfForce: 0, tableTicks: 0, selfTicks: 0, furthestOff: 0 });

export interface Oracle {
  /** Puts the arm there at rest. */
  begin(start: ArrayLike<number>): void;
  /** Lets the arm follow this command for a control tick of 1/30 s. */
  command(positions: readonly number[]): void;
}

const TICK_HZ = 30;

export function createOracle(world: World, robot: RobotDescription, measured: Measured): Oracle {
  const names = robot.links.map((link) => link.name);
  const own = new Set([robot.base.name, ...names]);
  const order = [robot.base.name, ...names];
  const corners = robot.links.map((link) =>
    link.collision.flatMap((shape): readonly Vector3[] => {
      if (shape.kind === 'hull') return shape.points;
      if (shape.kind === 'capsule') return [shape.from, shape.to];
      const [x, y, z] = shape.halfExtents;
      return [-x, x].flatMap((i) => [-y, y].flatMap((j) => [-z, z].map((k) => transform(shape.pose, [i, j, k]))));
    }),
  );
  const where = (): Vector3[] => names.flatMap((name, i) => {
    const pose = world.pose(name);
    return (corners[i] as readonly Vector3[]).map((corner) => transform(pose, corner));
  });
  const fastest = (a: readonly Vector3[], b: readonly Vector3[], seconds: number): number =>
    a.reduce((most, p, k) => {
      const q = b[k] as Vector3;
      return Math.max(most, Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]) / seconds);
    }, 0);
  let tick = 0;
  let before: readonly Vector3[] = [];

  return {
    begin(start) {
      world.placeArm(start);
      // Gravity bends the held arm by a fraction of a degree at once; that is not the gate's doing.
      world.step(100);
      before = where();
      tick = 0;
    },
    command(positions) {
      world.setTargets(positions);
      tick++;
      const steps = Math.round(tick / TICK_HZ / STEP_SECONDS) - Math.round((tick - 1) / TICK_HZ / STEP_SECONDS);
      const began = before;
      let table = 0;
      let self = 0;
      for (let k = 0; k < steps; k++) {
        world.step(1);
        const now = where();
        measured.fastestStep = Math.max(measured.fastestStep, fastest(before, now, STEP_SECONDS));
        before = now;
      }
      for (const { bodyA, bodyB, normalForce } of world.contacts()) {
        if (normalForce <= 0 || (!own.has(bodyA) && !own.has(bodyB))) continue;
        if (bodyA === 'world' || bodyB === 'world') table = Math.max(table, normalForce);
        else if (own.has(bodyA) && own.has(bodyB) && Math.abs(order.indexOf(bodyA) - order.indexOf(bodyB)) > 1) self = Math.max(self, normalForce);
      }
      measured.ticks++;
      measured.fastestTick = Math.max(measured.fastestTick, fastest(began, before, steps * STEP_SECONDS));
      measured.tableForce = Math.max(measured.tableForce, table);
      measured.selfForce = Math.max(measured.selfForce, self);
      if (table > 0) measured.tableTicks++;
      if (self > 0) measured.selfTicks++;
      const reached = world.positions();
      for (let i = 0; i < 5; i++) measured.furthestOff = Math.max(measured.furthestOff, Math.abs((reached[i] as number) - (positions[i] as number)));
    },
  };
}
