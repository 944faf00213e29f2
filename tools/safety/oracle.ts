/**
 * What the arm really did, by MuJoCo alone: the speed of every corner of every link over each physics step of 2 ms, and the
 * forces where the arm touched the table or itself. Imports nothing of `core/safety`: the gate does not judge itself.
 */
import type { RobotDescription, Vector3 } from '#contracts/robot.ts';
import { transform } from '#core/robots/transforms.ts';
import { STEP_SECONDS, type World } from '#core/world/world.ts';

export interface Measured {
  ticks: number;
  /** Metres a second: over 2 ms; by control tick, what was moved over 1/30 s. `Free` where nothing was touched for half a second. */
  fastestStep: number;
  fastestTick: number;
  fastestTickFree: number;
  freeTicks: number;
  /** Free ticks in which some corner went faster than 250 mm/s. */
  overFree: number;
  /** Newton. */
  tableForce: number;
  selfForce: number;
  /** Ticks in which the arm touched the table, or itself. */
  tableTicks: number;
  selfTicks: number;
  /** Which two links pressed hardest on each other, and in which pose (radians, as told); empty where none did. */
  selfWhere: string;
  /** Radians, arm joints: how far the arm was from what it was told. */
  furthestOff: number;
}

export const nothingMeasured = (): Measured => ({ ticks: 0, fastestStep: 0, fastestTick: 0, fastestTickFree: 0, freeTicks: 0, overFree: 0, tableForce: 0, selfForce: 0, tableTicks: 0, selfTicks: 0, selfWhere: '', furthestOff: 0 });

export interface Oracle {
  /** Puts the arm there at rest. */
  begin(start: ArrayLike<number>): void;
  /** Where its joints are, radians. */
  measured(): ArrayLike<number>;
  /** Lets the arm follow this command for a control tick of 1/30 s. */
  command(positions: readonly number[]): void;
}

/** Beside the figures, wherever they are written. */
export const WHY_FASTER = `Why more than 250 mm/s is measured where no more is commanded. A servo follows a target that jumps 30 times a second and sags
under the arm's weight; where joints speed up and slow down at once their lags do not cancel, and a corner goes a few per cent
faster for a tick. An arm that something held back and then lets go catches up with its goal at the servo's own speed, over the
way that the rule \`lead\` lets it be behind. The profile \`owner\` commands no more than 225 mm/s on a real arm, so that free air stays
below 250. The table is touched because the arm sags by more than the clearance of 1 mm that leaves room to pick up a cube.
`;

const TICK_HZ = 30;
/** A joint that was held back and comes free catches up with its goal: that is the servo's speed and not the gate's. */
const FREE_AFTER_TICKS = 15;
const REDUCED_SPEED = 0.25;

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
  // Flat, because it runs 500 times in a simulated second: x y z of each corner in its link's frame, and in the world.
  const local = Float64Array.from(corners.flat(2));
  const linkOf = corners.flatMap((list, link) => list.map(() => link));
  const poses = new Float64Array(7 * world.bodies.names.length);
  const where = (): Float64Array => {
    world.readPoses(poses);
    const into = new Float64Array(local.length);
    for (let k = 0; k < linkOf.length; k++) {
      // BodyTable order: the base, then the links.
      const at = 7 * ((linkOf[k] as number) + 1);
      const [x, y, z] = [local[3 * k] as number, local[3 * k + 1] as number, local[3 * k + 2] as number];
      const [w, a, b, c] = [poses[at + 3] as number, poses[at + 4] as number, poses[at + 5] as number, poses[at + 6] as number];
      // p + 2 w (q x p) + 2 q x (q x p), q the vector part.
      const [u, v, t] = [b * z - c * y, c * x - a * z, a * y - b * x];
      into[3 * k] = x + 2 * (w * u + b * t - c * v) + (poses[at] as number);
      into[3 * k + 1] = y + 2 * (w * v + c * u - a * t) + (poses[at + 1] as number);
      into[3 * k + 2] = z + 2 * (w * t + a * v - b * u) + (poses[at + 2] as number);
    }
    return into;
  };
  const fastest = (a: Float64Array, b: Float64Array, seconds: number): number => {
    let most = 0;
    for (let k = 0; k < a.length; k += 3) most = Math.max(most, ((b[k] as number) - (a[k] as number)) ** 2 + ((b[k + 1] as number) - (a[k + 1] as number)) ** 2 + ((b[k + 2] as number) - (a[k + 2] as number)) ** 2);
    return Math.sqrt(most) / seconds;
  };
  let tick = 0;
  let touchedTicksAgo = 0;
  let before: Float64Array = new Float64Array(0);

  return {
    begin(start) {
      world.placeArm(start);
      // Gravity bends the held arm by a fraction of a degree at once; that is not the gate's doing.
      world.step(100);
      before = where();
      tick = 0;
      touchedTicksAgo = 0;
    },
    measured: () => world.positions(),
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
      let pressed = '';
      let touched = false;
      for (const { bodyA, bodyB, normalForce } of world.contacts()) {
        if (normalForce <= 0 || (!own.has(bodyA) && !own.has(bodyB))) continue;
        const both = own.has(bodyA) && own.has(bodyB);
        // Neighbours share a hinge and always touch.
        if (both && Math.abs(order.indexOf(bodyA) - order.indexOf(bodyB)) <= 1) continue;
        touched = true;
        if (bodyA === 'world' || bodyB === 'world') table = Math.max(table, normalForce);
        else if (both && normalForce > self) {
          self = normalForce;
          pressed = `${bodyA} and ${bodyB} at ${positions.map((p) => p.toFixed(3)).join(', ')}`;
        }
      }
      touchedTicksAgo = touched ? 0 : touchedTicksAgo + 1;
      measured.ticks++;
      // A tick is 16 or 17 steps of 2 ms in turn; what a command asks for in either is a thirtieth of a second of motion.
      const speed = fastest(began, before, 1 / TICK_HZ);
      measured.fastestTick = Math.max(measured.fastestTick, speed);
      if (touchedTicksAgo >= FREE_AFTER_TICKS) {
        measured.freeTicks++;
        measured.fastestTickFree = Math.max(measured.fastestTickFree, speed);
        if (speed > REDUCED_SPEED) measured.overFree++;
      }
      if (self > measured.selfForce) measured.selfWhere = pressed;
      measured.tableForce = Math.max(measured.tableForce, table);
      measured.selfForce = Math.max(measured.selfForce, self);
      if (table > 0) measured.tableTicks++;
      if (self > 0) measured.selfTicks++;
      const reached = world.positions();
      for (let i = 0; i < 5; i++) measured.furthestOff = Math.max(measured.furthestOff, Math.abs((reached[i] as number) - (positions[i] as number)));
    },
  };
}
