/**
 * Our own GPUDevice. Knows which features and limits onnxruntime's WebGPU provider wants and how a device dies; refuses
 * to know what runs on it. We open the device ourselves (and do not let onnxruntime do it) for three reasons: it is the
 * only way to leave `subgroups` out, the only way to hear of `lost`, and the self-test needs the same device that the
 * policy will run on.
 */
import type { EngineReport } from '#contracts/inference.ts';
import { FailureError } from '#core/lib/failure.ts';

/** Why a device is opened with or without subgroup operations: see `self-test.ts`. */
export const SUBGROUP_CHOICES = ['with-subgroups', 'without-subgroups'] as const;
export type SubgroupChoice = (typeof SUBGROUP_CHOICES)[number];

/** Asked for where the adapter has them. Without `shader-f16` no f16 kernel runs; without `timestamp-query` no profile. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['shader-f16', 'timestamp-query', 'subgroups'];
/** Newer than the type package: lets the provider fix the subgroup width it compiles for. */
const SUBGROUP_SIZE_CONTROL = 'subgroup-size-control';

/** The adapter's own values: the defaults (128 MiB bindings, 16 KiB workgroup memory) are too small for weights and tiles. */
const WANTED_LIMITS = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

export interface GpuHandle {
  readonly device: GPUDevice;
  readonly adapter: NonNullable<EngineReport['adapter']>;
  readonly kind: AdapterKind;
  /** Features the device was opened with, sorted: what the report shows. */
  readonly features: readonly string[];
  /** `engine/device-lost` once the device is gone (also after `close`), null while it lives. */
  lostFailure(): FailureError | null;
  /**
   * Calls `listener` once when the device is lost, at once if it is; returns how to stop listening. A list and no
   * promise: racing thousands of runs against one promise that stays pending would keep all their results.
   */
  onLost(listener: (failure: FailureError) => void): () => void;
  /** First validation or memory error since the last call that nobody caught, else null. Asking clears it. */
  takeUncapturedError(): string | null;
  close(): void;
}

/** `software`: the browser computes what a GPU should on the CPU, at about 1 GFLOP/s on two cores. */
export type AdapterKind = 'hardware' | 'software';

export interface ProbedAdapter {
  readonly name: NonNullable<EngineReport['adapter']>;
  readonly kind: AdapterKind;
}

/** Whether there is a GPU to talk to, and what it is. Opens nothing. Rejects with `engine/no-webgpu`. */
export async function probeAdapter(): Promise<ProbedAdapter> {
  const adapter = await requestAdapter();
  return { name: adapterName(adapter), kind: adapterKind(adapter) };
}

function adapterKind(adapter: GPUAdapter): AdapterKind {
  // The specification's word for it, newer than the type package; Chromium's own software GPU also tells its name.
  const { isFallbackAdapter } = adapter.info as GPUAdapterInfo & { readonly isFallbackAdapter?: boolean };
  const { architecture, description } = adapterName(adapter);
  return isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`) ? 'software' : 'hardware';
}

/**
 * Opens a device. An adapter gives one device only, so each call asks for a new adapter.
 * Rejects with `engine/no-webgpu`.
 */
export async function openGpuDevice(subgroups: SubgroupChoice): Promise<GpuHandle> {
  const adapter = await requestAdapter();
  const features = wantedFeatures(adapter, subgroups);
  const limits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) limits[limit] = adapter.limits[limit];
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: 'policy', requiredFeatures: features, requiredLimits: limits });
  } catch (thrown) {
    throw new FailureError('engine/no-webgpu', { reason: thrown instanceof Error ? thrown.message : String(thrown) });
  }
  return gpuHandle(device, adapter, [...features].sort());
}

async function requestAdapter(): Promise<GPUAdapter> {
  // The type package promises it; a browser without WebGPU does not.
  const gpu = (navigator as { readonly gpu?: GPU }).gpu;
  if (gpu === undefined) throw new FailureError('engine/no-webgpu', { reason: 'navigator.gpu is missing' });
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw new FailureError('engine/no-webgpu', { reason: 'no adapter' });
  return adapter;
}

function adapterName(adapter: GPUAdapter): NonNullable<EngineReport['adapter']> {
  const { vendor, architecture, description } = adapter.info;
  return { vendor, architecture, description };
}

function wantedFeatures(adapter: GPUAdapter, subgroups: SubgroupChoice): GPUFeatureName[] {
  const names = [...WANTED_FEATURES, SUBGROUP_SIZE_CONTROL as GPUFeatureName];
  return names.filter((name) => adapter.features.has(name) && (subgroups === 'with-subgroups' || !name.startsWith('subgroup')));
}

/** A device that somebody opened; `openGpuDevice` for those who want one. */
export function gpuHandle(device: GPUDevice, adapter: GPUAdapter, features: readonly string[]): GpuHandle {
  let lostFailure: FailureError | null = null;
  let uncaptured: string | null = null;
  const listeners = new Set<(failure: FailureError) => void>();
  void device.lost.then((info) => {
    const failure = new FailureError('engine/device-lost', { reason: info.reason, message: info.message });
    lostFailure = failure;
    for (const listener of listeners) listener(failure);
    listeners.clear();
  });
  device.addEventListener('uncapturederror', (event) => {
    uncaptured ??= event.error.message;
    event.preventDefault();
  });
  return {
    device,
    adapter: adapterName(adapter),
    kind: adapterKind(adapter),
    features,
    lostFailure: () => lostFailure,
    onLost(listener) {
      if (lostFailure !== null) listener(lostFailure);
      else listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    takeUncapturedError() {
      const taken = uncaptured;
      uncaptured = null;
      return taken;
    },
    close: () => device.destroy(),
  };
}
