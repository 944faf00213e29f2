/**
 * Writes down one episode tick by tick: joints, wishes, cubes, and pictures every so often. Layout: `contracts/episode.ts`.
 * Pictures are drawn at their tick and read at the end, so that the GPU works while physics goes on.
 */
import type { RecordedEpisode, RecordingSettings } from '#contracts/episode-api.ts';
import { JOINT_COUNT } from '#contracts/joints.ts';
import { CUBE_COLOURS } from '#contracts/scene.ts';
import { radiansVectorToUnits } from '#core/robots/units.ts';
import type { CameraRenderer } from '#core/world/cameras.ts';
import type { Witness } from './episode.ts';

export interface Recorder extends Witness {
  /** Rejects with what the renderer's `capture` does. */
  finish(): Promise<Omit<RecordedEpisode, 'card'>>;
}

/** `cameras`: keys as the robot names them, `observation.images.<short>`. */
export function createRecorder(renderer: CameraRenderer, cameras: readonly string[], settings: RecordingSettings): Recorder {
  const ticks: { state: Float64Array; action: Float64Array; wanted: Float64Array; cubes: number[]; grip: readonly number[] }[] = [];
  const shots: { readonly tick: number; readonly pictures: Promise<readonly Uint8Array[]> }[] = [];
  return {
    tick({ tick, view, record, wanted, poses }) {
      const cubes = CUBE_COLOURS.flatMap((colour) => view.cubes.find((c) => c.colour === colour)?.position ?? [Number.NaN, Number.NaN, Number.NaN]);
      ticks.push({ state: radiansVectorToUnits(record.measured), action: radiansVectorToUnits(record.target), wanted: radiansVectorToUnits(wanted), cubes: [...cubes], grip: view.gripPoint });
      if (tick % settings.pictureEveryTicks !== 0) return;
      const instant = poses();
      const pictures = Promise.all(cameras.map(async (key) => withoutAlpha((await renderer.capture(key, settings.width, settings.height, instant)).data)));
      // Awaited at the end; a failure until then is not unhandled.
      pictures.catch(() => undefined);
      shots.push({ tick, pictures });
    },
    async finish() {
      const flat = (pick: (one: (typeof ticks)[number]) => ArrayLike<number>, width: number): Float32Array => {
        const all = new Float32Array(ticks.length * width);
        ticks.forEach((one, i) => all.set(Array.from(pick(one)), i * width));
        return all;
      };
      const bytes = settings.width * settings.height * 3;
      const taken = await Promise.all(shots.map((shot) => shot.pictures));
      const pictures = Object.fromEntries(
        cameras.map((key, c) => {
          const all = new Uint8Array(shots.length * bytes);
          taken.forEach((shot, i) => all.set(shot[c], i * bytes));
          return [shortName(key), all];
        }),
      );
      return {
        state: flat((one) => one.state, JOINT_COUNT),
        action: flat((one) => one.action, JOINT_COUNT),
        wanted: flat((one) => one.wanted, JOINT_COUNT),
        cubes: flat((one) => one.cubes, CUBE_COLOURS.length * 3),
        grip: flat((one) => one.grip, 3),
        shotTicks: Int32Array.from(shots, (shot) => shot.tick),
        pictures,
      };
    },
  };
}

/** `observation.images.front` -> `front`. */
export function shortName(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, o = 0; i < rgba.length; i += 4) {
    rgb[o++] = rgba[i];
    rgb[o++] = rgba[i + 1];
    rgb[o++] = rgba[i + 2];
  }
  return rgb;
}
