/** The loaded policy against its float32 self: one button, and what the smaller weights cost each joint. */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { Difference } from '#contracts/policy.ts';
import { useNoun, useSession } from '../context.ts';
import type { ReadyPolicy } from '#page/session/policy-verbs.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { PARITY } from '#page/words/models.ts';
import { MISSING } from '#page/words/numbers.ts';
import { quietly } from './quietly.ts';
import { Trouble } from './Trouble.tsx';

export function ParityPanel({ policy }: { readonly policy: ReadyPolicy }) {
  const session = useSession();
  const { parity } = useNoun('models');
  const mine = parity.kind !== 'none' && parity.storedName === policy.storedName ? parity : null;
  const exact = policy.info.precision === 'f32';
  return (
    <section className="panel models-parity" aria-labelledby="models-parity" data-testid="models-parity">
      <h2 id="models-parity">{PARITY.heading}</h2>
      <p className="quiet">{exact ? PARITY.reference : PARITY.lead}</p>
      {exact ? null : (
        <button type="button" className="button" disabled={mine?.kind === 'computing'} onClick={() => quietly(session.compareWithReference())} data-testid="models-compare">
          {mine?.kind === 'computing' ? PARITY.computing : PARITY.compare}
        </button>
      )}
      {mine?.kind === 'failed' ? <Trouble failure={mine.failure} /> : null}
      {mine?.kind === 'compared' ? (
        <>
          <table className="parity-table numeric">
            <thead>
              <tr>
                <th scope="col">{PARITY.joint}</th>
                <th scope="col">{PARITY.largest}</th>
                <th scope="col">{PARITY.mean}</th>
                <th scope="col">{PARITY.cosine}</th>
              </tr>
            </thead>
            <tbody>
              {mine.difference.joints.map((difference, joint) => (
                <Row key={joint} label={label(joint)} difference={difference} />
              ))}
              <Row label={PARITY.whole} difference={mine.difference.x0} />
            </tbody>
          </table>
          <p className="quiet">{PARITY.unit}</p>
        </>
      ) : null}
    </section>
  );
}

function Row({ label: name, difference }: { readonly label: string; readonly difference: Difference }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{shown(difference.largest, 3)}</td>
      <td>{shown(difference.mean, 3)}</td>
      <td>{shown(difference.cosine, 6)}</td>
    </tr>
  );
}

function label(joint: number): string {
  const name = JOINT_NAMES[joint];
  return name === undefined ? `${joint + 1}` : JOINT_LABELS[name];
}

function shown(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : MISSING;
}
