/**
 * One tab of the page as far as the model store goes: the conversion worker's own service on the browser's own store and
 * locks, in a worker of its own. One thing more: after so many writes it stands still, as a slow disk would, until it is
 * told to go on or its tab is closed. Knows nothing of the other tabs.
 */
import { expose } from 'comlink';
import type { ConversionApi } from '#contracts/inference.ts';
import type { PackStore } from '#core/conversion/store.ts';
import { opfsStore } from '#core/conversion/opfs-store.ts';
import { systemClock } from '#core/lib/clock.ts';
import { anyFamilyRecipe } from '#core/policy/family.ts';
import { ConversionService } from '../service.ts';

export interface TabParts {
  /** The store's folder in OPFS. */
  readonly root: string;
  readonly baseUrl: string;
  /** Null: never stands still. */
  readonly standsAfterWrites: number | null;
}

export interface Tab extends Pick<ConversionApi, 'convert' | 'cancel' | 'remove'> {
  /** Call first. `told` hears when the service waits for another tab, and when it stands still. */
  open(parts: TabParts, told: (what: 'waiting' | 'standing') => void): void;
  /** No more standing still. */
  goOn(): void;
  /** How many writes of weights this tab has asked for. */
  writes(): number;
}

let service: ConversionService | null = null;
let writes = 0;
let goOn: () => void = () => undefined;
const mayGoOn = new Promise<void>((resolve) => {
  goOn = resolve;
});

function opened(): ConversionService {
  if (service === null) throw new Error('open first');
  return service;
}

function pacedStore({ root, standsAfterWrites }: TabParts, stands: () => void): PackStore {
  const store = opfsStore(root);
  return {
    ...store,
    createFile: async (name) => {
      const writer = await store.createFile(name);
      return {
        ...writer,
        write: async (bytes) => {
          if (standsAfterWrites !== null && writes === standsAfterWrites) {
            stands();
            await mayGoOn;
          }
          writes += 1;
          await writer.write(bytes);
        },
      };
    },
  };
}

const tab: Tab = {
  open(parts, told) {
    const store = pacedStore(parts, () => told('standing'));
    service = new ConversionService({ baseUrl: parts.baseUrl, store, recipe: anyFamilyRecipe, onProgress: ({ phase }) => void (phase === 'waiting' && told('waiting')), clock: systemClock() });
  },
  goOn: () => goOn(),
  writes: () => writes,
  convert: (source) => opened().convert(source),
  cancel: () => opened().cancel(),
  remove: (name) => opened().remove(name),
};

expose(tab);
postMessage('listens');
