/**
 * What things are made of. Knows colours and roughness; knows no shapes. The arm is warm white so that the only strong
 * colours on the table are the cubes', which have to be told apart in a picture of 96 x 96 pixels.
 */
import * as THREE from 'three';
import type { Vector3 } from '#contracts/robot.ts';
import type { CubeColour } from '#contracts/scene.ts';
import type { Finish } from './finish.ts';

/** sRGB. */
export const CUBE_HEX: Readonly<Record<CubeColour, number>> = { red: 0xd62b2b, green: 0x1f9a48, blue: 0x2459d0, yellow: 0xf4c20d };
/** The wall behind everything, as the policy's cameras see it. */
export const ROOM_HEX = 0xb9bec4;
const BOWL_HEX = 0x6d7f8c;

export type ArmMaterials = Readonly<Record<Finish, THREE.MeshStandardMaterial>>;

export function armMaterials(): ArmMaterials {
  const plain = (color: number, roughness: number, metalness = 0): THREE.MeshStandardMaterial => new THREE.MeshStandardMaterial({ color, roughness, metalness });
  return {
    print: plain(0xefe9dc, 0.72),
    case: plain(0x222427, 0.5),
    trim: plain(0x33363b, 0.42),
    metal: plain(0x9da3ab, 0.38, 0.35),
    hole: plain(0x3b3833, 0.95),
    recess: plain(0x9f988b, 0.9),
    board: plain(0x12406b, 0.5),
  };
}

export function cubeMaterial(colour: CubeColour): THREE.MeshStandardMaterial {
  return new THREE.MeshStandardMaterial({ color: CUBE_HEX[colour], roughness: 0.55 });
}

/** A distractor's own colour, sRGB 0..1. */
export function blockMaterial([red, green, blue]: Vector3): THREE.MeshStandardMaterial {
  const material = new THREE.MeshStandardMaterial({ roughness: 0.7 });
  material.color.setRGB(red, green, blue, THREE.SRGBColorSpace);
  return material;
}

export function bowlMaterial(): THREE.MeshStandardMaterial {
  return new THREE.MeshStandardMaterial({ color: BOWL_HEX, roughness: 0.35, side: THREE.DoubleSide });
}
