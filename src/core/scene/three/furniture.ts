/**
 * What stands around the arm: the table, cubes, the bowl, and the soft dark spot that each casts where it nearly
 * touches the table. Sizes come from the scene description; metres.
 */
import * as THREE from 'three';
import type { SceneObject, TableDescription } from '#contracts/scene.ts';
import { unreachable } from '#core/lib/never.ts';
import { creased } from './creased.ts';
import { BOWL_FOOT_SHARE, BOWL_WALL_M, type Bowl } from '../bowl.ts';
import { blockMaterial, bowlMaterial, cubeMaterial } from './materials.ts';
import { extrude, lathe, roundedBox, type Detail, type Solid } from './shapes.ts';
import { toCreasedNormals } from 'three/examples/jsm/utils/BufferGeometryUtils.js';
import type { contactTexture } from './textures.ts';

/** One repeat of the wood covers this much of the table. */
const WOOD_METRES = 0.8;

export function tableObject(table: TableDescription, wood: THREE.Texture, detail: Detail): THREE.Mesh {
  const [x, y, z] = table.halfExtents.map((half) => half * 1000) as [number, number, number];
  const corner = Math.min(18, x, y);
  const geometry = extrude({
    plane: 'xy',
    outline: [[-x, -y, corner], [x, -y, corner], [x, y, corner], [-x, y, corner]],
    from: -z,
    to: z,
    bevel: Math.min(2.5, z / 2),
    bevelSegments: 2,
  })(detail);
  geometry.deleteAttribute('normal');
  const board = toCreasedNormals(geometry, 0.6).scale(1e-3, 1e-3, 1e-3);
  geometry.dispose();
  const position = board.getAttribute('position');
  const uv = board.getAttribute('uv');
  // The grain runs left to right, and does not stretch with the table.
  for (let i = 0; i < position.count; i++) uv.setXY(i, position.getX(i) / WOOD_METRES, (position.getY(i) + position.getZ(i)) / WOOD_METRES);
  const material = new THREE.MeshStandardMaterial({ map: wood, roughness: 0.62 });
  material.color.setRGB(table.colour[0], table.colour[1], table.colour[2], THREE.SRGBColorSpace);
  const mesh = new THREE.Mesh(board, material);
  mesh.name = 'table';
  mesh.position.set(...table.centre);
  return mesh;
}

/** Cubes: origin in the middle. Bowls: origin in the middle of the foot, opening upwards. */
export function objectMesh(object: SceneObject, detail: Detail): THREE.Mesh {
  const mesh = ((): THREE.Mesh => {
    switch (object.kind) {
      case 'cube': {
        const half = (object.sizeM * 1000) / 2;
        return new THREE.Mesh(metres(roundedBox([-half, -half, -half], [half, half, half], Math.max(1.2, half * 0.09)), detail), cubeMaterial(object.colour));
      }
      case 'bowl':
        return new THREE.Mesh(metres(lathe(bowlProfile(object)), detail), bowlMaterial());
      case 'block': {
        const [x, y, z] = object.halfExtents.map((half) => half * 1000) as [number, number, number];
        return new THREE.Mesh(metres(roundedBox([-x, -y, -z], [x, y, z], 1.5), detail), blockMaterial(object.colour));
      }
      default:
        return unreachable(object);
    }
  })();
  mesh.name = object.name;
  return mesh;
}

/** Radius against height, millimetres. The walls lie on the ones that physics collides with, bulging by 1.2 mm at most. */
function bowlProfile(bowl: Bowl): (readonly [number, number])[] {
  const radius = bowl.radiusM * 1000;
  const height = bowl.heightM * 1000;
  const wall = BOWL_WALL_M * 1000;
  const foot = radius * BOWL_FOOT_SHARE;
  const steps = 5;
  const side = (inset: number, from: number, to: number): [number, number][] =>
    Array.from({ length: steps + 1 }, (_, i) => {
      const t = i / steps;
      return [foot + (radius - foot) * t + 1.2 * Math.sin(t * Math.PI) - inset, from + (to - from) * t];
    });
  return [
    [0, 0.8],
    [foot - 4, 0.8],
    [foot - 3, 0.1],
    [foot - 1, 0.1],
    ...side(0, 1, height - 0.6),
    [radius - wall * 0.25, height - 0.1],
    [radius - wall / 2, height],
    [radius - wall * 0.75, height - 0.1],
    ...side(wall, wall + 1, height - 0.6).reverse(),
    [foot - wall - 1.5, wall + 0.2],
    [foot - wall - 4, wall],
    [0, wall],
  ];
}

function metres(solid: Solid, detail: Detail): THREE.BufferGeometry {
  return creased(solid(detail), 0.9).scale(1e-3, 1e-3, 1e-3);
}

/** A dark spot on the table that follows an object and fades as it is lifted. */
export interface ContactSpot {
  readonly mesh: THREE.Mesh;
  /** `lowest`: height of the object's lowest point above the table, metres. */
  follow(x: number, y: number, turn: number, lowest: number): void;
}

export function contactSpot(texture: ReturnType<typeof contactTexture>, widthM: number, depthM: number, darkness: number): ContactSpot {
  const material = new THREE.MeshBasicMaterial({ map: texture, color: 0x000000, transparent: true, depthWrite: false, opacity: darkness, polygonOffset: true, polygonOffsetFactor: -2, polygonOffsetUnits: -2 });
  const mesh = new THREE.Mesh(new THREE.PlaneGeometry(widthM, depthM), material);
  mesh.renderOrder = 1;
  mesh.position.z = 2e-4;
  return {
    mesh,
    follow(x, y, turn, lowest) {
      const near = Math.max(0, 1 - Math.max(0, lowest) / 0.05);
      mesh.position.set(x, y, 2e-4);
      mesh.rotation.z = turn;
      mesh.scale.setScalar(1 + 0.5 * (1 - near));
      material.opacity = darkness * near * near;
      mesh.visible = near > 0.01;
    },
  };
}
