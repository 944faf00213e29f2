/**
 * One episode: drawn from its seed, set up, acted out tick by tick, judged. Knows contestants by what they want and
 * policies by the chunks they answer with; time is the manual clock's, so a result does not depend on the machine.
 *
 * A policy looks at tick t; its chunk reaches control `inferenceDelayTicks` later, and the rows whose time has passed are
 * dropped, as they would be in the chain of workers.
 */
import type { Baseline, EpisodeResult } from '#contracts/evaluation.ts';
import type { EpisodeRequest, TracedChunk } from '#contracts/episode-api.ts';
import type { ChunkGuidance } from '#contracts/inference.ts';
import { GRIPPER_INDEX } from '#contracts/joints.ts';
import type { CameraPicture } from '#contracts/picture.ts';
import type { PolicyInfo, PredictedChunk } from '#contracts/policy.ts';
import type { Observation } from '#contracts/observation.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import type { PhysicsView, TaskGoal, TaskVerdict } from '#contracts/task.ts';
import type { JointRadians } from '#contracts/units.ts';
import { leftoverRows } from '#core/chunks/real-time-chunking.ts';
import { perturbPicture, perturbScene, perturbStart } from '#core/evaluation/perturbations.ts';
import { mixedPerturbations } from '#core/evaluation/training-mix.ts';
import { FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { seededRandom, type Random } from '#core/lib/random.ts';
import { gatherObservation } from '#core/observation/gather.ts';
import { radiansVectorToUnits, unitsVectorToRadians } from '#core/robots/units.ts';
import { sceneFor } from '#core/scene/description.ts';
import { DRAWING_VERSION } from '#core/scene/drawing-version.ts';
import { sceneHash } from '#core/scene/hash.ts';
import type { CameraRenderer } from '#core/world/cameras.ts';
import { drawEpisode, type DrawnEpisode } from '#core/world/tasks/draw.ts';
import { createExpert } from '#core/world/tasks/expert.ts';
import { createJudge, type Judge } from '#core/world/tasks/judge.ts';
import { physicsView } from '#core/world/view.ts';
import type { World } from '#core/world/world.ts';
import { chunkNoiseSeed } from '#workers/inference/service.ts';
import { baselineMover, disturbed, type MeanTrajectory, type Mover } from './contestants.ts';
import { Lockstep, TICK_HZ, type TickRecord } from './lockstep.ts';

/** A policy as an episode needs it; `workers/inference/policy-runner.ts` is one. */
export interface ChunkMaker {
  readonly info: PolicyInfo;
  predict(observation: Observation, noiseSeed: number, how?: { readonly guidance?: ChunkGuidance }): Promise<PredictedChunk>;
}

export type Actor =
  | { readonly kind: 'baseline'; readonly name: Baseline; readonly meanTrajectory: MeanTrajectory }
  | { readonly kind: 'policy'; readonly maker: ChunkMaker };

export interface EpisodeParts {
  readonly world: World;
  /** Needed by policies and recordings; null in Node, where nothing draws. */
  readonly cameras: CameraRenderer | null;
  /** Wall time, for throughput only. */
  readonly nowMs: () => number;
}

/** Sees every tick before it happens: a recorder. */
export interface Witness {
  tick(seen: { readonly tick: number; readonly view: PhysicsView; readonly record: TickRecord; readonly wanted: Float64Array; readonly poses: () => Float64Array }): void;
}

export interface EpisodeOutcome {
  readonly result: EpisodeResult;
  readonly drawn: DrawnEpisode;
  readonly records: readonly TickRecord[];
  readonly chunks: readonly TracedChunk[];
}

/** A recorder goes on this long after success, so that a demonstration ends at rest and not in mid-air. */
const AFTER_SUCCESS_TICKS = 10;

/**
 * Throws a FailureError where the episode could not be run at all (no camera, a policy that fails): that is no failed
 * trial and is never counted as one.
 */
export async function runEpisode(request: EpisodeRequest, actor: Actor, parts: EpisodeParts, witness: Witness | null): Promise<EpisodeOutcome> {
  const began = parts.nowMs();
  const drawn = drawEpisode(request.task, request.seed, request);
  const random = seededRandom(request.seed).fork('perturbation');
  const { scene, start } = surroundings(request, sceneFor(drawn.reset), random);
  parts.cameras?.setScene(scene);
  const clockwork = stopwatch(parts.nowMs);
  const { lockstep, beginning, who } = await prelude(request, actor, { scene, start, parts, drawn, random, clockwork });

  const first = physicsView(parts.world);
  const judges = { asked: createJudge(drawn.goal, first), named: drawn.named === null ? null : createJudge(drawn.named, first) };
  const act = await actorFor(who, request, { lockstep, parts, drawn, first, random, clockwork });

  const records: TickRecord[] = [];
  let verdict: TaskVerdict = { kind: 'running' };
  let named: TaskVerdict | null = null;
  let ticksAfter = 0;
  for (;;) {
    const view = physicsView(parts.world);
    verdict = judges.asked.step(view);
    named = judges.named?.step(view) ?? null;
    if (isOver(verdict, named, judges)) {
      if (witness === null || verdict.kind !== 'success' || ticksAfter++ >= AFTER_SUCCESS_TICKS) break;
    }
    const wanted = await act.beforeTick(view, records.at(-1)?.target ?? beginning);
    const record = lockstep.control();
    records.push(record);
    clockwork.time('rendering', () => witness?.tick({ tick: records.length - 1, view, record, wanted: wanted ?? (record.wanted.some(Number.isNaN) ? record.target : record.wanted), poses: () => lockstep.poses() }));
    clockwork.time('physics', () => lockstep.advance());
    if (record.mode === 'stopping' || record.mode === 'stopped') {
      // Nobody presses Stop here: the safety watch latched, and nothing will move until a person says so.
      const stopped: TaskVerdict = { kind: 'failure', reason: 'stopped-by-safety', atSeconds: parts.world.simSeconds - first.simSeconds };
      if (verdict.kind === 'running') verdict = stopped;
      if (named?.kind === 'running') named = stopped;
      break;
    }
  }
  const total = parts.nowMs() - began;
  const result: EpisodeResult = {
    task: request.task,
    seed: request.seed,
    goal: drawn.goal,
    sentence: drawn.sentence,
    verdict,
    namedVerdict: named,
    ticks: records.length,
    chunks: act.chunks.length,
    limitedTicks: records.filter((record) => record.limitedJoints > 0).length,
    sceneHash: await sceneHash(scene, DRAWING_VERSION),
    milliseconds: { ...clockwork.spent, total },
  };
  return { result, drawn, records, chunks: act.chunks };
}

/** The scene and the first pose, radians: as drawn, changed by the one perturbation asked for, or by a demonstration's mix. */
function surroundings(request: EpisodeRequest, drawn: SceneDescription, random: Random): { readonly scene: SceneDescription; readonly start: JointRadians } {
  const mix = request.surroundings === 'training-mix' ? mixedPerturbations(random.fork('mix')) : [];
  let scene = perturbScene(request.perturbation, drawn, random.fork('scene'));
  let start = perturbStart(request.perturbation, radiansVectorToUnits(drawn.robot.homePose), random.fork('start'));
  for (const perturbation of mix) {
    scene = perturbScene(perturbation, scene, random.fork(`mix ${perturbation}`));
    start = perturbStart(perturbation, start, random.fork(`mix ${perturbation}`));
  }
  return { scene, start: unitsVectorToRadians(start) };
}

interface Prelude {
  readonly lockstep: Lockstep;
  /** The target the motors are left with, radians. */
  readonly beginning: Float64Array;
  /** Who acts in the episode itself. */
  readonly who: Actor;
}

interface PreludeParts {
  readonly scene: SceneDescription;
  readonly start: JointRadians;
  readonly parts: EpisodeParts;
  readonly drawn: DrawnEpisode;
  readonly random: Random;
  readonly clockwork: Stopwatch;
}

/** What happens before the episode begins: mostly nothing. */
async function prelude(request: EpisodeRequest, actor: Actor, given: PreludeParts): Promise<Prelude> {
  const { scene, start, parts, drawn, random } = given;
  const begin = (): Promise<Lockstep> => Lockstep.begin(parts.world, scene, start);
  switch (request.prelude) {
    case undefined:
      return { lockstep: await begin(), beginning: start, who: actor };
    case 'misled': {
      const lockstep = await begin();
      return { lockstep, beginning: misled(lockstep, drawn.goal, start, random.fork('prelude')), who: actor };
    }
    case 'crooked':
      return { ...(await crooked(begin, drawn.goal, start, random.fork('prelude'))), who: actor };
    case 'by-policy':
      return ledByPolicy(request, actor, begin, given);
    default:
      return unreachable(request.prelude);
  }
}

/** How long a policy acts before the expert takes over, and how long before a stop by safety it does so at the latest: 0.2 to 1.2 s. */
const LED = { leastSeconds: 0.5, mostSeconds: 5, leastBeforeStopTicks: 6, mostBeforeStopTicks: 36 };

/**
 * The policy acts as in an episode of its own, with the same noise. Where safety stops the arm, the same again up to shortly
 * before that: there the expert shows what would have been right. Physics and policy repeat to the bit, so it is the same way there.
 */
async function ledByPolicy(request: EpisodeRequest, actor: Actor, begin: () => Promise<Lockstep>, { start, parts, drawn, random, clockwork }: PreludeParts): Promise<Prelude> {
  if (actor.kind !== 'policy') throw new FailureError('control/out-of-range', { what: 'prelude by a policy without a policy', found: 0, least: 1, most: 1 });
  const lots = random.fork('prelude');
  let ticks = Math.round(lots.between(LED.leastSeconds, LED.mostSeconds) * TICK_HZ);
  for (;;) {
    const lockstep = await begin();
    const act = policyActing(actor.maker, request, { lockstep, parts, drawn, first: physicsView(parts.world), random, clockwork });
    let target: Float64Array = start;
    let stoppedAt: number | null = null;
    for (let tick = 0; tick < ticks && stoppedAt === null; tick++) {
      await act.beforeTick(physicsView(parts.world), target);
      const record = lockstep.control();
      lockstep.advance();
      target = record.target;
      if (record.mode === 'stopping' || record.mode === 'stopped') stoppedAt = tick;
    }
    if (stoppedAt === null) {
      lockstep.endRun();
      return { lockstep, beginning: target, who: EXPERT };
    }
    ticks = Math.max(1, stoppedAt - Math.round(lots.between(LED.leastBeforeStopTicks, LED.mostBeforeStopTicks)));
  }
}

const EXPERT: Actor = { kind: 'baseline', name: 'expert', meanTrajectory: () => Promise.reject(new Error('the expert asks for no mean trajectory')) };

/** Half a second to three; the cubes are seen so far off in x and in y, normally distributed. */
const MISLED = { least: 0.5, most: 3, metres: 0.025 };

/** Returns the target the motors are left with. Where safety stops the arm, the next wish is refused (`control/busy`): such an episode has no beginning. */
function misled(lockstep: Lockstep, goal: TaskGoal, start: JointRadians, random: Random): Float64Array {
  const mislead = misleading(lockstep, goal, [random.normal() * MISLED.metres, random.normal() * MISLED.metres]);
  const ticks = Math.round(random.between(MISLED.least, MISLED.most) * TICK_HZ);
  let target: Float64Array = start;
  for (let tick = 0; tick < ticks; tick++) target = wish(lockstep, mislead(target)).target;
  return target;
}

/**
 * Seen off and turned by so much (standard deviations). The cube is held when the jaw has been told to shut to `shutRad` and stays open by
 * `keptOpenRad`; then up to `heldSeconds` of holding on, while pan and roll creep by up to so much a tick. What missed it, or was
 * stopped, is tried again.
 */
const CROOKED = { metres: 0.006, turnRad: 0.4, shutRad: (-9 * Math.PI) / 180, keptOpenRad: (8 * Math.PI) / 180, mostSeconds: 5, heldSeconds: 1, panRad: 0.0012, rollRad: 0.005, attempts: 8 };
const [PAN_INDEX, ROLL_INDEX] = [0, 4];

/**
 * The fingers hold the cube, but not as the expert would have taken it: over a corner, the jaw wider open than it ever is in a good grasp.
 * Of 13 failures of the pocket policy to pick up, 12 ended so: it pressed on and never lifted, since a jaw that stands there was always
 * still closing in its demonstrations.
 */
async function crooked(begin: () => Promise<Lockstep>, goal: TaskGoal, start: JointRadians, random: Random): Promise<Omit<Prelude, 'who'>> {
  for (let attempt = 0; attempt < CROOKED.attempts; attempt++) {
    const lockstep = await begin();
    const beginning = takenCrookedly(lockstep, goal, start, random);
    if (beginning !== null) return { lockstep, beginning };
  }
  throw new FailureError('control/out-of-range', { what: 'attempts to take the cube crookedly', found: CROOKED.attempts, least: 0, most: CROOKED.attempts - 1 });
}

/** The target the motors are left with; null where the cube did not come to be held. */
function takenCrookedly(lockstep: Lockstep, goal: TaskGoal, start: JointRadians, random: Random): Float64Array | null {
  const mislead = misleading(lockstep, goal, [random.normal() * CROOKED.metres, random.normal() * CROOKED.metres], random.normal() * CROOKED.turnRad);
  const creep = { pan: CROOKED.panRad * random.between(-1, 1), roll: CROOKED.rollRad * random.between(-1, 1) };
  let held = Math.round(random.between(0, CROOKED.heldSeconds) * TICK_HZ);
  let target: Float64Array = start;
  let closed: 'yes' | 'no' = 'no';
  for (let tick = 0; tick < CROOKED.mostSeconds * TICK_HZ; tick++) {
    if (target[GRIPPER_INDEX]! < CROOKED.shutRad) {
      if (physicsView(lockstep.world).joints[GRIPPER_INDEX]! < target[GRIPPER_INDEX]! + CROOKED.keptOpenRad) return null;
      closed = 'yes';
    }
    if (closed === 'yes' && held-- <= 0) return target;
    const holding = (): JointRadians => target.map((value, i) => value + (i === PAN_INDEX ? creep.pan : i === ROLL_INDEX ? creep.roll : 0)) as JointRadians;
    const record = wish(lockstep, closed === 'yes' ? holding() : mislead(target));
    if (record.mode !== 'manual') return null;
    target = record.target;
  }
  return null;
}

/** What the expert wants that sees every cube so far off, metres in x and y, and turned by so much. */
function misleading(lockstep: Lockstep, goal: TaskGoal, off: readonly [number, number], turnRad = 0): (target: Float64Array) => JointRadians {
  const seen = (): PhysicsView => {
    const view = physicsView(lockstep.world);
    return { ...view, cubes: view.cubes.map((cube) => ({ ...cube, position: [cube.position[0] + off[0], cube.position[1] + off[1], cube.position[2]], yawRad: cube.yawRad + turnRad })) };
  };
  const expert = createExpert(goal, lockstep.world.scene.robot, seen(), 1 / TICK_HZ);
  return (target) => expert.next(seen(), target);
}

/** One tick of it. Rejects with `control/busy` where safety has stopped the arm. */
function wish(lockstep: Lockstep, pose: JointRadians): TickRecord {
  lockstep.setManualTargets(pose);
  const record = lockstep.control();
  lockstep.advance();
  return record;
}

/** With a swapped instruction both judges must have spoken; the asked one alone otherwise. */
function isOver(verdict: TaskVerdict, named: TaskVerdict | null, judges: { readonly named: Judge | null }): boolean {
  if (judges.named === null) return verdict.kind !== 'running';
  return verdict.kind !== 'running' && named !== null && named.kind !== 'running';
}

interface Acting {
  /** Does what must be done before this tick; returns what was wanted without any injected noise, radians. */
  beforeTick(view: PhysicsView, current: ArrayLike<number>): Promise<Float64Array | null>;
  /** Grows while the episode runs. */
  readonly chunks: readonly TracedChunk[];
}

interface ActingParts {
  readonly lockstep: Lockstep;
  readonly parts: EpisodeParts;
  readonly drawn: DrawnEpisode;
  readonly first: PhysicsView;
  readonly random: Random;
  readonly clockwork: Stopwatch;
}

async function actorFor(actor: Actor, request: EpisodeRequest, given: ActingParts): Promise<Acting> {
  if (actor.kind === 'policy') return policyActing(actor.maker, request, given);
  const { lockstep, drawn, first, random } = given;
  // A baseline that is told another colour does what it is told, as a policy that listens would.
  const goal: TaskGoal = drawn.named ?? drawn.goal;
  const mover = await baselineMover(actor.name, { goal, robot: lockstep.world.scene.robot, first, random: random.fork('baseline') }, actor.meanTrajectory);
  return moverActing(mover, request.injectedNoise, given);
}

function moverActing(mover: Mover, noise: number, { lockstep, random }: ActingParts): Acting {
  const { move, clean } = disturbed(mover, noise, random.fork('noise'));
  return {
    async beforeTick(view, current) {
      const wanted = move(view, current);
      if (wanted !== null) lockstep.setManualTargets(wanted);
      return clean();
    },
    chunks: [],
  };
}

function policyActing(maker: ChunkMaker, request: EpisodeRequest, given: ActingParts): Acting {
  const { lockstep, parts, drawn, random, clockwork } = given;
  const { info } = maker;
  const cameras = parts.cameras;
  if (cameras === null) throw new FailureError('world/no-webgl', { reason: 'this episode runs where nothing draws' });
  if (request.playRows < 1 || request.playRows > info.chunkRows) {
    throw new FailureError('control/out-of-range', { what: 'playRows', found: request.playRows, least: 1, most: info.chunkRows });
  }
  const pictureRandom = random.fork('pictures');
  const pending: { readonly dueTick: number; readonly deliver: () => void }[] = [];
  const chunks: TracedChunk[] = [];
  let before: { readonly x0: Float32Array; readonly observedTick: number } | null = null;
  /** As the inference worker guides a run, with the delay that the request states. */
  const guidance = (observedTick: number): { readonly guidance?: ChunkGuidance } => {
    if (request.realTimeChunking === undefined || before === null || info.head === 'bins') return {};
    const leftover = leftoverRows(before.x0, info.chunkRows, info.actionSize, observedTick - before.observedTick);
    return leftover.length === 0 ? {} : { guidance: { ...request.realTimeChunking, delay: request.inferenceDelayTicks, leftover, columns: info.actionSize } };
  };
  lockstep.beginRun({ runId: 1, askAtShare: 1 - request.playRows / info.chunkRows, chunkExpiryMs: 10_000, fps: info.fps });

  const look = (): readonly CameraPicture[] =>
    clockwork.time('rendering', () => {
      const poses = lockstep.poses();
      return info.cameras.map(({ robotKey, width, height }) => ({
        camera: robotKey,
        picture: perturbPicture(request.perturbation, cameras.render(robotKey, width, height, poses), pictureRandom),
        capturedAtMs: lockstep.clock.nowMs(),
        sequence: chunks.length,
      }));
    });

  const answer = async (requestId: number, observedTick: number): Promise<void> => {
    const observedAtMs = lockstep.clock.nowMs();
    const needs = { cameras: info.cameras.map((camera) => camera.robotKey), stateSize: info.stateSize };
    // An empty instruction is a slip when a person gives it and is refused there; here it is the test itself.
    const spoken = drawn.sentence === '' ? 'nothing' : drawn.sentence;
    const senses = { pictures: look(), state: lockstep.state(), sentence: spoken, nowMs: observedAtMs };
    const observation: Observation = { ...gatherObservation(needs, senses), sentence: drawn.sentence };
    const index = chunks.length;
    // The noise that a run of this seed would have: what is seen here can be seen again on the stage.
    const noiseSeed = chunkNoiseSeed(request.noiseSeed ?? request.seed, index);
    const predicted = await clockwork.timeAsync('inference', () => maker.predict(observation, noiseSeed, guidance(observedTick)));
    before = { x0: predicted.x0, observedTick };
    // A copy: the chunk itself is handed to control.
    chunks.push({ tick: lockstep.tick, noiseSeed, state: Array.from(observation.state), actions: predicted.actions.slice() });
    const { actionSize, chunkRows } = info;
    pending.push({
      dueTick: lockstep.tick + request.inferenceDelayTicks,
      deliver: () =>
        lockstep.answer({
          kind: 'chunk',
          requestId,
          chunk: { index, runId: 1, observedTick, rows: chunkRows, columns: actionSize, actions: predicted.actions, observedAtMs, computedAtMs: lockstep.clock.nowMs() },
        }),
    });
  };

  return {
    async beforeTick() {
      const question = lockstep.takeQuestion();
      if (question !== null) await answer(question.requestId, question.tick);
      while (pending.length > 0 && pending[0].dueTick <= lockstep.tick) pending.shift()?.deliver();
      return null;
    },
    chunks,
  };
}

interface Stopwatch {
  readonly spent: { physics: number; rendering: number; inference: number };
  time<T>(part: keyof Stopwatch['spent'], work: () => T): T;
  timeAsync<T>(part: keyof Stopwatch['spent'], work: () => Promise<T>): Promise<T>;
}

function stopwatch(nowMs: () => number): Stopwatch {
  const spent = { physics: 0, rendering: 0, inference: 0 };
  return {
    spent,
    time(part, work) {
      const began = nowMs();
      try {
        return work();
      } finally {
        spent[part] += nowMs() - began;
      }
    },
    async timeAsync(part, work) {
      const began = nowMs();
      try {
        return await work();
      } finally {
        spent[part] += nowMs() - began;
      }
    },
  };
}
