/**
 * The episode worker: wires the real parts together and starts serving. Physics and cameras are there at once;
 * onnxruntime and the GPU are left alone until a policy is chosen. A policy is loaded exactly as the inference worker does
 * it. `serveWorker` starts nothing in onnxruntime's own threads (`em-pthread`).
 *
 * Its response may build functions from text, as the world worker's may: MuJoCo's loader needs that.
 */
import type { LoadProgress } from '#contracts/inference.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { systemClock } from '#core/lib/clock.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { loadPolicy } from '#core/policy/family.ts';
import { sceneFor } from '#core/scene/description.ts';
import { createCameraRenderer } from '#core/world/cameras.ts';
import { World } from '#core/world/world.ts';
import { chooseEngine } from '#workers/inference/choose.ts';
import { openEngines } from '#workers/inference/engines.ts';
import { policyRunner } from '#workers/inference/policy-runner.ts';
import { serveWorker } from '#workers/shared/serve.ts';
import { EpisodeService } from './service.ts';

serveWorker({
  name: 'episode',
  start: async (boot) => {
    const clock = systemClock();
    const store = opfsStore();
    const onProgress = (step: LoadProgress): void => boot.ports['progress']?.postMessage(step);
    const engines = openEngines(onProgress);
    // Any scene will do to open the renderer: every episode sets its own.
    const description = sceneFor({ task: '', seed: 0 });
    return new EpisodeService({
      world: await World.open(),
      cameras: createCameraRenderer({ description, canvas: new OffscreenCanvas(256, 256) }),
      nowMs: () => clock.nowMs(),
      openPolicy: async (storedName, choice, fit) => {
        const pack = await store.open(storedName);
        const { runner, engine } = await chooseEngine({
          choice,
          engines,
          precision: pack.manifest.info.precision,
          build: (made) => policyRunner(pack, made, { loadPolicy, openTokenizer, letterbox, clock }, fit),
          clock,
          onProgress,
        });
        onProgress({ phase: 'ready' });
        return { maker: runner, engine, dispose: () => runner.dispose() };
      },
    });
  },
});
