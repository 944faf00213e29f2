/** What goes wrong, one story each: a clear message with what to do, the arm holds, the page stays alive. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FailureCode } from '#contracts/failure.ts';
import { open, type App } from './app.ts';
import { DIST, expect, newSite, test, withPrelude, type Damage, type Site } from './site.ts';
import { expectHolding, kill, worker } from './workers.ts';

const WEIGHTS = 'policies/pocket/model.safetensors';
const CONFIG = 'policies/pocket/config.json';

function weights(): Buffer {
  return readFileSync(join(DIST, WEIGHTS));
}

/** The header of a safetensors file rewritten; offsets stay true as long as the bytes after it do. */
function withHeader(change: (header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>) => void): Buffer {
  const bytes = weights();
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Parameters<typeof change>[0];
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, 0x20)]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([size, padded, bytes.subarray(8 + length)]);
}

/** Second number of the first tensor, whatever floats it is made of. */
const NOT_A_NUMBER: Readonly<Record<string, { readonly bytes: 2 | 4; readonly bits: number }>> = { F32: { bytes: 4, bits: 0x7fc00000 }, BF16: { bytes: 2, bits: 0x7fc0 }, F16: { bytes: 2, bits: 0x7e00 } };

function withNaN(): Buffer {
  const bytes = Buffer.from(weights());
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, { dtype: string; data_offsets: [number, number] }>;
  const [, tensor] = Object.entries(header).find(([name, one]) => name !== '__metadata__' && one.dtype in NOT_A_NUMBER) ?? [];
  const float = NOT_A_NUMBER[tensor?.dtype ?? ''];
  if (tensor === undefined || float === undefined) throw new Error('the pocket policy has no tensor of floats');
  const at = 8 + length + tensor.data_offsets[0] + float.bytes;
  if (float.bytes === 4) bytes.writeUInt32LE(float.bits, at);
  else bytes.writeUInt16LE(float.bits, at);
  return bytes;
}

const replace = (file: string, bytes: () => Buffer | null): Damage => (path) => (path === file ? bytes() : undefined);

const CHECKPOINTS: readonly { readonly title: string; readonly damage: Damage; readonly codes: readonly FailureCode[]; readonly says: RegExp }[] = [
  { title: 'The weights are missing on the host', damage: replace(WEIGHTS, () => null), codes: ['checkpoint/file-missing', 'download/failed'], says: /missing|not (?:there|found|be fetched)/i },
  { title: 'The download of the weights broke off half-way', damage: replace(WEIGHTS, () => weights().subarray(0, Math.floor(weights().length / 2))), codes: ['checkpoint/file-truncated'], says: /too short|truncated|incomplete|cut/i },
  { title: 'The weights are not a safetensors file', damage: replace(WEIGHTS, () => Buffer.concat([Buffer.alloc(8, 0xff), Buffer.from('nonsense')])), codes: ['checkpoint/file-corrupt', 'checkpoint/file-truncated'], says: /damaged|corrupt|broken|cannot be read|too short|incomplete/i },
  { title: 'The configuration is not JSON', damage: replace(CONFIG, () => Buffer.from('{"type": "smolvla",')), codes: ['checkpoint/file-corrupt', 'checkpoint/config'], says: /damaged|corrupt|broken|cannot be read|configuration/i },
  {
    title: 'A tensor has another shape than the configuration says',
    damage: replace(WEIGHTS, () =>
      withHeader((header) => {
        const name = Object.keys(header).find((key) => key.includes('state_proj.weight')) ?? '';
        header[name]?.shape.reverse();
      }),
    ),
    codes: ['checkpoint/tensor-shape'],
    says: /shape|size/i,
  },
  {
    title: 'A tensor is missing from the weights',
    damage: replace(WEIGHTS, () =>
      withHeader((header) => {
        const name = Object.keys(header).find((key) => key.includes('action_out_proj.weight')) ?? '';
        const tensor = header[name];
        delete header[name];
        if (tensor !== undefined) header['somebody.else'] = tensor;
      }),
    ),
    codes: ['checkpoint/tensor-missing'],
    says: /missing|not there/i,
  },
  { title: 'A weight is not a number', damage: replace(WEIGHTS, withNaN), codes: ['checkpoint/not-finite'], says: /not a number|NaN|finite/i },
];

/** What a damaged checkpoint must look like, wherever it came from. */
async function expectDamageTold(app: App, { codes, says }: (typeof CHECKPOINTS)[number]): Promise<void> {
  await expect.poll(async () => (await app.state()).policy.kind, { timeout: 60_000 }).toBe('failed');
  const { failures } = await app.state();
  expect(codes, JSON.stringify(failures)).toContain(failures[0]?.code);
  expect(failures.length, JSON.stringify(failures)).toBe(1);
  await app.expectMessage(says);
  expect(codes).toContain((await app.failureOf((playground) => playground.run({ task: 'pick up the red cube', seconds: 3 }))).code);
  await expectHolding(app);
}

test('The policy that ships is damaged on the host: the page says so and what to do when it is opened, and the arm holds', async ({ site }) => {
  const [missing] = CHECKPOINTS;
  if (missing === undefined) throw new Error('no damaged checkpoint');
  const visit = await site.visit({ replace: missing.damage });
  visit.expectComplaint(/404|Failed to load resource/);
  await expectDamageTold(await open(visit), missing);
});

test.describe('A policy is damaged that she chooses', () => {
  /** `policies/damaged-3/...` is the pocket policy with the fourth damage. */
  const damaged: Damage = (path) => {
    const [, index = '', rest = ''] = /^policies\/damaged-(\d+)\/(.+)$/.exec(path) ?? [];
    const one = CHECKPOINTS[Number(index)];
    if (index === '' || one === undefined) return undefined;
    const found = one.damage(`policies/pocket/${rest}`);
    return found === undefined ? fileOf(join(DIST, 'policies/pocket', rest)) : found;
  };
  let shared: Site;
  let app: App;
  test.beforeAll(async ({ browser }) => {
    shared = newSite(browser);
    const visit = await shared.visit({ replace: damaged });
    visit.expectComplaint(/404|Failed to load resource/);
    app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  });
  test.afterAll(() => shared.close());

  for (const [index, one] of CHECKPOINTS.entries()) {
    test(`${one.title}: the page says so and what to do, and the arm holds`, async () => {
      for (const dismiss of await app.page.getByRole('button', { name: /dismiss|close/i }).all()) await dismiss.click();
      const failure = await app.failureOf((playground, name) => playground.policies.load(name), `policies/damaged-${index}`);
      expect(one.codes).toContain(failure.code);
      await expectDamageTold(app, one);
    });
  }
});

/** Null where there is none. */
function fileOf(path: string): Buffer | null {
  return existsSync(path) ? readFileSync(path) : null;
}

test('The policy asks for a camera that this robot does not have: it is named, and the arm holds', async ({ site }) => {
  const renamed = (path: string): Uint8Array | undefined =>
    /^policies\/pocket\/.*(?:config|preprocessor|postprocessor).*\.json$/.test(path) ? Buffer.from(readFileSync(join(DIST, path), 'utf8').replaceAll('observation.images.front', 'observation.images.ceiling')) : undefined;
  const visit = await site.visit({ replace: renamed });
  const app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  const failure = await app.failureOf(async (playground) => {
    const report = await playground.run({ task: 'pick up the red cube', seconds: 5 });
    if (report.failure !== null) throw Object.assign(new Error('failed'), report.failure);
  });
  // The list of checks stands before the run; the place it names asks for a device.
  expect(failure).toMatchObject({ code: 'policy/preflight', facts: { check: expect.stringMatching(/camera/) } });
  await expect(app.page.getByText(/list of checks has a red line: camera/i)).toHaveCount(1);
  await expect(app.page.getByRole('figure', { name: 'Ceiling camera' })).toContainText('The policy asks for this camera. Choose a device.');
  // A plan asked for without a run is refused by name, too.
  const probed = await app.failureOf((playground) => playground.probe({ task: 'pick up the red cube', noiseSeed: 1 }));
  expect(probed.code).toBe('observation/camera-missing');
  expect(JSON.stringify(probed.facts)).toContain('ceiling');
  await expectHolding(app);
});

test('There is no WebGPU: the page says which engine runs instead, and a sentence still moves the arm', async ({ site }) => {
  // What a browser without WebGPU looks like from inside a worker.
  const visit = await site.visit({ replace: withPrelude('inference', "Object.defineProperty(Object.getPrototypeOf(navigator), 'gpu', { get: () => undefined })") });
  const app = await open(visit, { until: 'policy' });
  const { engine } = await app.play((playground) => playground.capabilities());
  expect(engine?.provider).toBe('wasm');
  expect(engine?.reason).toMatchObject({ kind: 'only', failure: { code: 'engine/no-webgpu' } });
  await expect(app.page.getByText(/WASM on the CPU/).first()).toBeVisible();
  const report = await app.play(async (playground) => {
    const { outcome, control, file } = await playground.run({ task: 'wave hello', seconds: 4 });
    return { outcome, chunksPlayed: control.chunksPlayed, providers: file.chunks.map((chunk) => chunk.provider) };
  });
  expect(report.outcome).toBe('finished');
  expect(report.chunksPlayed).toBeGreaterThan(0);
  expect(new Set(report.providers)).toEqual(new Set(['wasm']));
});

test('There is no WebGPU and the address asks for it: the page refuses with the reason', async ({ site }) => {
  const visit = await site.visit({ replace: withPrelude('inference', "Object.defineProperty(Object.getPrototypeOf(navigator), 'gpu', { get: () => undefined })") });
  const app = await open(visit, { query: 'engine=webgpu' });
  await expect.poll(async () => (await app.state()).policy.kind, { timeout: 60_000 }).toBe('failed');
  expect((await app.state()).failures[0]?.code).toMatch(/^engine\/(?:no-webgpu|unavailable)$/);
  await expectHolding(app);
});

/**
 * A GPU that looks like a real one and counts wrong: whatever is uploaded or read back is not what was meant. (One that
 * is known to be software is not even tried unless the address asks for it.)
 */
const WRONG_GPU = `{
  for (const [name, value] of [['architecture', 'story'], ['description', ''], ['vendor', 'story'], ['isFallbackAdapter', false]]) Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => value });
  const submit = GPUQueue.prototype.writeBuffer;
  GPUQueue.prototype.writeBuffer = function (buffer, offset, data, ...rest) {
    const bytes = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    if (bytes.byteLength >= 4096) {
      const wrong = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice();
      new Float32Array(wrong.buffer, 0, wrong.length >> 2).fill(3);
      return submit.call(this, buffer, offset, wrong);
    }
    return submit.call(this, buffer, offset, data, ...rest);
  };
  const mapped = GPUBuffer.prototype.getMappedRange;
  GPUBuffer.prototype.getMappedRange = function (...args) {
    const range = mapped.apply(this, args);
    if (this.usage & GPUBufferUsage.MAP_READ) new Float32Array(range, 0, range.byteLength >> 2).fill(7);
    return range;
  };
}`;

test('The GPU fails its self-test: it is not used, the page says so, and a sentence still moves the arm', async ({ site }) => {
  const visit = await site.visit({ replace: withPrelude('inference', WRONG_GPU) });
  const engines = new Set<string>();
  visit.context.on('request', (request) => void (/ort-wasm.*\.wasm$/.test(request.url()) && engines.add(request.url())));
  const app = await open(visit, { until: 'policy' });
  const { engine } = await app.play((playground) => playground.capabilities());
  expect(engines.size, [...engines].join()).toBe(1);
  expect(engine?.provider).toBe('wasm');
  expect(engine?.reason).toMatchObject({ kind: 'only', failure: { code: 'engine/self-test-failed' } });
  expect(engine?.attempts.length).toBeGreaterThan(0);
  expect(engine?.attempts.every((attempt) => !attempt.trusted)).toBe(true);
  await expect(app.page.getByText(/failed its (?:calculation|self)[- ]tests?/i).first()).toBeVisible();
  expect(await app.play(async (playground) => (await playground.run({ task: 'wave hello', seconds: 4 })).outcome)).toBe('finished');
});

const REMEMBER_CONTEXTS = `{
  self.contexts = [];
  const get = OffscreenCanvas.prototype.getContext;
  OffscreenCanvas.prototype.getContext = function (...args) {
    const context = get.apply(this, args);
    if (context !== null && String(args[0]).startsWith('webgl')) self.contexts.push(context);
    return context;
  };
}`;

test('The cameras lose their drawing context: a failed camera, no old picture passes for a new one, the arm holds', async ({ site }) => {
  const visit = await site.visit({ replace: withPrelude('world', REMEMBER_CONTEXTS) });
  visit.expectComplaint(/context lost|CONTEXT_LOST/i);
  const app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  await worker(app, 'world').evaluate("self.contexts.forEach((context) => context.getExtension('WEBGL_lose_context').loseContext())");
  const failure = await app.failureOf((playground) => playground.probe({ task: 'pick up the red cube', noiseSeed: 1 }));
  expect(failure.code).toMatch(/^(?:world\/context-lost|observation\/camera-failed)$/);
  const ended = await app.failureOf(async (playground) => {
    const report = await playground.run({ task: 'wave hello', seconds: 6 });
    if (report.failure !== null) throw Object.assign(new Error('failed'), report.failure);
  });
  expect(ended.code).toMatch(/^(?:world\/context-lost|observation\/camera-failed)$/);
  await app.expectMessage(/camera/i);
  await expectHolding(app);
});

test('The inference worker is killed in the middle of a run: one message, the arm holds, the worker comes back', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  await app.sentence.fill('wave hello');
  await app.run.click();
  await expect.poll(async () => (await app.state()).arm.mode, { timeout: 60_000 }).toBe('policy');
  await kill(app, 'inference');
  await expect.poll(async () => (await app.state()).failures.map((failure) => failure.code), { timeout: 30_000 }).toContain('worker/died');
  await expect.poll(async () => (await app.state()).run, { timeout: 30_000 }).not.toBe('running');
  await expectHolding(app);
  await expect.poll(async () => (await app.state()).policy.kind, { timeout: 120_000 }).toBe('ready');
  expect(await app.play(async (playground) => (await playground.run({ task: 'wave hello', seconds: 4 })).outcome)).toBe('finished');
});

test('The conversion worker is killed: the next policy is loaded by a new one', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm', until: 'policy' });
  await kill(app, 'conversion');
  await expectHolding(app);
  await expect.poll(async () => app.play(async (playground) => playground.policies.load('policies/pocket').then(() => 'loaded', (thrown: { code?: string }) => thrown.code ?? 'unknown')), { timeout: 60_000, intervals: [1000] }).toBe('loaded');
});

test('The world worker is killed: the page says so and what to do, and stays alive', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm' });
  await kill(app, 'world');
  await expect.poll(async () => (await app.state()).failures.map((failure) => failure.code), { timeout: 30_000 }).toContain('worker/died');
  await app.expectMessage(/simulat|world|physics/i);
  await app.expectAlive();
  // Without a world there is no joint reading and no picture, and none is made up.
  const ended = await app.failureOf(async (playground) => {
    const report = await playground.run({ task: 'pick up the red cube', seconds: 8 });
    if (report.failure !== null) throw Object.assign(new Error('failed'), report.failure);
  });
  expect(ended.code).toMatch(/stale|worker|camera|reading/);
});

test('The control worker is killed: the page says so, and Stop says that it was not confirmed and to switch off the power', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm' });
  await kill(app, 'control');
  await expect.poll(async () => (await app.state()).failures.map((failure) => failure.code), { timeout: 30_000 }).toContain('worker/died');
  await app.page.keyboard.press('Escape');
  await expect.poll(async () => (await app.state()).failures.map((failure) => failure.code), { timeout: 5000 }).toContain('control/stop-not-confirmed');
  await expect(app.page.getByText(/Stop not confirmed/i).first()).toBeVisible();
  await expect(app.page.getByText(/switch off the power/i).first()).toBeVisible();
  await app.expectAlive();
});

test('The control loop hangs: Stop is not confirmed within a quarter of a second, and the page says so', async ({ site }) => {
  const visit = await site.visit();
  const app = await open(visit, { query: 'engine=wasm' });
  const hanging = worker(app, 'control').evaluate('{ const until = performance.now() + 5000; while (performance.now() < until); }');
  await app.page.waitForTimeout(200);
  const startedAtMs = Date.now();
  await app.stop.click();
  await expect(app.page.getByText(/Stop not confirmed/i).first()).toBeVisible({ timeout: 5000 });
  expect(Date.now() - startedAtMs).toBeLessThan(6000);
  await hanging;
  // Late is better than never: once the loop turns again it reads the flag first.
  await expect.poll(async () => (await app.state()).arm.mode, { timeout: 15_000 }).toBe('stopped');
});
