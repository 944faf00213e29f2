/**
 * The small camera that is screwed to a link, so that a person sees where its picture comes from. Its housing lies
 * behind the lens, out of its own picture.
 */
import * as THREE from 'three';
import type { Pose } from '#contracts/robot.ts';
import type { CameraDescription } from '#contracts/scene.ts';
import { compose, IDENTITY, inverse, rotate, subtract } from '#core/robots/transforms.ts';
import type { ArmMaterials } from './materials.ts';
import { createPart, drum, roundedBox, type Detail } from './shapes.ts';
import type { Finish } from './finish.ts';

/**
 * In the frame of the link that carries the camera, whose part is drawn in `drawn` (a pose in the link's frame): its bracket goes down
 * along the drawing's z.
 */
export function cameraModule(camera: CameraDescription, materials: ArmMaterials, detail: Detail, drawn: Pose = IDENTITY): THREE.Object3D[] {
  if (drawn !== IDENTITY) {
    const frame = new THREE.Group();
    frame.position.set(...drawn.position);
    frame.quaternion.set(drawn.rotation[1], drawn.rotation[2], drawn.rotation[3], drawn.rotation[0]);
    frame.add(...cameraModule({ ...camera, pose: seenFrom(drawn, camera.pose) }, materials, detail));
    return [frame];
  }
  const part = createPart<Finish>(detail);
  // Camera frame: looks along -z, so the housing sits at z > 0. Millimetres.
  part.add('case', roundedBox([-12, -9, 3], [12, 9, 12], 2, 2));
  part.add('trim', drum('z', [0, 0], 6, 0.6, 4, 0.5, 24), drum('z', [0, 0], 3.6, 0.3, 1, 0.2, 20));
  const housing = new THREE.Group();
  housing.name = `camera ${camera.key}`;
  for (const [finish, geometry] of part.finish()) housing.add(named(new THREE.Mesh(geometry, materials[finish]), finish));
  housing.position.set(...camera.pose.position);
  housing.quaternion.set(camera.pose.rotation[1], camera.pose.rotation[2], camera.pose.rotation[3], camera.pose.rotation[0]);

  // The bracket: from behind the housing straight down (the link's z) to the link's body.
  const back = new THREE.Vector3(0, 0, 0.0125).applyQuaternion(housing.quaternion).add(housing.position);
  const bracket = createPart<Finish>(detail);
  const foot = 20;
  const top = back.z * 1000 - 1;
  const [x, y] = [back.x * 1000, back.y * 1000];
  if (top > foot + 4) bracket.add('print', roundedBox([x - 7, y - 2, foot], [x + 7, y + 2, top], 1.2, 2));
  const meshes = [...bracket.finish()].map(([finish, geometry]) => named(new THREE.Mesh(geometry, materials[finish]), finish));
  return [housing, ...meshes];
}

/** A pose given where `frame` is, in `frame`. */
function seenFrom(frame: Pose, { position, rotation }: Pose): Pose {
  const back = inverse(frame.rotation);
  return { position: rotate(back, subtract(position, frame.position)), rotation: compose(back, rotation) };
}

function named(mesh: THREE.Mesh, finish: Finish): THREE.Mesh {
  mesh.name = `camera ${finish}`;
  return mesh;
}
