/**
 * The engines of this worker: each made when first asked for, once, and kept. Knows what this browser has and what was
 * found out about it; refuses to choose between them (`choose.ts`).
 *
 * Order matters for the download: whether there is a GPU is asked before any build is fetched, and the CPU engine takes
 * the build that is already here, so that no visitor loads two.
 */
import type { Engine } from '#contracts/engine.ts';
import type { EngineReport, LoadProgress } from '#contracts/inference.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { availableThreads, gpuBuild, loadOrt, type OrtBuild, type OrtRuntime } from './engine-ort-web.ts';
import { probeAdapter, SUBGROUP_CHOICES, type SubgroupChoice } from './gpu-device.ts';
import { SelfTestFailure, trustedGpu, type TrustedGpu } from './self-test.ts';

export type EngineFacts = Pick<EngineReport, 'build' | 'threads' | 'adapter' | 'attempts'>;

export interface Engines {
  /**
   * On a device that passed the self-test. Rejects with `engine/no-webgpu`, `engine/self-test-failed`,
   * `engine/device-lost` (also later, once the device is gone: it is not opened again in this worker) or
   * `engine/unavailable`, and goes on rejecting.
   */
  webgpu(): Promise<Engine>;
  /**
   * As `webgpu`, but a software GPU is turned away before anything is downloaded or compiled for it
   * (`engine/software-gpu`): WASM threads do 66 GFLOP/s where it does 1, and its shaders alone take half a minute.
   */
  webgpuWorthRacing(): Promise<Engine>;
  /**
   * Lets go of the device with all that is on it; `webgpu` then opens another. Only for who has disposed of every policy on it.
   * onnxruntime keeps the weights of a session that was let go for as long as another one lives on the device, and one must
   * (`ort-engine.ts`): without this, every policy looked at and every recording proved would leave its weights in GPU memory. A device that was lost stays lost.
   */
  closeGpu(): Promise<void>;
  /** What speaks against a GPU before anything is fetched for it (`engine/no-webgpu`, `engine/software-gpu`), or null. */
  againstGpu(): Promise<FailureError | null>;
  /** Rejects with `engine/unavailable`; asked again it tries again. */
  wasm(): Promise<Engine>;
  /** What has been found out so far. Only after one of the two has been asked for. */
  facts(): EngineFacts;
}

export interface OpenedEngines extends Engines {
  /** The device that `webgpu` computes on, for whoever measures it; null before there is one. */
  device(): GPUDevice | null;
}

export function openEngines(onProgress: (progress: LoadProgress) => void): OpenedEngines {
  const runtimes = new Map<OrtBuild, OrtRuntime>();
  /** The one asked for last. */
  let runtime: OrtRuntime | null = null;
  let trusted: Promise<TrustedGpu> | null = null;
  let device: GPUDevice | null = null;
  let choices: readonly SubgroupChoice[] = SUBGROUP_CHOICES;
  let cpu: Engine | null = null;
  let adapter: EngineReport['adapter'] = null;
  let attempts: EngineReport['attempts'] = [];

  const load = async (build: OrtBuild): Promise<OrtRuntime> => {
    const onBytes = (doneBytes: number, totalBytes: number | null): void => onProgress({ phase: 'fetch', what: 'engine', doneBytes, totalBytes });
    runtime = runtimes.get(build) ?? (await loadOrt({ build, threads: availableThreads(), onBytes }));
    runtimes.set(build, runtime);
    return runtime;
  };

  const openGpu = async (): Promise<TrustedGpu> => {
    adapter = (await probeAdapter()).name;
    const ort = await load(gpuBuild());
    onProgress({ phase: 'engine', what: 'self-test' });
    try {
      const found = await trustedGpu(ort, choices);
      choices = [found.choice];
      // What an earlier device taught still holds for this one; it is not tried again, but it is told.
      attempts = [...attempts.filter(({ trusted: was }) => !was), ...found.attempts];
      device = found.gpu.device;
      return found;
    } catch (thrown) {
      if (thrown instanceof SelfTestFailure) attempts = thrown.attempts;
      throw thrown;
    }
  };

  return {
    device: () => device,
    async webgpu() {
      trusted ??= openGpu();
      const { gpu, engine } = await trusted;
      const lost = gpu.lostFailure();
      if (lost !== null) throw lost;
      runtime = runtimes.get(gpuBuild()) ?? runtime;
      return engine;
    },
    async webgpuWorthRacing() {
      const against = trusted === null ? await this.againstGpu() : null;
      if (against !== null) throw against;
      return this.webgpu();
    },
    async closeGpu() {
      const opened = await trusted?.catch(() => null);
      if (opened === undefined || opened === null || opened.gpu.lostFailure() !== null) return;
      const { gpu, engine } = opened;
      trusted = null;
      device = null;
      await engine.dispose();
      gpu.close();
    },
    async againstGpu() {
      try {
        const { kind, name } = await probeAdapter();
        adapter = name;
        return kind === 'hardware' ? null : new FailureError('engine/software-gpu', { vendor: name.vendor, architecture: name.architecture });
      } catch (thrown) {
        const { code, facts } = asFailure(thrown);
        return new FailureError(code, facts);
      }
    },
    async wasm() {
      // A GPU build that is here already brings its own CPU engine, as quick as the other's.
      const [here] = runtimes.keys();
      cpu ??= (await load(here ?? 'wasm')).wasmEngine();
      return cpu;
    },
    facts() {
      if (runtime === null) throw new FailureError('internal', { message: 'no engine has been loaded' });
      return { build: runtime.build, threads: runtime.threads, adapter, attempts };
    },
  };
}
