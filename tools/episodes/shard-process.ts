/**
 * One shard: a process that runs the episodes it is handed, in Node where no pictures are needed, in a headless browser
 * where they are. Ends with its parent.
 */
import type { EpisodeRequest } from '#contracts/episode-api.ts';
import { FailureError, unwrap } from '#core/lib/failure.ts';
import { World } from '#core/world/world.ts';
import { EpisodeService } from '#workers/episode/service.ts';
import { LabLost, openLab, type LabEpisode } from './lab.ts';
import type { FromShard, ShardFacts, ShardSetup, ToShard } from './shards.ts';

interface Runner {
  readonly facts: ShardFacts;
  run(request: EpisodeRequest): Promise<LabEpisode>;
  close(): Promise<void>;
}

let runner: Promise<Runner> | null = null;

process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToShard) => {
  void (async () => {
    try {
      if (message.kind === 'start') {
        runner = message.setup.where.kind === 'node' ? inNode(message.setup) : inBrowser(message.setup, message.setup.where.url);
        say({ kind: 'ready', facts: (await runner).facts });
        return;
      }
      if (message.kind === 'end') {
        await (await runner)?.close();
        process.exit(0);
      }
      if (runner === null) throw new Error('a job before the start');
      const { result, targets, measured } = await (await runner).run(message.request);
      const trace = Buffer.from(new Float32Array([...targets, ...measured]).buffer).toString('base64');
      say({ kind: 'done', episode: { result, trace } });
    } catch (thrown) {
      // A browser that is gone takes this process with it, and the parent starts another; anything else will not get better.
      if (thrown instanceof LabLost) {
        console.error(thrown.message);
        process.exit(3);
      }
      say({ kind: 'failed', message: thrown instanceof FailureError ? thrown.message : String(thrown instanceof Error ? thrown.stack : thrown) });
    }
  })();
});

function say(message: FromShard): void {
  process.send?.(message);
}

async function inNode({ contestant }: ShardSetup): Promise<Runner> {
  if (contestant === null) throw new Error('a policy needs pictures, and Node draws none');
  const service = new EpisodeService({
    world: await World.open(),
    cameras: null,
    nowMs: () => performance.now(),
    openPolicy: () => Promise.reject(new Error('a policy needs pictures, and Node draws none')),
  });
  unwrap(await service.choose(contestant, null));
  return {
    facts: { runtime: `Node ${process.versions.node}`, policy: null },
    async run(request) {
      const { result, trace } = unwrap(await service.episode(request));
      return { result, ...trace };
    },
    close: async () => undefined,
  };
}

async function inBrowser({ policy, contestant, engine }: ShardSetup, url: string): Promise<Runner> {
  const lab = await openLab(url);
  const chosen = contestant ?? { kind: 'policy' as const, storedName: await lab.convert(policy ?? { kind: 'shipped', name: 'policies/pocket' }) };
  const found = await lab.choose(chosen, engine);
  return {
    facts: {
      runtime: lab.browser,
      policy: found === null ? null : { name: found.policy.name, precision: found.policy.precision, provider: found.engine.provider, threads: found.engine.threads },
    },
    run: (request) => lab.episode(request),
    close: () => lab.close(),
  };
}
