/** Episodes of a policy, or begun by one: in Node, with pictures that nobody looks at and a policy that knows one motion. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { EpisodeRequest } from '#contracts/episode-api.ts';
import { REAL_TIME_CHUNKING, type ChunkGuidance } from '#contracts/inference.ts';
import type { PolicyInfo } from '#contracts/policy.ts';
import type { CameraRenderer } from '#core/world/cameras.ts';
import { reachDown } from '#core/robots/inverse-kinematics.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import { sceneFor } from '#core/scene/description.ts';
import { drawEpisode } from '#core/world/tasks/draw.ts';
import { World } from '#core/world/world.ts';
import { runEpisode, type Actor, type ChunkMaker } from './episode.ts';

const ROWS = 32;
const INFO: PolicyInfo = {
  name: 'one motion',
  family: 'smolvla',
  precision: 'f32',
  parameterCount: 0,
  cameras: [{ key: 'observation.images.front', robotKey: 'observation.images.front', width: 96, height: 96 }],
  stateSize: 6,
  actionSize: 6,
  chunkRows: ROWS,
  denoisingSteps: 1,
  fps: 30,
  missingStatistics: [],
  training: { kind: 'untrained' },
  sentences: [],
};

/** Goes towards one pose, LeRobot joint units, by a tenth of the way a row. */
function towards(pose: readonly number[]): ChunkMaker {
  return {
    info: INFO,
    async predict({ state }) {
      const actions = new Float32Array(ROWS * 6);
      for (let row = 0; row < ROWS; row++) for (let joint = 0; joint < 6; joint++) actions[row * 6 + joint] = state[joint] + (pose[joint] - state[joint]) * Math.min(1, (row + 1) / 10);
      return { actions, x0: new Float32Array(ROWS * 8), timings: { observeMs: 0, preprocessMs: 0, visionMs: 0, prefixMs: 0, denoiseMs: 0, totalMs: 0 }, provider: 'wasm' };
    },
  };
}

const BLANK = { width: 96, height: 96, channels: 4, data: new Uint8ClampedArray(96 * 96 * 4).fill(120) };
const cameras = { setScene: () => undefined, render: () => BLANK, capture: async () => BLANK, pictureMs: () => ({}), isLost: () => false, dispose: () => undefined } as unknown as CameraRenderer;

const REQUEST: EpisodeRequest = {
  task: 'pick-up',
  seed: 1_000_003,
  cubes: 3,
  wording: 'train',
  perturbation: 'none',
  instruction: 'as-asked',
  inferenceDelayTicks: 0,
  playRows: 16,
  surroundings: 'as-shipped',
  injectedNoise: 0,
  prelude: 'by-policy',
};

/** Joint units of a hand that would stand inside the cube asked for. */
function onto(seed: number): readonly number[] {
  const { goal, reset } = drawEpisode('pick-up', seed, REQUEST);
  const scene = sceneFor(reset);
  const cube = scene.objects.find((object) => object.kind === 'cube' && goal.kind !== 'wave' && object.colour === goal.colour);
  const [x, y, z] = cube?.pose.position ?? [0, 0, 0];
  const outwards = Math.atan2(y, x);
  const reach = [0, 1, 2, 3].map((quarter) => reachDown(scene.robot, [x, y, z], outwards + (quarter * Math.PI) / 2, scene.robot.homePose)).find((found) => found !== null);
  if (reach === undefined || reach === null) throw new Error(`no way onto the cube of seed ${seed}`);
  return Array.from(radiansVectorToUnits(reach.angles), (value, joint) => (joint === 5 ? 0 : value));
}

describe('an episode that a policy begins', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  });

  const episode = (actor: Actor, request: EpisodeRequest = REQUEST): ReturnType<typeof runEpisode> => runEpisode(request, actor, { world, cameras, nowMs: () => performance.now() }, null);

  it('begins where the policy has led, is the expert’s from there on, and repeats to the bit', async () => {
    const actor: Actor = { kind: 'policy', maker: towards([30, -40, 40, 30, 0, 20]) };
    const { result, records, chunks } = await episode(actor);
    const home = await episode({ kind: 'baseline', name: 'expert', meanTrajectory: () => Promise.reject(new Error('not asked')) }, { ...REQUEST, prelude: undefined });
    expect(Math.abs((records[0]?.measured[0] ?? 0) - (home.records[0]?.measured[0] ?? 0))).toBeGreaterThan(0.1);
    expect(result.verdict.kind).toBe('success');
    // None of the policy's chunks belong to the episode.
    expect(chunks).toEqual([]);
    expect((await episode(actor)).records.map((r) => [...r.target])).toEqual(records.map((r) => [...r.target]));
  }, 60_000);

  it('where safety stops the policy, the expert takes over before that', async () => {
    // Shut fingers onto the cube from above, and on: a joint stalls.
    let begunAgain = 0;
    for (const seed of [1_000_003, 1_000_004, 1_000_005, 1_000_006]) {
      const maker = towards(onto(seed));
      const states: string[] = [];
      const watched: ChunkMaker = { ...maker, predict: (observation, noise) => (states.push(String(observation.state)), maker.predict(observation, noise)) };
      const { result, records } = await episode({ kind: 'policy', maker: watched }, { ...REQUEST, seed });
      expect(records[0]?.mode, `seed ${seed}`).toBe('manual');
      expect(result.ticks, `seed ${seed}`).toBeGreaterThan(1);
      begunAgain += states.filter((state) => state === states[0]).length - 1;
    }
    expect(begunAgain).toBeGreaterThan(0);
  }, 120_000);

  it('needs a policy', async () => {
    await expect(episode({ kind: 'baseline', name: 'expert', meanTrajectory: () => Promise.reject(new Error('not asked')) })).rejects.toMatchObject({ failure: { code: 'control/out-of-range' } });
  });
});

describe('an episode of a policy', () => {
  it('asks for plans as often as it was told, each guided by what the one before still holds, or by nothing', async () => {
    const world = await World.open();
    const seen: (ChunkGuidance | undefined)[] = [];
    const maker = towards([30, -40, 40, 30, 0, 20]);
    const watched: ChunkMaker = {
      ...maker,
      async predict(observation, noise, how) {
        seen.push(how?.guidance);
        // Each plan's numbers are its own, row by row.
        return { ...(await maker.predict(observation, noise)), x0: Float32Array.from({ length: ROWS * 8 }, (_, i) => 1000 * seen.length + Math.floor(i / 8)) };
      },
    };
    const request: EpisodeRequest = { ...REQUEST, task: 'touch', playRows: 8, inferenceDelayTicks: 2, realTimeChunking: { ...REAL_TIME_CHUNKING, horizon: 4 } };
    delete (request as { prelude?: unknown }).prelude;
    const parts = { world, cameras, nowMs: () => performance.now() };
    await runEpisode(request, { kind: 'policy', maker: watched }, parts, null);
    expect(seen.length).toBeGreaterThan(3);
    const [first, second, third] = seen;
    expect(first).toBeUndefined();
    expect(second).toMatchObject({ horizon: 4, delay: 2, schedule: 'LINEAR', maxWeight: 10, columns: 6 });
    // What is left of the first, and where it begins: the row that is due.
    const played = ROWS - (second?.leftover.length ?? 0) / 6;
    expect(played).toBeGreaterThanOrEqual(8);
    expect(second?.leftover[0]).toBe(1000 + played);
    expect(third?.leftover[0]).toBeGreaterThanOrEqual(2000 + 8);

    seen.length = 0;
    const plain = { ...request };
    delete (plain as { realTimeChunking?: unknown }).realTimeChunking;
    await runEpisode(plain, { kind: 'policy', maker: watched }, parts, null);
    expect(seen.every((guidance) => guidance === undefined)).toBe(true);
    // A head of bins has no step to guide.
    seen.length = 0;
    await runEpisode(request, { kind: 'policy', maker: { ...watched, info: { ...INFO, head: 'bins' } } }, parts, null);
    expect(seen.every((guidance) => guidance === undefined)).toBe(true);
  }, 60_000);
});
