/**
 * The inference worker: wires the real parts together and starts serving. Starting is quick: onnxruntime and the GPU are
 * left alone until a policy is loaded. `serveWorker` starts nothing in onnxruntime's own threads (`em-pthread`).
 */
import type { ControlToInference, InferenceToControl } from '#contracts/control.ts';
import type { LoadProgress } from '#contracts/inference.ts';
import type { WorkerBoot } from '#contracts/worker.ts';
import { letterbox } from '#core/camera/letterbox.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { systemClock } from '#core/lib/clock.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { FirstViews } from '#core/observation/camera-watch.ts';
import { openTokenizer } from '#core/observation/tokenize.ts';
import { loadPolicy } from '#core/policy/family.ts';
import { serveWorker } from '#workers/shared/serve.ts';
import { armStateReader } from './arm-state.ts';
import { cameraClient } from './camera-client.ts';
import { cameraSources } from './camera-sources.ts';
import { openEngines } from './engines.ts';
import { realCameras, serveCameraPort } from './real-cameras.ts';
import { InferenceService } from './service.ts';

serveWorker({
  name: 'inference',
  start: async (boot) => {
    const control = portOf(boot, 'control');
    const progress = portOf(boot, 'progress');
    const onProgress = (step: LoadProgress): void => progress.postMessage(step);
    const clock = systemClock();
    const store = opfsStore();
    const real = realCameras(clock);
    const firstViews: FirstViews = new Map();
    serveCameraPort(portOf(boot, 'real-cameras'), real, (camera) => void firstViews.delete(camera));
    const service = new InferenceService({
      clock,
      engines: openEngines(onProgress),
      openPack: (storedName) => store.open(storedName),
      loadPolicy,
      openTokenizer,
      letterbox,
      cameras: cameraSources(cameraClient(portOf(boot, 'cameras')), real),
      firstViews,
      readArm: armStateReader(boot.memory.arm, clock),
      send: (message: InferenceToControl) => control.postMessage(message, message.kind === 'chunk' ? [message.chunk.actions.buffer] : []),
      onProgress,
    });
    control.onmessage = (event: MessageEvent<ControlToInference>) => service.question(event.data);
    return service;
  },
});

function portOf(boot: WorkerBoot, name: string): MessagePort {
  const port = boot.ports[name];
  if (port === undefined) throw new FailureError('internal', { message: `booted without the port ${name}` });
  return port;
}
