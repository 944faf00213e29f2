/**
 * `npm run policy`: look into a LeRobot checkpoint and compute one action chunk with it, through the same code as the
 * page and without a browser. A failure is one line of what happened and one of what to do.
 */
import { asFailure } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import { failureWords } from '#page/words/failures.ts';
import { type Command, parseArguments, USAGE, UsageError } from './policy/arguments.ts';
import { computeChunk } from './policy/chunk.ts';
import { InputError } from './policy/input.ts';
import { compareParity } from './policy/parity.ts';
import { inspectCheckpoint } from './policy/inspect.ts';

const EXIT = { done: 0, failed: 1, usage: 2, defect: 3 } as const;

async function run(command: Command): Promise<string[]> {
  switch (command.kind) {
    case 'help':
      return [USAGE.trimEnd()];
    case 'inspect':
      return inspectCheckpoint(command.checkpoint);
    case 'chunk':
      return computeChunk(command);
    case 'parity':
      return compareParity(command);
    default:
      return unreachable(command);
  }
}

try {
  for (const line of await run(parseArguments(process.argv.slice(2)))) console.log(line);
} catch (thrown) {
  process.exitCode = explain(thrown);
}

/** Says on standard error what happened and what to do; returns the exit code. */
function explain(thrown: unknown): number {
  if (thrown instanceof UsageError) {
    console.error(`${thrown.message}\n\n${USAGE}`);
    return EXIT.usage;
  }
  if (thrown instanceof InputError) {
    console.error(`${thrown.message}\n${thrown.next}`);
    return EXIT.failed;
  }
  const failure = asFailure(thrown);
  if (failure.code === 'internal') {
    console.error(`A defect of this program: ${String(failure.facts['message'])}\nPlease open an issue with this text and what you called.`);
    return EXIT.defect;
  }
  const { happened, next } = failureWords(failure, 'other');
  console.error(`${happened}\n${next}\n[${failure.code} ${JSON.stringify(failure.facts)}]`);
  return EXIT.failed;
}
