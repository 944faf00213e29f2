import { describe, expect, it } from 'vitest';
import { sceneFor } from '#core/scene/description.ts';
import { matOf, SHEET_MM } from './mat.ts';

describe('the mat', () => {
  it('has every object at its place, in millimetres, seen from above', () => {
    for (let seed = 0; seed < 50; seed++) {
      const scene = sceneFor({ task: '', seed });
      const mat = matOf(scene);
      for (const object of scene.objects) {
        const shape = mat.shapes.find(({ name }) => name === object.name);
        if (shape === undefined) throw new Error(object.name);
        const [x, y] = [0, 1].map((axis) => shape.points.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / shape.points.length);
        expect(x).toBeCloseTo(object.pose.position[0] * 1000, 6);
        // Behind the arm (+y) is up the page.
        expect(y).toBeCloseTo(-object.pose.position[1] * 1000, 6);
        if (object.kind !== 'cube') continue;
        const [a, b] = shape.points;
        expect(Math.hypot((a?.[0] ?? 0) - (b?.[0] ?? 0), (a?.[1] ?? 0) - (b?.[1] ?? 0))).toBeCloseTo(30, 6);
      }
    }
  });

  it('lies on its sheets without a gap, whole', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { shapes, sheets, rows, columns } = matOf(sceneFor({ task: '', seed }));
      expect(sheets.length).toBe(rows * columns);
      const first = sheets[0];
      const last = sheets.at(-1);
      if (first === undefined || last === undefined) throw new Error('no sheets');
      expect(last.left - first.left).toBeCloseTo((columns - 1) * SHEET_MM.width);
      expect(last.top - first.top).toBeCloseTo((rows - 1) * SHEET_MM.height);
      for (const { points, radius } of shapes) {
        for (const [x, y] of points) {
          expect(x - radius).toBeGreaterThan(first.left);
          expect(x + radius).toBeLessThan(last.left + SHEET_MM.width);
          expect(y - radius).toBeGreaterThan(first.top);
          expect(y + radius).toBeLessThan(last.top + SHEET_MM.height);
        }
      }
    }
  });

  it('turns a cube as the table has it', () => {
    const scene = sceneFor({ task: '', seed: 3 });
    const cube = scene.objects.find(({ kind }) => kind === 'cube');
    if (cube?.kind !== 'cube') throw new Error('no cube');
    const shape = matOf(scene).shapes.find(({ name }) => name === cube.name);
    const [w, , , z] = cube.pose.rotation;
    const turn = 2 * Math.atan2(z, w);
    const [first] = shape?.points ?? [];
    // The corner at (+, +) of the cube's own frame.
    const corner = Math.SQRT2 * 15;
    expect(first?.[0]).toBeCloseTo(cube.pose.position[0] * 1000 + corner * Math.cos(turn + Math.PI / 4), 6);
    expect(first?.[1]).toBeCloseTo(-(cube.pose.position[1] * 1000 + corner * Math.sin(turn + Math.PI / 4)), 6);
  });
});
