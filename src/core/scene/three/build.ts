/**
 * One scene description, drawn. The page's view and the policy's cameras both call `buildSceneObjects`, so what the
 * policy sees is what the page shows. Knows nothing of canvases, renderers and themes.
 *
 * World frame as in `contracts/scene.ts`: metres, z up. Whoever looks at it sets its camera's `up` to z.
 */
import * as THREE from 'three';
import type { RobotName } from '#contracts/robot.ts';
import type { SceneDescription, SceneObject } from '#contracts/scene.ts';
import { unreachable } from '#core/lib/never.ts';
import { armGeometry, armObjects, disposeArm, drawnFrame, type LinkGeometry } from './arm.ts';
import { cameraModule } from './camera-module.ts';
import { contactSpot, objectMesh, tableObject, type ContactSpot } from './furniture.ts';
import { createLights } from './lights.ts';
import { armMaterials, ROOM_HEX, type ArmMaterials } from './materials.ts';
import type { Detail } from './shapes.ts';
import { contactTexture, woodTexture } from './textures.ts';

/** Goes into the scene's hash: raise it when pictures of the same description change. */
export const DRAWING_REVISION = 2;

/** Pixels along a side of the key light's shadow map; the same for the page and for the policy. */
export const SHADOW_MAP_SIZE = 1024;

/** Meshes named `<link> <finish>`; objects carry their own name alone. */
const CASTS = /^\S+$| (print|case)$/;

/** Numbers a body in a poses record: x y z, then w x y z. */
const NUMBERS_A_BODY = 7;

/** What every scene of a renderer shares: geometry, textures and materials that no reset changes. */
export interface SceneAssets {
  readonly detail: Detail;
  /** Made when an arm is first drawn: a page that never sees the other does not wait for it. */
  links(robot: RobotName): readonly LinkGeometry[];
  readonly materials: ArmMaterials;
  readonly wood: THREE.DataTexture;
  readonly round: THREE.DataTexture;
  readonly square: THREE.DataTexture;
  dispose(): void;
}

/** About 200 ms of arithmetic. Build once a renderer; materials that outlive a scene also keep its shaders compiled. */
export function createSceneAssets(detail: Detail): SceneAssets {
  const arms = new Map<RobotName, readonly LinkGeometry[]>();
  const materials = armMaterials();
  const wood = woodTexture();
  const round = contactTexture('round');
  const square = contactTexture('square');
  return {
    detail,
    links(robot) {
      const made = arms.get(robot) ?? armGeometry(detail, robot);
      arms.set(robot, made);
      return made;
    },
    materials,
    wood,
    round,
    square,
    dispose() {
      for (const links of arms.values()) disposeArm(links);
      for (const material of Object.values(materials)) material.dispose();
      for (const texture of [wood, round, square]) texture.dispose();
    },
  };
}

export interface SceneOptions {
  /** Built and owned by the scene when absent. */
  readonly assets?: SceneAssets;
}

export interface SceneObjects {
  /** Everything, lights included. Add it to a scene. */
  readonly root: THREE.Group;
  /** In body-table order: base, links, then the description's objects. */
  readonly bodies: readonly THREE.Object3D[];
  /** Names of `bodies`, the body table's names. */
  readonly names: readonly string[];
  readonly assets: SceneAssets;
  /** The room behind everything at the present light level; use it as the scene's background where nothing else is. */
  readonly background: THREE.Color;
  /** 7 numbers a body, at least as many as there are bodies. Throws a RangeError when there are fewer. */
  applyPoses(poses: ArrayLike<number>): void;
  /** 1 = as shipped, 0 = lights off. */
  setLightLevel(level: number): void;
  dispose(): void;
}

export function buildSceneObjects(description: SceneDescription, options: SceneOptions = {}): SceneObjects {
  const root = new THREE.Group();
  root.name = 'scene';
  const assets = options.assets ?? createSceneAssets('fine');
  const { detail, materials, wood, round, square } = assets;

  const table = tableObject(description.table, wood, detail);
  table.receiveShadow = true;
  root.add(table);

  const arm = armObjects(assets.links(description.robot.name), (finish) => materials[finish]);
  for (const camera of description.cameras) {
    const link = arm.find((group) => group.name === camera.mount);
    if (link !== undefined) link.add(...cameraModule(camera, materials, detail, drawnFrame(description.robot.name, camera.mount)));
  }
  const objects = description.objects.map((object) => objectMesh(object, detail));
  for (const object of [...arm, ...objects]) {
    object.traverse((node) => {
      // Screws and marks lie flush: their shadows are their link's.
      node.castShadow = CASTS.test(node.name);
      node.receiveShadow = true;
    });
  }
  const bodies: THREE.Object3D[] = [...arm, ...objects];
  root.add(...bodies);

  const spots = description.objects.map((object) => spotFor(object, round, square));
  const baseSpot = contactSpot(round, 0.17, 0.15, 0.34);
  baseSpot.follow(0, -0.028, 0, 0);
  root.add(baseSpot.mesh, ...spots.map((spot) => spot.mesh));

  const lights = createLights(description.lights, SHADOW_MAP_SIZE);
  root.add(lights.group);
  const background = new THREE.Color();
  const setLightLevel = (level: number): void => {
    background.setHex(ROOM_HEX, THREE.SRGBColorSpace).multiplyScalar(lights.set(level));
  };
  setLightLevel(description.lights.level);

  const placeSpots = (): void => {
    description.objects.forEach((object, i) => {
      const body = objects[i];
      const spot = spots[i];
      if (body === undefined || spot === undefined) return;
      spot.follow(body.position.x, body.position.y, turnAboutZ(body.quaternion), lowestPoint(object, body));
    });
  };
  objects.forEach((body, i) => {
    const pose = description.objects[i]?.pose;
    if (pose === undefined) return;
    body.position.set(...pose.position);
    body.quaternion.set(pose.rotation[1], pose.rotation[2], pose.rotation[3], pose.rotation[0]);
  });
  placeSpots();

  return {
    root,
    bodies,
    names: bodies.map((body) => body.name),
    assets,
    background,
    setLightLevel,
    applyPoses(poses) {
      if (poses.length < bodies.length * NUMBERS_A_BODY) {
        throw new RangeError(`${bodies.length} bodies need ${bodies.length * NUMBERS_A_BODY} numbers, found ${poses.length}`);
      }
      bodies.forEach((body, i) => {
        const at = i * NUMBERS_A_BODY;
        body.position.set(poses[at] ?? 0, poses[at + 1] ?? 0, poses[at + 2] ?? 0);
        body.quaternion.set(poses[at + 4] ?? 0, poses[at + 5] ?? 0, poses[at + 6] ?? 0, poses[at + 3] ?? 1);
      });
      placeSpots();
    },
    dispose() {
      for (const mesh of [table, ...objects, baseSpot.mesh, ...spots.map((spot) => spot.mesh)]) {
        mesh.geometry.dispose();
        for (const material of [mesh.material].flat()) material.dispose();
      }
      if (options.assets === undefined) assets.dispose();
      lights.dispose();
    },
  };
}

function spotFor(object: SceneObject, round: THREE.DataTexture, square: THREE.DataTexture): ContactSpot {
  switch (object.kind) {
    case 'cube':
      return contactSpot(square, object.sizeM * 1.75, object.sizeM * 1.75, 0.42);
    case 'bowl':
      return contactSpot(round, object.radiusM * 1.9, object.radiusM * 1.9, 0.42);
    case 'block':
      return contactSpot(square, object.halfExtents[0] * 3.5, object.halfExtents[1] * 3.5, 0.42);
    default:
      return unreachable(object);
  }
}

/** Height of an object's lowest point above the table's top, metres. */
function lowestPoint(object: SceneObject, body: THREE.Object3D): number {
  if (object.kind === 'bowl') return body.position.z;
  const { x, y, z, w } = body.quaternion;
  const half = object.kind === 'cube' ? [object.sizeM / 2, object.sizeM / 2, object.sizeM / 2] : object.halfExtents;
  // The third row of the rotation matrix says how far each half extent reaches down.
  const reach =
    half[0] * Math.abs(2 * (x * z - w * y)) + half[1] * Math.abs(2 * (y * z + w * x)) + half[2] * Math.abs(1 - 2 * (x * x + y * y));
  return body.position.z - reach;
}

function turnAboutZ({ x, y, z, w }: THREE.Quaternion): number {
  return Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
}
