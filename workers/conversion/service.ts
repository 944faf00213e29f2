/**
 * The conversion worker's verbs as a plain class: where a policy's files are, and that they end up in the model store.
 * Knows sources and progress; knows no model.
 */
import type { FamilyRecipe } from '#contracts/pack.ts';
import type { CheckpointReport, ConversionApi, LoadProgress, StoredPolicy } from '#contracts/inference.ts';
import { type PolicySource, type Precision, PRECISIONS } from '#contracts/policy.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { Clock } from '#contracts/time.ts';
import { blobFiles } from '#core/conversion/blob-files.ts';
import type { CheckpointFiles } from '#core/conversion/checkpoint-files.ts';
import { type ConversionProgress, type ConversionRequest, convertIntoStore, type ConversionResult, inspectCheckpoint } from '#core/conversion/convert.ts';
import { httpFiles } from '#core/conversion/http-files.ts';
import { hubFiles, readHubName } from '#core/conversion/hub-files.ts';
import { type PackStore, storedName } from '#core/conversion/store.ts';
import { FailureError, outcome } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';

export interface ConversionParts {
  /** The page's own base URL; ends with a slash. Shipped policies are folders below it. */
  readonly baseUrl: string;
  /** The Hub's; tests have one of their own. */
  readonly hubUrl?: string;
  readonly store: PackStore;
  readonly recipe: FamilyRecipe;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** More often than this a progress bar gains nothing, ms. */
const PROGRESS_EVERY_MS = 100;
const MAX_TITLE = 80;
const WEIGHTS = 'model.safetensors';

/** A source found: its files, the name its pack has in the store, and how to find an adapter's base. */
interface Found extends Pick<ConversionRequest, 'files' | 'name' | 'base' | 'precision'> {
  readonly commit: string | null;
}

export class ConversionService implements ConversionApi {
  private readonly parts: ConversionParts;
  private readonly running = new Set<AbortController>();
  private token: string | null = null;

  constructor(parts: ConversionParts) {
    this.parts = parts;
  }

  convert(source: PolicySource): Promise<Outcome<ConversionResult>> {
    return outcome(async () => {
      if (source.kind === 'stored') return this.findStored(source.name);
      const { store, recipe, onProgress } = this.parts;
      const abort = new AbortController();
      this.running.add(abort);
      try {
        const report = this.reporter();
        const found = await this.find(source, abort.signal);
        return await convertIntoStore({
          ...found,
          recipe,
          store,
          signal: abort.signal,
          onProgress: report,
          onWait: () => onProgress({ phase: 'waiting', name: source.name }),
        });
      } finally {
        this.running.delete(abort);
      }
    });
  }

  inspect(source: PolicySource): Promise<Outcome<CheckpointReport>> {
    return outcome(async () => {
      if (source.kind === 'stored') {
        const { manifest } = await this.parts.store.open(source.name);
        const packBytes = sum(manifest.files.map(({ bytes }) => bytes));
        const largestTensorBytes = Math.max(...manifest.tensors.map(({ length }) => length));
        return { info: manifest.info, commit: null, fileBytes: 0, neededBytes: 0, packBytes, largestTensorBytes, tokenizer: manifest.tokenizer === null ? 'missing' : 'present', stored: true };
      }
      const { recipe, store } = this.parts;
      const found = await this.find(source);
      return { ...(await inspectCheckpoint({ ...found, recipe, store })), commit: found.commit };
    });
  }

  cancel(): Promise<Outcome<null>> {
    for (const abort of this.running) abort.abort();
    return outcome(async () => null);
  }

  stored(): Promise<Outcome<readonly StoredPolicy[]>> {
    return outcome(async () =>
      (await this.parts.store.list()).map(({ name, bytes, pack }) => ({ name, bytes, title: pack?.title ?? name, info: pack?.manifest.info ?? null })),
    );
  }

  rename(name: string, title: string): Promise<Outcome<null>> {
    return outcome(async () => {
      await this.parts.store.rename(name, title.trim().slice(0, MAX_TITLE) || name);
      return null;
    });
  }

  remove(name: string): Promise<Outcome<null>> {
    return outcome(async () => {
      // Nobody's parts are taken away while they are being written, and nobody waits for that to end without a word.
      const onWait = (): never => {
        throw new FailureError('store/busy', { name });
      };
      await this.parts.store.exclusively(name, () => this.parts.store.remove(name), { onWait });
      return null;
    });
  }

  setToken(token: string | null): Promise<Outcome<null>> {
    const trimmed = token?.trim() ?? '';
    this.token = trimmed === '' ? null : trimmed;
    return outcome(async () => null);
  }

  private async find(asked: Exclude<PolicySource, { kind: 'stored' }>, signal?: AbortSignal): Promise<Found> {
    const source = withPrecision(asked);
    const { precision } = source;
    const base = (name: string): Promise<CheckpointFiles | null> => this.openBase(name, signal);
    switch (source.kind) {
      case 'shipped':
        return { files: this.shippedFiles(source.name, signal), name: packName(source.name, precision), precision, base, commit: null };
      case 'hub': {
        const model = readHubName(source.revision === undefined ? source.name : `${source.name}@${source.revision}`);
        const name = packName(`hub/${model.id}${model.revision === 'main' ? '' : `/${model.revision}`}`, precision);
        return { ...(await this.openHub(model, signal)), name, precision, base };
      }
      case 'folder':
        return { files: blobFiles(source.name, source.files), name: packName(`folder/${source.name.slice(0, MAX_TITLE)}`, precision), precision, base, commit: null };
      default:
        return unreachable(source);
    }
  }

  /** Offline the Hub has no list to give; files that say so let a stored pack serve. */
  private async openHub(model: { readonly id: string; readonly revision: string }, signal?: AbortSignal): Promise<{ readonly files: CheckpointFiles; readonly commit: string | null }> {
    const { hubUrl } = this.parts;
    try {
      const files = await hubFiles(model, { token: this.token, ...(hubUrl === undefined ? {} : { hubUrl }), ...(signal === undefined ? {} : { signal }) });
      return { files, commit: files.commit };
    } catch (thrown) {
      if (!(thrown instanceof FailureError) || thrown.failure.code !== 'download/failed' || thrown.failure.facts['status'] !== null) throw thrown;
      const failing = (): Promise<never> => Promise.reject(thrown);
      return { files: { source: model.id, readSmall: failing, open: failing }, commit: null };
    }
  }

  /** An adapter names its base as a model on the Hub, or as a folder of the machine it was trained on, which is not ours. */
  private async openBase(name: string, signal?: AbortSignal): Promise<CheckpointFiles | null> {
    try {
      return (await this.openHub(readHubName(name), signal)).files;
    } catch (thrown) {
      if (thrown instanceof FailureError && thrown.failure.code === 'hub/name') return null;
      throw thrown;
    }
  }

  private shippedFiles(name: string, signal?: AbortSignal): CheckpointFiles {
    // A name becomes a path on the page's own host: it must not lead elsewhere.
    if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_.-]+)*$/.test(name) || name.includes('..')) {
      throw new FailureError('checkpoint/unsupported', { what: 'policy name', found: name.slice(0, 100) });
    }
    return httpFiles(name, new URL(`${name}/`, this.parts.baseUrl).href, signal === undefined ? {} : { signal });
  }

  private async findStored(name: string): Promise<ConversionResult> {
    const pack = await this.parts.store.open(name);
    const bytes = sum(pack.manifest.files.map((file) => file.bytes));
    return { storedName: name.includes('@') ? name : storedName(name, pack.manifest), bytes, fromStore: true };
  }

  /**
   * At most ten reports a second, and the last of each phase always. While bytes are missing only they are told; the tensors
   * that are still worked on when the last byte is there come after.
   */
  private reporter(): (progress: ConversionProgress) => void {
    const { onProgress, clock } = this.parts;
    let lastMs = -Infinity;
    return ({ doneTensors, totalTensors, doneBytes, totalBytes }) => {
      const last = doneTensors === totalTensors;
      if (!last && clock.nowMs() - lastMs < PROGRESS_EVERY_MS) return;
      lastMs = clock.nowMs();
      onProgress({ phase: 'fetch', what: WEIGHTS, doneBytes, totalBytes });
      if (last) onProgress({ phase: 'convert', doneTensors, totalTensors });
    };
  }
}

/** A name may end with its precision, `policies/pocket:q8`, so that one word says all to a command line. */
function withPrecision<Source extends { readonly name: string; readonly precision?: Precision }>(source: Source): Source & { readonly precision: Precision } {
  const [, name, suffix] = /^(.*):([a-z0-9]+)$/.exec(source.name) ?? [];
  const precision = PRECISIONS.find((one) => one === suffix);
  return name === undefined || precision === undefined ? { ...source, precision: source.precision ?? 'f32' } : { ...source, name, precision };
}

/** Two precisions of one checkpoint are two packs. */
function packName(name: string, precision: Precision): string {
  return precision === 'f32' ? name : `${name}:${precision}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
