/**
 * One headless browser with the bare page in it (`?only=episodes`): what the command line tools run episodes with. It
 * knows how to start, ask and end it, and that text is all that travels; it refuses to know what is counted or recorded.
 *
 * A browser that dies, or a call that fails to come back, rejects with `LabLost`; whoever asked opens another lab and asks again.
 */
import { chromium, type Browser, type Page } from '@playwright/test';
import type { EpisodeRequest, RecordedEpisode, RecordingSettings, TracedChunk } from '#contracts/episode-api.ts';
import type { Contestant, EpisodeResult } from '#contracts/evaluation.ts';
import type { Outcome } from '#contracts/failure.ts';
import type { EngineChoice, EngineReport } from '#contracts/inference.ts';
import type { PolicyInfo, PolicySource } from '#contracts/policy.ts';
import type { BareEpisodes } from '#page/bare.ts';
import { FailureError } from '#core/lib/failure.ts';
import { CHROMIUM_FLAGS, ensureChromium } from '../chromium.ts';

export interface Lab {
  /** Name and version of the browser. */
  readonly browser: string;
  convert(source: PolicySource): Promise<string>;
  choose(contestant: Contestant, engine: EngineChoice): Promise<{ readonly policy: PolicyInfo; readonly engine: EngineReport } | null>;
  episode(request: EpisodeRequest): Promise<LabEpisode>;
  record(request: EpisodeRequest, settings: RecordingSettings): Promise<{ readonly result: EpisodeResult; readonly recorded: RecordedEpisode }>;
  close(): Promise<void>;
}

export interface LabEpisode {
  readonly result: EpisodeResult;
  /** Ticks x 6, radians. */
  readonly targets: Float64Array;
  readonly measured: Float64Array;
  readonly chunks: readonly TracedChunk[];
}

/** The browser or its page is gone; the episode that was running is lost, nothing else. */
export class LabLost extends Error {}

export async function openLab(siteUrl: string): Promise<Lab> {
  // Playwright's own handlers would close the browser and keep this process; killed, it takes the browser along by its pipe.
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS], handleSIGTERM: false, handleSIGINT: false, handleSIGHUP: false });
  try {
    const page = await browser.newPage();
    await page.goto(`${siteUrl}?only=episodes`);
    await page.waitForFunction(() => window.episodes !== undefined, undefined, { timeout: 60_000 });
    return labOf(browser, page);
  } catch (thrown) {
    await browser.close();
    throw thrown;
  }
}

function labOf(browser: Browser, page: Page): Lab {
  // A call into a page that crashed never settles by itself in every case; these two events always come.
  const gone = new Promise<never>((_resolve, reject) => {
    const lost = (): void => reject(new LabLost('the browser or its page ended'));
    page.on('crash', lost);
    browser.on('disconnected', lost);
  });
  gone.catch(() => undefined);

  // `window.episodes` and its methods do not travel: only this text, the arguments and the answer do.
  const ask = async <Method extends keyof BareEpisodes>(method: Method, ...args: Parameters<BareEpisodes[Method]>): Promise<Value<Method>> => {
    const call = page.evaluate(([name, given]) => (window.episodes as unknown as Record<string, (...all: unknown[]) => Promise<unknown>>)[name as string]?.(...(given as unknown[])), [method, args] as const);
    const answer = (await Promise.race([call, gone]).catch((thrown: unknown) => {
      throw thrown instanceof LabLost ? thrown : new LabLost(String(thrown));
    })) as Outcome<Value<Method>>;
    if (answer.ok) return answer.value;
    if (answer.failure.code === 'worker/died' || answer.failure.code === 'worker/deadline') throw new LabLost(JSON.stringify(answer.failure));
    throw new FailureError(answer.failure.code, answer.failure.facts);
  };

  return {
    browser: `Chromium ${browser.version()}`,
    convert: async (source) => (await ask('convert', source)).storedName,
    choose: (contestant, engine) => ask('choose', contestant, engine),
    async episode(request) {
      const { result, targets, measured, chunks } = await ask('episode', request);
      return { result, targets: float64(targets), measured: float64(measured), chunks: chunks.map(({ actions, ...chunk }) => ({ ...chunk, actions: float32(actions) })) };
    },
    async record(request, settings) {
      const { result, card, arrays, pictures } = await ask('record', request, settings);
      const recorded: RecordedEpisode = {
        card,
        state: float32(arrays['state']),
        action: float32(arrays['action']),
        wanted: float32(arrays['wanted']),
        cubes: float32(arrays['cubes']),
        grip: float32(arrays['grip']),
        shotTicks: new Int32Array(bytes(arrays['shotTicks']).buffer),
        pictures: Object.fromEntries(Object.entries(pictures).map(([short, text]) => [short, bytes(text)])),
      };
      return { result, recorded };
    },
    close: () => browser.close(),
  };
}

type Value<Method extends keyof BareEpisodes> = Awaited<ReturnType<BareEpisodes[Method]>> extends Outcome<infer T> ? T : never;

/** In memory of its own, so that it can be seen as wider numbers. */
function bytes(base64: string | undefined): Uint8Array<ArrayBuffer> {
  if (base64 === undefined) throw new Error('an array is missing in the answer');
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function float32(base64: string | undefined): Float32Array {
  return new Float32Array(bytes(base64).buffer);
}

function float64(base64: string): Float64Array {
  return new Float64Array(bytes(base64).buffer);
}
