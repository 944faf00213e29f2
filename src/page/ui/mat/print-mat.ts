/** The mat as pages: SVG in millimetres beside the app, seen by the printer alone. Fetched when somebody asks for it. */
import type { SceneInfo } from '#contracts/scene.ts';
import { MAT } from '#page/words/robot.ts';
import { matOf, SHEET_MM, type Mat, type MatShape, type MatSheet } from './mat.ts';
import './mat.css';

const SVG = 'http://www.w3.org/2000/svg';
const CHECK_MM = 100;

/** Opens the browser's print dialog. */
export function printMat({ description, request }: SceneInfo): void {
  document.querySelector('.mat')?.remove();
  const place = document.body.appendChild(document.createElement('div'));
  place.className = 'mat';
  const mat = matOf(description);
  for (const sheet of mat.sheets) place.append(page(mat, sheet, request.seed));
  addEventListener('afterprint', () => place.remove(), { once: true });
  print();
}

function page(mat: Mat, { row, column, left, top }: MatSheet, seed: number): SVGElement {
  const { width, height } = SHEET_MM;
  // One unit is one millimetre: the size on paper and the view box are the same numbers.
  const svg = add(null, 'svg', { width: `${width}mm`, height: `${height}mm`, viewBox: `${left} ${top} ${width} ${height}` });
  add(svg, 'rect', { x: left + 0.25, y: top + 0.25, width: width - 0.5, height: height - 0.5, class: 'mat-cut' });
  for (const shape of mat.shapes) draw(svg, shape);
  // The pan axis stands on this line.
  add(svg, 'line', { x1: 0, y1: -400, x2: 0, y2: 600, class: 'mat-axis' });
  add(svg, 'line', { x1: left + 10, y1: top + height - 8, x2: left + 10 + CHECK_MM, y2: top + height - 8, class: 'mat-check' });
  add(svg, 'text', { x: left + 12 + CHECK_MM, y: top + height - 6.5 }, MAT.check(CHECK_MM));
  add(svg, 'text', { x: left + 6, y: top + 8 }, MAT.sheet(row + 1, column + 1, mat.rows, mat.columns, seed));
  return svg;
}

function draw(svg: SVGElement, { kind, name, points, radius }: MatShape): void {
  const [cx, cy] = [0, 1].map((axis) => points.reduce((sum, point) => sum + (point[axis] ?? 0), 0) / points.length) as [number, number];
  if (kind === 'circle') add(svg, 'circle', { cx, cy, r: radius, class: 'mat-shape' });
  else add(svg, 'polygon', { points: points.map((point) => point.map((mm) => mm.toFixed(3)).join(',')).join(' '), class: 'mat-shape' });
  add(svg, 'text', { x: cx, y: cy + 1.2, class: 'mat-name' }, MAT.names[name] ?? name.replaceAll('_', ' '));
}

function add(parent: SVGElement | null, kind: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const element = document.createElementNS(SVG, kind) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}
