/**
 * The arm as seven groups, one a link, each in its link's frame. Geometry is modelled once and shared by every arm that
 * is drawn (the arm itself, its ghost).
 */
import * as THREE from 'three';
import type { Pose, RobotName } from '#contracts/robot.ts';
import { SO101_DRAWN } from '#core/robots/so101.ts';
import { IDENTITY } from '#core/robots/transforms.ts';
import { createPart, type Detail } from './shapes.ts';
import type { ArmPart, Finish } from './finish.ts';
import { SO100_MODEL } from './so100/links.ts';
import { SO101_MODEL } from './so101/links.ts';

type Model = (part: ArmPart) => void;

/** Base first, then JOINT_NAMES order: the order of the body table. */
const LINKS = ['base', 'shoulder', 'upper_arm', 'lower_arm', 'wrist', 'gripper', 'jaw'] as const;
const MODELS: Readonly<Record<RobotName, Readonly<Record<(typeof LINKS)[number], Model>>>> = { so100: SO100_MODEL, so101: SO101_MODEL };

/** Where a link's part is drawn, in the link's frame. */
export function drawnFrame(robot: RobotName, link: string): Pose {
  if (robot === 'so100') return IDENTITY;
  const name = LINKS.find((known) => known === link);
  return name === undefined ? IDENTITY : SO101_DRAWN[name];
}

export interface LinkGeometry {
  readonly name: string;
  readonly solids: ReadonlyMap<Finish, THREE.BufferGeometry>;
}

/** Metres, link frames. About 100 ms of arithmetic: build it once and pass it on. Whoever builds it disposes it. */
export function armGeometry(detail: Detail, robot: RobotName): readonly LinkGeometry[] {
  return LINKS.map((name) => {
    const part = createPart<Finish>(detail);
    MODELS[robot][name](part);
    return { name, solids: part.finish() };
  });
}

/** One group a link, unposed (identity). `dress` says which material a finish gets on a link, or null to leave it out. */
export function armObjects(links: readonly LinkGeometry[], dress: (finish: Finish, link: number) => THREE.Material | null): THREE.Group[] {
  return links.map(({ name, solids }, index) => {
    const group = new THREE.Group();
    group.name = name;
    for (const [finish, geometry] of solids) {
      const material = dress(finish, index);
      if (material === null) continue;
      const mesh = new THREE.Mesh(geometry, material);
      mesh.name = `${name} ${finish}`;
      group.add(mesh);
    }
    return group;
  });
}

export function disposeArm(links: readonly LinkGeometry[]): void {
  for (const link of links) for (const geometry of link.solids.values()) geometry.dispose();
}
