/**
 * The conversion worker's verbs as a plain class: where a policy's files are, and that they end up in the model store.
 * Knows sources and progress; knows no model.
 */
import type { FamilyRecipe } from '#contracts/pack.ts';
import type { ConversionApi, LoadProgress } from '#contracts/inference.ts';
import type { PolicySource } from '#contracts/policy.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { Clock } from '#contracts/time.ts';
import { convertIntoStore, type ConversionResult } from '#core/conversion/convert.ts';
import { httpFiles } from '#core/conversion/http-files.ts';
import { type PackStore, storedName } from '#core/conversion/store.ts';
import { FailureError, outcome } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';

export interface ConversionParts {
  /** The page's own base URL; ends with a slash. Shipped policies are folders below it. */
  readonly baseUrl: string;
  readonly store: PackStore;
  readonly recipe: FamilyRecipe;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** More often than this a progress bar gains nothing, ms. */
const PROGRESS_EVERY_MS = 100;

export class ConversionService implements ConversionApi {
  private readonly parts: ConversionParts;

  constructor(parts: ConversionParts) {
    this.parts = parts;
  }

  convert(source: PolicySource): Promise<Outcome<ConversionResult>> {
    return outcome(() => {
      switch (source.kind) {
        case 'shipped':
          return this.convertShipped(source.name);
        case 'stored':
          return this.findStored(source.name);
        default:
          return unreachable(source);
      }
    });
  }

  private async convertShipped(name: string): Promise<ConversionResult> {
    // A name becomes a path on the page's own host: it must not lead elsewhere.
    if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_.-]+)*$/.test(name) || name.includes('..')) {
      throw new FailureError('checkpoint/unsupported', { what: 'policy name', found: name.slice(0, 100) });
    }
    const { baseUrl, store, recipe } = this.parts;
    const report = this.reporter();
    const files = httpFiles(name, new URL(`${name}/`, baseUrl).href, {
      onProgress: ({ file, doneBytes, totalBytes }) => {
        // Small files come without a total and are over before a bar could show them.
        if (totalBytes !== null) report({ phase: 'fetch', what: file, doneBytes, totalBytes });
      },
    });
    return convertIntoStore({ files, recipe, precision: 'f32', store, name, onProgress: (progress) => report({ phase: 'convert', ...progress }) });
  }

  private async findStored(name: string): Promise<ConversionResult> {
    const pack = await this.parts.store.open(name);
    const bytes = pack.manifest.files.reduce((sum, file) => sum + file.bytes, 0);
    return { storedName: name.includes('@') ? name : storedName(name, pack.manifest), bytes, fromStore: true };
  }

  /**
   * At most ten reports a second, and the last of each phase always. Tensors are converted while later bytes still come
   * in; until the last byte is there only bytes are told, so that the line does not flicker between the two.
   */
  private reporter(): (progress: LoadProgress) => void {
    const { onProgress, clock } = this.parts;
    let lastMs = -Infinity;
    let arriving = false;
    return (progress) => {
      if (progress.phase === 'fetch') arriving = progress.doneBytes !== progress.totalBytes;
      const last = progress.phase === 'fetch' ? !arriving : progress.phase === 'convert' && progress.doneTensors === progress.totalTensors;
      if (progress.phase === 'convert' && arriving && !last) return;
      if (!last && clock.nowMs() - lastMs < PROGRESS_EVERY_MS) return;
      lastMs = clock.nowMs();
      onProgress(progress);
    };
  }
}
