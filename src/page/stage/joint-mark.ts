/**
 * The mark on a joint: a ring about its axis in the joint's colour, seen through the arm, and a breath of the colour on
 * the link it turns. Knows one joint at a time.
 */
import * as THREE from 'three';
import type { RobotDescription } from '#contracts/robot.ts';

const RING_RADIUS_M = 0.034;
const TUBE_RADIUS_M = 0.0013;

export interface JointMark {
  /** `bodies` in body-table order; index in JOINT_NAMES, or null for none. */
  show(bodies: readonly THREE.Object3D[], joint: number | null, colour: THREE.Color): void;
  dispose(): void;
}

export function createJointMark(robot: RobotDescription): JointMark {
  const geometry = new THREE.TorusGeometry(RING_RADIUS_M, TUBE_RADIUS_M, 8, 72);
  const solid = new THREE.MeshBasicMaterial();
  const behind = new THREE.MeshBasicMaterial({ transparent: true, opacity: 0.35, depthTest: false });
  const ring = new THREE.Group();
  for (const material of [solid, behind]) {
    const mesh = new THREE.Mesh(geometry, material);
    mesh.renderOrder = 20;
    ring.add(mesh);
  }
  let tinted: { readonly mesh: THREE.Mesh; readonly before: THREE.Material | THREE.Material[]; readonly tint: THREE.Material } | null = null;

  const clear = (): void => {
    ring.removeFromParent();
    if (tinted === null) return;
    tinted.mesh.material = tinted.before;
    tinted.tint.dispose();
    tinted = null;
  };

  return {
    show(bodies, joint, colour) {
      clear();
      const description = joint === null ? undefined : robot.joints[joint];
      const link = joint === null ? undefined : bodies[joint + 1];
      if (description === undefined || link === undefined) return;
      solid.color.copy(colour);
      behind.color.copy(colour);
      ring.quaternion.setFromUnitVectors(new THREE.Vector3(0, 0, 1), new THREE.Vector3(...description.axis));
      link.add(ring);
      const mesh = link.children.find((child): child is THREE.Mesh => child instanceof THREE.Mesh && child.name.endsWith(' print'));
      if (mesh === undefined || !(mesh.material instanceof THREE.MeshStandardMaterial)) return;
      const tint = mesh.material.clone();
      tint.emissive.copy(colour);
      tint.emissiveIntensity = 0.22;
      tinted = { mesh, before: mesh.material, tint };
      mesh.material = tint;
    },
    dispose() {
      clear();
      geometry.dispose();
      solid.dispose();
      behind.dispose();
    },
  };
}
