/** The Hub as the stories meet it: the page speaks to huggingface.co, and what answers is ours. Also the pocket policy as somebody else's upload. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FakeHub } from '../tools/fake-hub/fake-hub.ts';
import type { Visit } from './site.ts';

const POCKET = resolve(import.meta.dirname, '../public/policies/pocket');

/** Every file of the pocket policy, by its path in the repository. */
export function pocketFiles(): Map<string, Uint8Array> {
  return new Map(
    readdirSync(POCKET, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry): [string, Uint8Array] => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(POCKET.length + 1).replaceAll('\\', '/'), new Uint8Array(readFileSync(path))];
      }),
  );
}

export async function answerAsHub({ context, expectHost, expectComplaint }: Visit, hub: FakeHub): Promise<void> {
  expectHost('huggingface.co');
  expectComplaint(/status of 4\d\d/);
  await context.route('https://huggingface.co/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    const range = route.request().headers()['range'];
    const answer = await fetch(new URL(`${pathname}${search}`, hub.url), range === undefined ? {} : { headers: { range } });
    const headers: Record<string, string> = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'ETag, Content-Range, Retry-After', 'cross-origin-resource-policy': 'cross-origin' };
    for (const name of ['content-type', 'content-range', 'etag', 'retry-after']) {
      const value = answer.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    await route.fulfill({ status: answer.status, headers, body: Buffer.from(await answer.arrayBuffer()) });
  });
}
