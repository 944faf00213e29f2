/**
 * The arm as seven groups, one a link, each in its link's frame. Geometry is modelled once and shared by every arm that
 * is drawn (the arm itself, its ghost).
 */
import * as THREE from 'three';
import { createPart, type Detail } from './shapes.ts';
import { addLowerArm, addUpperArm } from './so100/arms.ts';
import { addBase } from './so100/base.ts';
import type { ArmPart, Finish } from './so100/finish.ts';
import { addFixedJaw, addMovingJaw } from './so100/gripper.ts';
import { addShoulder } from './so100/shoulder.ts';
import { addWrist } from './so100/wrist.ts';

/** Base first, then JOINT_NAMES order: the order of the body table. */
const LINKS: readonly { readonly name: string; readonly model: (part: ArmPart) => void }[] = [
  { name: 'base', model: addBase },
  { name: 'shoulder', model: addShoulder },
  { name: 'upper_arm', model: addUpperArm },
  { name: 'lower_arm', model: addLowerArm },
  { name: 'wrist', model: addWrist },
  { name: 'gripper', model: addFixedJaw },
  { name: 'jaw', model: addMovingJaw },
];

export interface LinkGeometry {
  readonly name: string;
  readonly solids: ReadonlyMap<Finish, THREE.BufferGeometry>;
}

/** Metres, link frames. About 100 ms of arithmetic: build it once and pass it on. Whoever builds it disposes it. */
export function armGeometry(detail: Detail): readonly LinkGeometry[] {
  return LINKS.map(({ name, model }) => {
    const part = createPart<Finish>(detail);
    model(part);
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
