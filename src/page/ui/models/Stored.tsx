/** What is stored on this machine: sizes, use, rename, delete. */
import { useEffect, useState } from 'react';
import type { StoredPolicy } from '#contracts/inference.ts';
import { useNoun, useSession } from '../context.ts';
import { MODELS } from '#page/words/models.ts';
import { bytes } from '#page/words/numbers.ts';
import { quietly } from './quietly.ts';

export function Stored() {
  const { stored, keeps } = useNoun('models');
  const free = useFree(stored);
  return (
    <section className="panel models-stored" aria-labelledby="models-stored">
      <h2 id="models-stored">{MODELS.stored}</h2>
      {stored === null || stored.length === 0 ? <p className="quiet">{MODELS.storedNone}</p> : null}
      <ul>
        {(stored ?? []).map((entry) => (
          <Entry key={entry.name} entry={entry} />
        ))}
      </ul>
      {free === null ? null : <p className="quiet numeric">{MODELS.free(free)}</p>}
      {keeps === 'not-promised' ? <p className="quiet">{MODELS.notKept}</p> : null}
    </section>
  );
}

function Entry({ entry }: { readonly entry: StoredPolicy }) {
  const session = useSession();
  const policy = useNoun('policy');
  const [state, setState] = useState<'shown' | 'naming' | 'sure'>('shown');
  const [title, setTitle] = useState(entry.title);
  const inUse = policy.kind === 'ready' && policy.storedName.startsWith(`${entry.name}@`);
  return (
    <li className="models-entry" data-testid="models-entry" data-name={entry.name}>
      <div>
        {state === 'naming' ? (
          <form
            className="models-row"
            onSubmit={(event) => {
              event.preventDefault();
              setState('shown');
              quietly(session.renameStored(entry.name, title));
            }}
          >
            <input type="text" value={title} aria-label={MODELS.rename} onChange={(event) => setTitle(event.target.value)} />
            <button type="submit" className="button">
              {MODELS.save}
            </button>
          </form>
        ) : (
          <strong>{entry.title}</strong>
        )}
        <span className="quiet numeric">
          {bytes(entry.bytes)}
          {entry.info === null ? `, ${MODELS.unfinished}` : ` · ${entry.info.precision}`}
          {inUse ? ` · ${MODELS.inUse}` : ''}
        </span>
      </div>
      <div className="models-row">
        {entry.info === null ? null : (
          <button type="button" className="button" disabled={inUse} onClick={() => quietly(session.lookAt({ kind: 'stored', name: entry.name }))}>
            {MODELS.use}
          </button>
        )}
        {entry.info === null ? null : (
          <button type="button" className="button" onClick={() => setState(state === 'naming' ? 'shown' : 'naming')}>
            {MODELS.rename}
          </button>
        )}
        <button
          type="button"
          className="button"
          disabled={inUse}
          onBlur={() => setState((before) => (before === 'sure' ? 'shown' : before))}
          onClick={() => {
            if (state !== 'sure') setState('sure');
            else quietly(session.removeStored(entry.name));
          }}
        >
          {state === 'sure' ? MODELS.removeSure : MODELS.remove}
        </button>
      </div>
    </li>
  );
}

function useFree(stored: readonly StoredPolicy[] | null): number | null {
  const [free, setFree] = useState<number | null>(null);
  useEffect(() => {
    void navigator.storage?.estimate?.().then(({ quota, usage }) => setFree(quota === undefined || usage === undefined ? null : quota - usage));
  }, [stored]);
  return free;
}
