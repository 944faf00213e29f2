/** The built page with one more shipped policy: a checkpoint from any folder, served beside the others. For measurements. */
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { serve, type ServeOptions } from './serve.ts';

export interface SiteWithPolicy {
  readonly url: string;
  /** As the page names it: a shipped policy. */
  readonly policy: string;
  close(): Promise<void>;
}

/** `dist/` must have been built. The checkpoint's files are linked where the disk allows it, else copied. `replace`: as the server takes it. */
export async function serveWithPolicy(checkpoint: string, replace: NonNullable<ServeOptions['replace']> = () => undefined): Promise<SiteWithPolicy> {
  const root = mkdtempSync(join(tmpdir(), 'site-with-policy-'));
  const policy = 'policies/under-test';
  cpSync(resolve(import.meta.dirname, '../dist'), root, { recursive: true });
  for (const entry of readdirSync(checkpoint, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = join(entry.parentPath, entry.name);
    link(from, join(root, policy, from.slice(resolve(checkpoint).length)));
  }
  const server = await serve({ folder: root, replace });
  return {
    url: server.url,
    policy,
    close: async () => {
      await server.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}
