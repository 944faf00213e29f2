/**
 * The world's verbs: reset, pace, lockstep steps, light, status. A plain class over its parts, so that it runs the same
 * in a worker, in Node and on a manual clock. Checks what callers send; simulates and draws nothing itself.
 */
import type { Failure, Outcome } from '#contracts/failure.ts';
import type { ResetRequest, SceneInfo } from '#contracts/scene.ts';
import type { Clock } from '#contracts/time.ts';
import type { Pace, WorldApi, WorldStatus } from '#contracts/world.ts';
import { asFailure, FailureError, outcome } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { DRAWING_VERSION } from '#core/scene/drawing-version.ts';
import { sceneHash } from '#core/scene/hash.ts';
import { STEP_SECONDS } from '#core/world/world.ts';
import { createPacer, type Pacer } from './loop.ts';
import type { Pictures } from './pictures.ts';
import type { Room } from './room.ts';

/** What stands on the table before anyone asked for anything. */
export const FIRST_SCENE: ResetRequest = { task: '', seed: 7 };

/** A paused world is read again this often: joint readings older than 200 ms count as stale everywhere. */
const PAUSED_PUBLISH_MS = 50;

/** One lockstep call: 100 simulated seconds. Longer runs are several calls, so that status still answers in between. */
const MOST_STEPS = 50_000;

export class WorldService implements WorldApi {
  readonly #room: Room;
  readonly #pictures: Pictures;
  readonly #pacer: Pacer;
  #pace: Pace = 'paused';
  #info: SceneInfo | null = null;
  #failure: Failure | null = null;
  readonly #clock: Clock;
  /** Whether the loop that publishes a paused world is alive. */
  #standing = false;
  #closed = false;

  constructor(parts: { readonly room: Room; readonly pictures: Pictures; readonly clock: Clock }) {
    this.#room = parts.room;
    this.#pictures = parts.pictures;
    this.#clock = parts.clock;
    this.#pacer = createPacer(
      parts.clock,
      STEP_SECONDS * 1000,
      (steps) => this.#room.advance(steps),
      (thrown) => {
        this.#failure = asFailure(thrown);
      },
    );
  }

  reset(request: ResetRequest): Promise<Outcome<SceneInfo>> {
    return outcome(async () => {
      const description = this.#room.reset(request);
      this.#failure = null;
      this.#pictures.setScene(description);
      // A fault had paused the loop; time goes on at the pace that was asked for.
      if (this.#pace === 'real-time') this.#pacer.run();
      const bodies = this.#room.world.bodies;
      this.#info = { request, description, hash: await sceneHash(description, DRAWING_VERSION), bodies };
      return this.#info;
    });
  }

  setPace(pace: Pace): Promise<Outcome<null>> {
    return outcome(() => {
      if (this.#failure !== null) throw new FailureError(this.#failure.code, this.#failure.facts);
      switch (pace) {
        case 'real-time':
          this.#pacer.run();
          break;
        case 'paused':
          this.#pacer.pause();
          break;
        default:
          unreachable(pace);
      }
      this.#pace = pace;
      if (pace === 'paused') void this.#publishWhilePaused();
      return null;
    });
  }

  step(steps: number): Promise<Outcome<{ readonly positions: readonly number[]; readonly simSeconds: number }>> {
    return outcome(() => {
      if (this.#pace !== 'paused') throw new FailureError('control/busy', { mode: this.#pace });
      if (!Number.isInteger(steps) || steps < 1 || steps > MOST_STEPS) throw new FailureError('control/out-of-range', { what: 'steps', found: steps, least: 1, most: MOST_STEPS });
      try {
        this.#room.advance(steps);
      } catch (thrown) {
        this.#failure = asFailure(thrown);
        throw thrown;
      }
      return { positions: Array.from(this.#room.world.positions()), simSeconds: this.#room.world.simSeconds };
    });
  }

  /** Changes the lamp and nothing that moves; the hash changes with it. */
  setLightLevel(level: number): Promise<Outcome<SceneInfo>> {
    return outcome(async () => {
      const before = this.#info;
      if (before === null) throw new FailureError('world/physics', { message: 'the world is empty: reset it first' });
      if (!(level >= 0 && level <= 1)) throw new FailureError('control/out-of-range', { what: 'lightLevel', found: level, least: 0, most: 1 });
      const description = { ...before.description, lights: { ...before.description.lights, level } };
      this.#pictures.setScene(description);
      const request = { ...before.request, lightLevel: level };
      this.#info = { ...before, request, description, hash: await sceneHash(description, DRAWING_VERSION) };
      return this.#info;
    });
  }

  status(): Promise<Outcome<WorldStatus>> {
    return outcome(() => ({
      pace: this.#pace,
      simSeconds: this.#info === null ? 0 : this.#room.world.simSeconds,
      realTimeFactor: this.#pacer.realTimeFactor(),
      cameraMs: this.#pictures.cameraMs(),
      failure: this.#failure ?? this.#pictures.failure(),
    }));
  }

  /** What stands still is measured anew each time: the reading is fresh, and its number the same. */
  async #publishWhilePaused(): Promise<void> {
    if (this.#standing) return;
    this.#standing = true;
    while (this.#pace === 'paused' && this.#failure === null && !this.#closed) {
      if (this.#info !== null) this.#room.publish();
      await this.#clock.sleepUntil(this.#clock.nowMs() + PAUSED_PUBLISH_MS);
    }
    this.#standing = false;
  }

  /** Ends loop, cameras and physics. */
  close(): void {
    this.#closed = true;
    this.#pacer.close();
    this.#pictures.close();
    this.#room.world.dispose();
  }
}
