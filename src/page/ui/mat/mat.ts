/**
 * A mat for a real table, one to one: where the arm's base stands and where each cube and the bowl of the simulated table lie, as sheets of
 * A4 to be printed, cut along their frames and taped together. Drawn as seen from above with the arm at the top, looking down the page. Pure:
 * a description goes in, drawings in millimetres come out. Knows no printer.
 */
import type { Pose, RobotDescription } from '#contracts/robot.ts';
import type { SceneDescription, SceneObject } from '#contracts/scene.ts';

/** Millimetres on the paper: x to the right, y down the page. */
export interface MatSheet {
  readonly row: number;
  readonly column: number;
  /** Where the sheet lies on the whole drawing. */
  readonly left: number;
  readonly top: number;
}

export interface MatShape {
  readonly kind: 'polygon' | 'circle';
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** For a circle; else 0. */
  readonly radius: number;
}

export interface Mat {
  readonly shapes: readonly MatShape[];
  readonly sheets: readonly MatSheet[];
  readonly rows: number;
  readonly columns: number;
}

/** A4 less a centimetre all round, which every printer can fill. */
export const SHEET_MM = { width: 190, height: 277 } as const;
const AROUND_MM = 12;

export function matOf({ robot, objects }: SceneDescription): Mat {
  const shapes = [baseShape(robot), ...objects.map(shapeOf)];
  const xs = shapes.flatMap(({ points, radius }) => points.flatMap(([x]) => [x - radius, x + radius]));
  const ys = shapes.flatMap(({ points, radius }) => points.flatMap(([, y]) => [y - radius, y + radius]));
  const least = [Math.min(...xs) - AROUND_MM, Math.min(...ys) - AROUND_MM] as const;
  const most = [Math.max(...xs) + AROUND_MM, Math.max(...ys) + AROUND_MM] as const;
  const columns = Math.ceil((most[0] - least[0]) / SHEET_MM.width);
  const rows = Math.ceil((most[1] - least[1]) / SHEET_MM.height);
  // What is left over is shared, so that the drawing lies in the middle of its sheets.
  const left = (least[0] + most[0]) / 2 - (columns * SHEET_MM.width) / 2;
  const top = (least[1] + most[1]) / 2 - (rows * SHEET_MM.height) / 2;
  const sheets = Array.from({ length: rows * columns }, (_, i): MatSheet => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return { row, column, left: left + column * SHEET_MM.width, top: top + row * SHEET_MM.height };
  });
  return { shapes, sheets, rows, columns };
}

/** World metres to paper: behind the arm is up the page. */
function paper(x: number, y: number): readonly [number, number] {
  return [x * 1000, -y * 1000];
}

/** The foot's outline: a box around what of the base touches the table, near enough to set it down by. */
function baseShape(robot: RobotDescription): MatShape {
  const points = robot.base.collision.flatMap((shape): (readonly [number, number])[] => {
    switch (shape.kind) {
      case 'box':
        return corners(shape.pose, shape.halfExtents[0], shape.halfExtents[1]);
      case 'capsule':
        return [shape.from, shape.to].flatMap(([x, y]) => [paper(x - shape.radius, y - shape.radius), paper(x + shape.radius, y + shape.radius)]);
      case 'hull':
        return shape.points.map(([x, y]) => paper(x, y));
    }
  });
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [l, r, t, b] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return { kind: 'polygon', name: 'base', points: [[l, t], [r, t], [r, b], [l, b]], radius: 0 };
}

function shapeOf(object: SceneObject): MatShape {
  const { position } = object.pose;
  switch (object.kind) {
    case 'cube':
      return { kind: 'polygon', name: object.name, points: corners(object.pose, object.sizeM / 2, object.sizeM / 2), radius: 0 };
    case 'block':
      return { kind: 'polygon', name: object.name, points: corners(object.pose, object.halfExtents[0], object.halfExtents[1]), radius: 0 };
    case 'bowl':
      return { kind: 'circle', name: object.name, points: [paper(position[0], position[1])], radius: object.radiusM * 1000 };
  }
}

/** Of a box that lies on the table, turned about the vertical. */
function corners({ position, rotation: [w, , , z] }: Pose, halfX: number, halfY: number): (readonly [number, number])[] {
  const turn = 2 * Math.atan2(z, w);
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  return [[1, 1], [-1, 1], [-1, -1], [1, -1]].map(([a, b]) => {
    const [x, y] = [(a ?? 0) * halfX, (b ?? 0) * halfY];
    return paper(position[0] + c * x - s * y, position[1] + s * x + c * y);
  });
}
