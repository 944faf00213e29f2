/**
 * The policy families this project runs: by name, how a checkpoint becomes a pack and how a pack becomes a policy. A new
 * family is a folder with the same kit (config, recipe, graphs, run) and one entry here.
 */
import type { Engine } from '#contracts/engine.ts';
import type { FamilyRecipe, OpenPack } from '#contracts/pack.ts';
import type { PolicyInfo } from '#contracts/policy.ts';
import { FailureError } from '#core/lib/failure.ts';
import type { LoadOptions, Policy } from './policy.ts';
import { smolVlaRecipe } from './smolvla/recipe.ts';
import { loadSmolVla } from './smolvla/run.ts';

export interface Family {
  readonly recipe: FamilyRecipe;
  load(pack: OpenPack, engine: Engine, options: LoadOptions): Promise<Policy>;
}

const FAMILIES: Readonly<Record<PolicyInfo['family'], Family>> = {
  smolvla: { recipe: smolVlaRecipe, load: loadSmolVla },
};

/** The family of a checkpoint by the `type` of its `config.json`. `checkpoint/unsupported` where we have none. */
export function familyOf(config: unknown): Family {
  const type = typeof config === 'object' && config !== null && 'type' in config ? config.type : undefined;
  if (typeof type !== 'string' || !isFamily(type)) throw new FailureError('checkpoint/unsupported', { what: 'policy type', found: typeof type === 'string' ? type.slice(0, 80) : 'nothing' });
  return FAMILIES[type];
}

/** The policy of a pack, whatever its family. */
export function loadPolicy(pack: OpenPack, engine: Engine, options: LoadOptions): Promise<Policy> {
  return FAMILIES[pack.manifest.family].load(pack, engine, options);
}

/**
 * One recipe for all families, for whoever converts a checkpoint before knowing which family it is of. The plan it makes
 * names the true family.
 */
export const anyFamilyRecipe: FamilyRecipe = {
  family: 'smolvla',
  plan: async (checkpoint, precision) => {
    const config = checkpoint.json.get('config.json');
    if (config === undefined) throw new FailureError('checkpoint/file-missing', { file: 'config.json', source: checkpoint.name });
    return familyOf(config).recipe.plan(checkpoint, precision);
  },
};

function isFamily(type: string): type is PolicyInfo['family'] {
  return Object.hasOwn(FAMILIES, type);
}
