/** The command line of `npm run policy`, parsed. Knows words on a line; knows no file and no policy. */

import { type Precision, PRECISIONS } from '#contracts/policy.ts';

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'inspect'; readonly checkpoint: string }
  | {
      readonly kind: 'chunk';
      readonly checkpoint: string;
      readonly input: string;
      readonly output: string;
      readonly task: string | null;
      readonly dump: string | null;
      readonly precision: Precision;
    }
  | { readonly kind: 'parity'; readonly checkpoint: string; readonly precision: Precision; readonly store: string | null };

export const USAGE = `usage:
  npm run policy -- inspect <checkpoint>
      What a LeRobot checkpoint folder holds, and whether it can run here.

  npm run policy -- chunk <checkpoint> --input in.safetensors --output out.safetensors [--task "..."] [--dump mid.safetensors] [--precision f32]
      One action chunk, computed on the CPU, with weights kept in f32, f16, q8 or q4.
      in:    observation.images.<camera>  U8 [H, W, 3], as the robot names it; a camera may be absent
             observation.state            F32 [n]
             noise                        F32 [chunk, max_action_dim]
             tokens, token_mask           I32 [L], U8 [L]; instead of --task, or to override it
      out:   action                       F32 [chunk, action_dim], unnormalised
             x0                           F32 [chunk, max_action_dim], normalised
      dump:  intermediate values, named and shaped as LeRobot's own

  npm run policy -- parity <checkpoint> [--precision q8] [--store DIR]
      What a precision costs: the same seeded chunk with weights in float32 and in f16, q8 or q4, and per joint the largest
      and mean difference in joint units, and the cosine. Packs are kept in DIR (absent: a folder that is removed again).

exit codes: 0 done, 1 the checkpoint or the input is at fault, 2 the command line is at fault, 3 a defect of ours
`;

/** A command line nobody can carry out; `message` says why. */
export class UsageError extends Error {}

export function parseArguments(words: readonly string[]): Command {
  const options = new Map<string, string>();
  const plain: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === '--help' || word === '-h') return { kind: 'help' };
    if (!word.startsWith('--')) {
      plain.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (!['--input', '--output', '--task', '--dump', '--precision', '--store'].includes(name)) throw new UsageError(`there is no option ${name}`);
    if (options.has(name)) throw new UsageError(`${name} is given twice`);
    const value = equals < 0 ? words[++i] : word.slice(equals + 1);
    if (value === undefined) throw new UsageError(`${name} needs a value`);
    options.set(name, value);
  }
  const [command, checkpoint, ...rest] = plain;
  if (command === undefined) throw new UsageError('say inspect, chunk or parity');
  if (command !== 'inspect' && command !== 'chunk' && command !== 'parity') throw new UsageError(`there is no command ${command}`);
  if (checkpoint === undefined) throw new UsageError(`${command} needs a checkpoint folder`);
  if (rest.length > 0) throw new UsageError(`one checkpoint at a time: ${rest.join(' ')} is left over`);
  if (command === 'inspect') {
    const [extra] = options.keys();
    if (extra !== undefined) throw new UsageError(`inspect takes no ${extra}`);
    return { kind: 'inspect', checkpoint };
  }
  if (command === 'parity') {
    const extra = [...options.keys()].find((option) => option !== '--precision' && option !== '--store');
    if (extra !== undefined) throw new UsageError(`parity takes no ${extra}`);
    return { kind: 'parity', checkpoint, precision: precisionOf(options, 'q8'), store: options.get('--store') ?? null };
  }
  if (options.has('--store')) throw new UsageError('chunk takes no --store');
  const input = options.get('--input');
  const output = options.get('--output');
  if (input === undefined) throw new UsageError('chunk needs --input');
  if (output === undefined) throw new UsageError('chunk needs --output');
  return { kind: 'chunk', checkpoint, input, output, task: options.get('--task') ?? null, dump: options.get('--dump') ?? null, precision: precisionOf(options, 'f32') };
}

function precisionOf(options: ReadonlyMap<string, string>, otherwise: Precision): Precision {
  const said = options.get('--precision') ?? otherwise;
  const precision = PRECISIONS.find((one) => one === said);
  if (precision === undefined) throw new UsageError(`--precision is one of ${PRECISIONS.join(', ')}`);
  return precision;
}
