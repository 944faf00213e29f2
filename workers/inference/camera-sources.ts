/** Where each camera's picture comes from: the real one that was put into its slot, else the world. All are asked at once. */
import type { CameraPicture } from '#contracts/picture.ts';
import type { CameraClient } from './camera-client.ts';
import type { RealCameras } from './real-cameras.ts';

export function cameraSources(simulated: CameraClient, real: RealCameras): CameraClient {
  return {
    async pictures(cameras) {
      const drawn = cameras.filter(({ key }) => !real.has(key));
      // The drawing is asked first and the frames are taken when it is there: it is the slower of the two, by far.
      const fromWorld = drawn.length === 0 ? [] : await simulated.pictures(drawn);
      const byKey = new Map<string, CameraPicture>(fromWorld.map((picture) => [picture.camera, picture]));
      const taken = await Promise.all(cameras.filter(({ key }) => real.has(key)).map(({ key }) => real.picture(key)));
      for (const picture of taken) byKey.set(picture.camera, picture);
      return cameras.map(({ key }) => byKey.get(key)).filter((picture) => picture !== undefined);
    },
  };
}
