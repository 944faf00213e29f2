/**
 * Where the stories take place: `dist/` served on this machine, and a page opened on it that is watched. Knows how a
 * host or a file can go wrong; knows nothing of what the page shows.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test as base, expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import { buildIfStale } from '../tools/build-state.ts';
import { serve, type RunningServer, type ServeOptions } from '../tools/serve.ts';

export const DIST = resolve(import.meta.dirname, '../dist');

export type Damage = NonNullable<ServeOptions['replace']>;

export interface SiteOptions {
  readonly headers?: 'isolated' | 'none';
  readonly basePath?: string;
  readonly replace?: Damage;
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** With a closing slash. */
  readonly url: string;
  /** What the browser complained about, minus what the story said it expects. */
  complaints(): readonly string[];
  /** From here on this kind of complaint is part of the story. */
  expectComplaint(pattern: RegExp): void;
  /** Requests to anywhere else than the site, minus the hosts the story speaks to. */
  strangers(): readonly string[];
  /** From here on the page may speak to this host: a person asked it to. */
  expectHost(host: string): void;
}

export interface Site {
  /** Opens a fresh browser context (empty storage) on a server of its own; goes nowhere yet. */
  visit(options?: SiteOptions): Promise<Visit>;
  /** Ends every visit, and fails where one heard a complaint or spoke to a stranger. */
  close(): Promise<void>;
}

/** For stories that share a page: `beforeAll` opens, `afterAll` closes. All others use the `site` fixture. */
export function newSite(browser: Browser): Site {
  if (process.env['VLA_BUILT'] !== 'yes') buildIfStale();
  const servers: RunningServer[] = [];
  const visits: Visit[] = [];
  return {
    async visit(options = {}) {
      const server = await serve({ folder: DIST, ...options });
      servers.push(server);
      const visit = await watched(await browser.newContext({ viewport: { width: 1440, height: 900 } }), server.url);
      visits.push(visit);
      return visit;
    },
    async close() {
      for (const visit of visits) await visit.context.close();
      for (const server of servers) await server.close();
      for (const visit of visits) {
        expect(visit.complaints(), 'the browser complained about something the story does not tell').toEqual([]);
        expect(visit.strangers(), 'the page spoke to somebody else').toEqual([]);
      }
    },
  };
}

export const test = base.extend<{ site: Site }>({
  site: async ({ browser }, use) => {
    const site = newSite(browser);
    await use(site);
    await site.close();
  },
});

export { expect };

async function watched(context: BrowserContext, url: string): Promise<Visit> {
  const page = await context.newPage();
  const heard: string[] = [];
  const expected: RegExp[] = [];
  const strangers: string[] = [];
  const hosts = new Set<string>();
  page.on('pageerror', (error) => heard.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') heard.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('crash', () => heard.push('the page crashed'));
  context.on('request', (request) => {
    if (/^(?:https?|wss?):/.test(request.url()) && new URL(request.url()).host !== new URL(url).host) strangers.push(request.url());
  });
  return {
    page,
    context,
    url,
    complaints: () => heard.filter((text) => !expected.some((pattern) => pattern.test(text))),
    expectComplaint: (pattern) => void expected.push(pattern),
    strangers: () => strangers.filter((address) => !hosts.has(new URL(address).host)),
    expectHost: (host) => void hosts.add(host),
  };
}

/** Puts a few lines before a worker's own script, so that a story can reach what the worker made: its device, its context. */
export function withPrelude(worker: 'control' | 'world' | 'inference' | 'conversion', prelude: string): Damage {
  return (path) => {
    if (!new RegExp(`^assets/${worker}-worker-[\\w-]+\\.js$`).test(path)) return undefined;
    return Buffer.concat([Buffer.from(`${prelude};\n`), readFileSync(join(DIST, path))]);
  };
}
