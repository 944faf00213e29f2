/**
 * The coming path: a translucent arm at its end and the trail the fingertips will draw, in another colour where a safety rule
 * will hold the arm back. Knows joint angles and nothing of where they come from: control has computed and limited them.
 */
import * as THREE from 'three';
import type { RobotDescription } from '#contracts/robot.ts';
import { gripPose, linkPoses } from '#core/robots/kinematics.ts';
import { armObjects, type LinkGeometry } from '#core/scene/three/arm.ts';

const TRAIL_RADIUS_M = 0.0016;
const TRAIL_SIDES = 6;
/** A path shorter than this is drawn without a trail: there is nothing to see. */
const LEAST_TRAIL_M = 0.004;

export interface Ghost {
  readonly root: THREE.Group;
  /** Rows of six joint angles, radians, next first; null or empty for none. `limited[i]`: row i is less than was wanted. */
  setPath(path: readonly (readonly number[])[] | null, limited: readonly boolean[]): void;
  /** Of what is passed, and of what is limited. */
  setColours(passed: THREE.Color, limited: THREE.Color): void;
  dispose(): void;
}

export function createGhost(robot: RobotDescription, geometry: readonly LinkGeometry[]): Ghost {
  const root = new THREE.Group();
  root.name = 'ghost';
  root.visible = false;
  // Depth first, colour second: the ghost is one shape of glass, not a heap of panes. The offset lets the arm itself
  // win where both stand in the same place.
  const offset = { polygonOffset: true, polygonOffsetFactor: 2, polygonOffsetUnits: 8 } as const;
  // `transparent` puts it into the list that is drawn in `renderOrder`.
  const depth = new THREE.MeshBasicMaterial({ colorWrite: false, transparent: true, ...offset });
  const glass = new THREE.MeshLambertMaterial({ transparent: true, opacity: 0.42, depthWrite: false, ...offset });
  const trailMaterial = new THREE.MeshBasicMaterial({ vertexColors: true, transparent: true, depthWrite: false });
  const dress = (material: THREE.Material, order: number): THREE.Group[] => {
    const groups = armObjects(geometry, (finish) => (finish === 'print' || finish === 'case' ? material : null));
    for (const group of groups) for (const mesh of group.children) mesh.renderOrder = order;
    return groups;
  };
  // The base never moves, so its ghost would only muddy it.
  const arms = [dress(depth, 10), dress(glass, 11)].map((groups) => groups.slice(1));
  root.add(...arms.flat());
  const trail = new THREE.Mesh(new THREE.BufferGeometry(), trailMaterial);
  // Before the glass, which would hide it.
  trail.renderOrder = 9;
  trail.frustumCulled = false;
  root.add(trail);
  const colours = { passed: new THREE.Color(), limited: new THREE.Color() };
  let endIs: keyof typeof colours = 'passed';
  const dye = (): void => {
    glass.color.copy(colours[endIs]);
    // A little light of its own: it is not a thing in the room.
    glass.emissive.copy(colours[endIs]).multiplyScalar(0.25);
  };

  return {
    root,
    setPath(path, limited) {
      const last = path?.at(-1);
      root.visible = last !== undefined;
      if (path === null || last === undefined) return;
      linkPoses(robot, last)
        .slice(1)
        .forEach((pose, i) => {
          for (const arm of arms) {
            arm[i]?.position.set(...pose.position);
            arm[i]?.quaternion.set(pose.rotation[1], pose.rotation[2], pose.rotation[3], pose.rotation[0]);
          }
        });
      trail.geometry.dispose();
      trail.geometry = tube(
        path.map((row) => new THREE.Vector3(...gripPose(robot, row).position)),
        path.map((_, i) => (limited[i] === true ? colours.limited : colours.passed)),
      );
      endIs = limited[path.length - 1] === true ? 'limited' : 'passed';
      dye();
    },
    setColours(passed, limited) {
      colours.passed.copy(passed);
      colours.limited.copy(limited);
      dye();
    },
    dispose() {
      trail.geometry.dispose();
      for (const material of [depth, glass, trailMaterial]) material.dispose();
    },
  };
}

/** A thin tube along the points, each in its colour, fading in from the arm to the end of the path. */
function tube(points: readonly THREE.Vector3[], colours: readonly THREE.Color[]): THREE.BufferGeometry {
  const geometry = new THREE.BufferGeometry();
  const keep = points.map((point, i) => i === 0 || point.distanceTo(points[i - 1] as THREE.Vector3) > 1e-5);
  const kept = points.filter((_, i) => keep[i]);
  const dyes = colours.filter((_, i) => keep[i]);
  const length = kept.reduce((sum, point, i) => sum + (i === 0 ? 0 : point.distanceTo(kept[i - 1] as THREE.Vector3)), 0);
  if (kept.length < 2 || length < LEAST_TRAIL_M) {
    geometry.setAttribute('position', new THREE.Float32BufferAttribute([], 3));
    return geometry;
  }
  const segments = Math.min(96, kept.length * 2);
  const built = new THREE.TubeGeometry(new THREE.CatmullRomCurve3(kept, false, 'centripetal'), segments, TRAIL_RADIUS_M, TRAIL_SIDES);
  const count = built.getAttribute('position').count;
  const dyed = new Float32Array(count * 4);
  // Rings stand at equal lengths along the curve; which of the points a ring has come to is counted in the same lengths.
  const lengths = kept.map((point, i) => (i === 0 ? 0 : point.distanceTo(kept[i - 1] as THREE.Vector3)));
  let point = 0;
  let gone = 0;
  for (let ring = 0; ring <= segments; ring++) {
    while (point + 1 < kept.length && gone + (lengths[point + 1] as number) <= (length * ring) / segments + 1e-9) gone += lengths[++point] as number;
    const { r, g, b } = dyes[Math.min(point + 1, dyes.length - 1)] as THREE.Color;
    for (let side = 0; side <= TRAIL_SIDES; side++) dyed.set([r, g, b, 0.12 + 0.78 * (ring / segments)], 4 * (ring * (TRAIL_SIDES + 1) + side));
  }
  built.setAttribute('color', new THREE.BufferAttribute(dyed, 4));
  return built;
}
