/**
 * What the address says: `?engine=webgpu|wasm`, `?seed=`, `?task=`, `?arm=virtual|serial`, `?robot=so101`, `?ladder=off`, `?only=episodes|bench`. They fill boxes and force an engine; nothing in an
 * address ever starts a motion. Untrusted text: what is not understood counts as absent.
 */
import type { EngineChoice } from '#contracts/inference.ts';
import { ROBOT_NAMES, type RobotName } from '#contracts/robot.ts';

export interface AddressOptions {
  readonly engine: EngineChoice;
  readonly seed: number;
  readonly task: string;
  /** `off`: a slow machine plans with all steps and cameras, however long that takes. */
  readonly ladder: 'on' | 'off';
  /** Opens the Robot panel for this arm; connects nothing. */
  readonly arm: 'virtual' | 'serial' | null;
  /** The arm on the table. */
  readonly robot: RobotName;
  /** `episodes`: no page at all, only the worker that counts, for command line tools (`bare.ts`). `bench`: the benchmark's page. */
  readonly only: 'page' | 'episodes' | 'bench';
}

/** The scene that the world worker shows before it is asked for anything; another one would make the cubes jump. */
export const DEFAULT_SEED = 7;
const MAX_TASK_LETTERS = 200;

export function readAddress(search: string): AddressOptions {
  const parameters = new URLSearchParams(search);
  const engine = parameters.get('engine');
  const seed = parameters.get('seed') ?? '';
  const arm = parameters.get('arm');
  const only = parameters.get('only');
  return {
    engine: engine === 'webgpu' || engine === 'wasm' ? engine : null,
    seed: /^\d{1,9}$/.test(seed) ? Number(seed) : DEFAULT_SEED,
    ladder: parameters.get('ladder') === 'off' ? 'off' : 'on',
    arm: arm === 'virtual' || arm === 'serial' ? arm : null,
    robot: ROBOT_NAMES.find((known) => known === parameters.get('robot')) ?? 'so100',
    only: only === 'episodes' || only === 'bench' ? only : 'page',
    task: (parameters.get('task') ?? '').slice(0, MAX_TASK_LETTERS),
  };
}
