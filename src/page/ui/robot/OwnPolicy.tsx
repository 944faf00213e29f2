/** The owner's own policy, beside the arm it is for: its name, what stands against it, loading it. What else can be done with policies stands under Models. */
import { useState } from 'react';
import { useNoun, useSession } from '../context.ts';
import { Checks } from '../models/Checks.tsx';
import { Loading } from '../models/Loading.tsx';
import { Trouble } from '../models/Trouble.tsx';
import { quietly } from '../models/quietly.ts';
import { MODELS } from '#page/words/models.ts';
import { OWN_POLICY } from '#page/words/robot.ts';

export function OwnPolicy() {
  const session = useSession();
  const { candidate } = useNoun('models');
  const policy = useNoun('policy');
  const [name, setName] = useState('');
  const loaded = candidate.kind === 'looked' && policy.kind === 'ready' && policy.source === candidate.source;
  return (
    <>
      <section className="panel" aria-labelledby="own-policy">
        <h2 id="own-policy">{OWN_POLICY.heading}</h2>
        {policy.kind === 'ready' ? <p data-testid="own-policy-in-use">{OWN_POLICY.inUse(policy.info.name)}</p> : null}
        <p className="quiet">{OWN_POLICY.lead}</p>
        <form
          className="models-row"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== '') quietly(session.lookAt({ kind: 'hub', name }));
          }}
        >
          <input type="text" value={name} aria-label={OWN_POLICY.label} placeholder={MODELS.hubHint} spellCheck={false} autoComplete="off" onChange={(event) => setName(event.target.value)} data-testid="own-policy-name" />
          <button type="submit" className="button" disabled={name.trim() === ''}>
            {MODELS.look}
          </button>
        </form>
        {candidate.kind === 'looking' ? <p className="quiet" role="status">{MODELS.looking}</p> : null}
        {candidate.kind === 'failed' ? <Trouble failure={candidate.failure} /> : null}
      </section>
      {candidate.kind === 'looked' && policy.kind !== 'loading' && !loaded ? <Checks candidate={candidate} /> : null}
      {policy.kind === 'loading' ? <Loading policy={policy} /> : null}
    </>
  );
}
