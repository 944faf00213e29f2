/**
 * One thing changed at a time, after VLATest and LIBERO-Plus: what a policy must not mind. Scene perturbations turn a
 * description into another; picture perturbations turn a picture into another; `initial-joints` turns a starting pose
 * into another. All drawn from the episode's seed. Ranges are stated here and nowhere else:
 *
 *   light              key light and ambient light times 0.4 to 1.4, the lamp moved by up to 40 cm
 *   camera-pose        front camera moved by up to 3 cm and turned by up to 3 degrees; wrist camera 3 mm, 3 degrees
 *   distractors        one or two grey or brown blocks, 2 to 4 cm, where nothing else stands
 *   object-pose        every cube moved by up to 1.5 cm and turned freely
 *   table-colour       each channel drawn from 0.25 to 0.95
 *   initial-joints     each arm joint up to 8 degrees from home, the gripper up to 10 of its 100 units
 *   picture-noise      normal, standard deviation 12 of 255
 *   picture-blur       box blur, radius 1 at 96 pixels, in proportion for larger pictures
 *   picture-occlusion  a grey square over a ninth of the picture, anywhere
 *   black-cameras      every pixel 0
 */
import type { Perturbation } from '#contracts/evaluation.ts';
import type { Picture } from '#contracts/picture.ts';
import type { Quaternion, Vector3 } from '#contracts/robot.ts';
import type { CameraDescription, SceneDescription, SceneObject } from '#contracts/scene.ts';
import type { JointUnitsVector } from '#contracts/units.ts';
import type { Random } from '#core/lib/random.ts';
import { unreachable } from '#core/lib/never.ts';

/** Blocks keep this far from whatever else stands on the table, centre to centre. */
const BLOCK_GAP_M = 0.06;
const BLOCK_COLOURS: readonly Vector3[] = [
  [0.35, 0.35, 0.36],
  [0.42, 0.3, 0.22],
];

/** The scene as the perturbation leaves it; the same object where it is not about the scene. */
export function perturbScene(perturbation: Perturbation, scene: SceneDescription, random: Random): SceneDescription {
  switch (perturbation) {
    case 'light':
      return { ...scene, lights: otherLight(scene.lights, random) };
    case 'camera-pose':
      return { ...scene, cameras: scene.cameras.map((camera) => nudgedCamera(camera, random)) };
    case 'distractors':
      return { ...scene, objects: withBlocks(scene.objects, 1 + random.index(2), random) };
    case 'object-pose':
      return { ...scene, objects: scene.objects.map((object) => (object.kind === 'cube' ? nudgedCube(object, random) : object)) };
    case 'table-colour':
      return { ...scene, table: { ...scene.table, colour: [random.between(0.25, 0.95), random.between(0.25, 0.95), random.between(0.25, 0.95)] } };
    case 'none':
    case 'initial-joints':
    case 'picture-noise':
    case 'picture-blur':
    case 'picture-occlusion':
    case 'black-cameras':
      return scene;
    default:
      return unreachable(perturbation);
  }
}

/** The picture as the policy gets it; the same object where the perturbation is not about pictures. */
export function perturbPicture(perturbation: Perturbation, picture: Picture, random: Random): Picture {
  switch (perturbation) {
    case 'picture-noise':
      return mapColour(picture, (value) => value + 12 * random.normal());
    case 'picture-blur':
      return boxBlur(picture, Math.max(1, Math.round(Math.min(picture.width, picture.height) / 96)));
    case 'picture-occlusion':
      return occluded(picture, random);
    case 'black-cameras':
      return mapColour(picture, () => 0);
    case 'none':
    case 'light':
    case 'camera-pose':
    case 'distractors':
    case 'object-pose':
    case 'table-colour':
    case 'initial-joints':
      return picture;
    default:
      return unreachable(perturbation);
  }
}

/** The pose the episode starts in, joint units. */
export function perturbStart(perturbation: Perturbation, home: JointUnitsVector, random: Random): JointUnitsVector {
  if (perturbation !== 'initial-joints') return home;
  const moved = home.map((value, joint) => value + (joint === home.length - 1 ? random.between(-10, 10) : random.between(-8, 8)));
  return moved as JointUnitsVector;
}

function otherLight(lights: SceneDescription['lights'], random: Random): SceneDescription['lights'] {
  const [x, y, z] = lights.keyPosition;
  return {
    ...lights,
    keyIntensity: lights.keyIntensity * random.between(0.4, 1.4),
    ambientIntensity: lights.ambientIntensity * random.between(0.4, 1.4),
    keyPosition: [x + random.between(-0.4, 0.4), y + random.between(-0.4, 0.4), z + random.between(-0.2, 0.4)],
  };
}

function nudgedCamera(camera: CameraDescription, random: Random): CameraDescription {
  const reach = camera.mount === 'world' ? 0.03 : 0.003;
  const turn = (3 * Math.PI) / 180;
  const [x, y, z] = camera.pose.position;
  const position: Vector3 = [x + random.between(-reach, reach), y + random.between(-reach, reach), z + random.between(-reach, reach)];
  // Three small turns about the camera's own axes; to first order their order does not matter.
  const half: Vector3 = [random.between(-turn, turn) / 2, random.between(-turn, turn) / 2, random.between(-turn, turn) / 2];
  const length = Math.hypot(1, ...half);
  const small: Quaternion = [1 / length, half[0] / length, half[1] / length, half[2] / length];
  return { ...camera, pose: { position, rotation: multiply(camera.pose.rotation, small) } };
}

function nudgedCube(cube: Extract<SceneObject, { kind: 'cube' }>, random: Random): SceneObject {
  const [x, y, z] = cube.pose.position;
  const angle = random.between(-Math.PI / 4, Math.PI / 4);
  return {
    ...cube,
    pose: {
      position: [x + random.between(-0.015, 0.015), y + random.between(-0.015, 0.015), z],
      rotation: [Math.cos(angle / 2), 0, 0, Math.sin(angle / 2)],
    },
  };
}

function withBlocks(objects: readonly SceneObject[], count: number, random: Random): readonly SceneObject[] {
  const all = [...objects];
  for (let i = 0; i < count; i++) {
    const half: Vector3 = [random.between(0.01, 0.02), random.between(0.01, 0.02), random.between(0.01, 0.02)];
    const spot = freeSpot(all, random);
    if (spot === null) break;
    const angle = random.between(0, Math.PI);
    all.push({
      kind: 'block',
      name: `block_${i + 1}`,
      colour: BLOCK_COLOURS[random.index(BLOCK_COLOURS.length)],
      halfExtents: half,
      massKg: 0.02,
      pose: { position: [spot[0], spot[1], half[2]], rotation: [Math.cos(angle / 2), 0, 0, Math.sin(angle / 2)] },
    });
  }
  return all;
}

/** A place in front of the arm, 15 to 30 cm from its base, clear of everything; null after 200 draws. */
function freeSpot(objects: readonly SceneObject[], random: Random): readonly [number, number] | null {
  for (let draw = 0; draw < 200; draw++) {
    const reach = random.between(0.15, 0.3);
    const angle = random.between(-1, 1);
    const spot = [reach * Math.sin(angle), -0.0452 - reach * Math.cos(angle)] as const;
    const clear = objects.every((o) => {
      const gap = BLOCK_GAP_M + (o.kind === 'bowl' ? o.radiusM : 0);
      return Math.hypot(o.pose.position[0] - spot[0], o.pose.position[1] - spot[1]) >= gap;
    });
    if (clear) return spot;
  }
  return null;
}

function mapColour(picture: Picture, change: (value: number) => number): Picture {
  const data = new Uint8Array(picture.data);
  for (let i = 0; i < data.length; i++) {
    if (picture.channels === 4 && i % 4 === 3) continue;
    data[i] = Math.min(255, Math.max(0, Math.round(change(data[i]))));
  }
  return { ...picture, data };
}

function boxBlur(picture: Picture, radius: number): Picture {
  const { width, height, channels } = picture;
  const data = new Uint8Array(picture.data);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < Math.min(3, channels); c++) {
        let sum = 0;
        let count = 0;
        for (let v = Math.max(0, y - radius); v <= Math.min(height - 1, y + radius); v++) {
          for (let u = Math.max(0, x - radius); u <= Math.min(width - 1, x + radius); u++) {
            sum += picture.data[(v * width + u) * channels + c];
            count++;
          }
        }
        data[(y * width + x) * channels + c] = Math.round(sum / count);
      }
    }
  }
  return { ...picture, data };
}

function occluded(picture: Picture, random: Random): Picture {
  const { width, height, channels } = picture;
  const side = Math.round(Math.min(width, height) / 3);
  const left = random.index(width - side + 1);
  const top = random.index(height - side + 1);
  const data = new Uint8Array(picture.data);
  for (let y = top; y < top + side; y++) {
    for (let x = left; x < left + side; x++) data.fill(128, (y * width + x) * channels, (y * width + x) * channels + 3);
  }
  return { ...picture, data };
}

function multiply([aw, ax, ay, az]: Quaternion, [bw, bx, by, bz]: Quaternion): Quaternion {
  return [
    aw * bw - ax * bx - ay * by - az * bz,
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
  ];
}
