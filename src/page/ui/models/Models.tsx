/** The side column for policies: where one comes from, what is checked before it may move anything, what is stored here. */
import { useEffect, useState } from 'react';
import type { PolicySource } from '#contracts/policy.ts';
import { asFailure } from '#core/lib/failure.ts';
import { useNoun, useSession } from '../context.ts';
import { MODELS } from '#page/words/models.ts';
import { Checks } from './Checks.tsx';
import { droppedFolder, pickedFolder } from './folder.ts';
import { Loading } from './Loading.tsx';
import { ParityPanel } from './ParityPanel.tsx';
import { quietly } from './quietly.ts';
import { Stored } from './Stored.tsx';
import { Trouble } from './Trouble.tsx';
import './models.css';

export function Models() {
  const session = useSession();
  const { candidate } = useNoun('models');
  const policy = useNoun('policy');
  useEffect(() => {
    session.refreshStored().catch(() => undefined);
  }, [session, policy.kind]);
  return (
    <>
      <Sources />
      {candidate.kind === 'looking' ? (
        <section className="panel models-looking" role="status">
          <p className="quiet">{MODELS.looking}</p>
        </section>
      ) : null}
      {candidate.kind === 'failed' ? (
        <section className="panel">
          <Trouble failure={candidate.failure} />
          <button type="button" className="button" onClick={() => quietly(session.lookAt(candidate.source))} data-testid="models-again">
            {MODELS.again}
          </button>
        </section>
      ) : null}
      {candidate.kind === 'looked' && policy.kind !== 'loading' ? <Checks candidate={candidate} /> : null}
      {policy.kind === 'loading' ? <Loading policy={policy} /> : null}
      {policy.kind === 'ready' ? <ParityPanel policy={policy} /> : null}
      <Stored />
    </>
  );
}

function Sources() {
  const session = useSession();
  const [name, setName] = useState('');
  const [token, setToken] = useState('');
  const [over, setOver] = useState<'over' | 'away'>('away');
  const look = (source: PolicySource | null): void => {
    if (source !== null) quietly(session.lookAt(source));
  };
  return (
    <section
      className={`panel models-sources ${over === 'over' ? 'models-over' : ''}`}
      aria-labelledby="models-which"
      data-testid="models-drop"
      onDragOver={(event) => {
        event.preventDefault();
        setOver('over');
      }}
      onDragLeave={() => setOver('away')}
      onDrop={(event) => {
        event.preventDefault();
        setOver('away');
        droppedFolder(event.dataTransfer.items).then(look, (thrown: unknown) => session.reportFailure(asFailure(thrown)));
      }}
    >
      <h2 id="models-which">{MODELS.heading}</h2>
      <p className="quiet">{MODELS.lead}</p>
      <form
        className="models-hub"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== '') look({ kind: 'hub', name });
        }}
      >
        <label htmlFor="models-name">{MODELS.hub}</label>
        <div className="models-row">
          <input id="models-name" type="text" value={name} placeholder={MODELS.hubHint} spellCheck={false} autoComplete="off" onChange={(event) => setName(event.target.value)} data-testid="models-name" />
          <button type="submit" className="button button-accent" disabled={name.trim() === ''} data-testid="models-look">
            {MODELS.look}
          </button>
        </div>
      </form>
      <details className="models-token">
        <summary className="quiet">{MODELS.token}</summary>
        <form
          className="models-row"
          onSubmit={(event) => {
            event.preventDefault();
            quietly(session.setHubToken(token));
          }}
        >
          <input type="password" value={token} aria-label={MODELS.tokenHint} autoComplete="off" onChange={(event) => setToken(event.target.value)} />
          <button type="submit" className="button">
            {MODELS.tokenSet}
          </button>
        </form>
        <p className="quiet">{MODELS.tokenHint}</p>
      </details>
      <div className="models-row models-other">
        <label className="button models-pick">
          {MODELS.folder}
          <input type="file" className="unseen" data-testid="models-folder" {...{ webkitdirectory: '' }} onChange={(event) => look(event.target.files === null ? null : pickedFolder(event.target.files))} />
        </label>
        <span className="quiet">{over === 'over' ? MODELS.dropNow : MODELS.drop}</span>
      </div>
      <button type="button" className="models-link" onClick={() => look(session.shippedPolicies()[0] ?? null)} data-testid="models-shipped">
        {MODELS.shipped}
      </button>
    </section>
  );
}
