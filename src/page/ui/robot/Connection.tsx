/** Which arm, and connecting it: one button. The browser's own list of ports comes up by itself where it is needed. */
import { useNoun, useSession } from '../context.ts';
import { ROBOT_NAMES } from '#contracts/robot.ts';
import { asFailure } from '#core/lib/failure.ts';
import { PROFILE_LABELS, ROBOT_LABELS } from '#page/words/labels.ts';
import { ROBOT } from '#page/words/robot.ts';
import { Complaint, quietly } from './kit.tsx';
import { OpenFile } from './OpenFile.tsx';

export function Connection({ ready }: { readonly ready: boolean }) {
  const session = useSession();
  const { place, mirror, work, connected } = useNoun('robot');
  const { scene } = useNoun('world');
  const mat = async (): Promise<void> => {
    if (scene !== null) (await import('../mat/print-mat.ts')).printMat(scene);
  };
  const { safety } = useNoun('arm');
  const { kind } = place;
  const locked = work !== null || connected !== null;
  return (
    <section className="panel robot-which" aria-labelledby="which-arm">
      <h2 id="which-arm">{ROBOT.heading}</h2>
      <div className="mode-switch robot-places" role="group" aria-label={ROBOT.heading}>
        {(['virtual', 'serial'] as const).map((one) => (
          <button key={one} type="button" aria-pressed={kind === one} disabled={locked && kind !== one} onClick={() => session.choosePlace(one)} data-testid={`place-${one}`}>
            {ROBOT.places[one]}
          </button>
        ))}
      </div>
      {connected === null ? (
        <>
          <p>{ROBOT.lead[kind]}</p>
          <label className="robot-body">
            {ROBOT.body}
            <select value={place.body ?? 'so100'} disabled={!ready || work !== null} onChange={(event) => quietly(session.chooseBody(event.target.value === 'so101' ? 'so101' : 'so100'))} data-testid="robot-body">
              {ROBOT_NAMES.map((name) => (
                <option key={name} value={name}>
                  {ROBOT_LABELS[name]}
                </option>
              ))}
            </select>
          </label>
          {kind === 'serial' ? (
            <label className="check quiet" title={ROBOT.mirrorHint}>
              <input type="checkbox" checked={mirror === 'on'} onChange={(event) => session.chooseMirror(event.target.checked ? 'on' : 'off')} data-testid="mirror" />
              {ROBOT.mirror}
            </label>
          ) : null}
          {kind === 'serial' && mirror === 'on' ? <p className="quiet">{ROBOT.mirrorHint}</p> : null}
          <div className="robot-buttons">
            <button type="button" className="button button-accent robot-main" disabled={!ready || work !== null} onClick={() => quietly(session.connectServos(kind))} data-testid="connect-servos">
              {ROBOT.connect[kind]}
            </button>
            <OpenFile label={ROBOT.connectWithFile} disabled={!ready || work !== null} onFile={(chosen) => session.connectWithFile(kind, chosen)} buttonTestId="connect-with-file" />
            {kind === 'serial' ? (
              <button type="button" className="button" disabled={!ready || work !== null} onClick={() => quietly(session.connectServos(kind, 'all'))}>
                {ROBOT.allPorts}
              </button>
            ) : null}
          </div>
        </>
      ) : (
        <>
          <p>
            <strong>{ROBOT.connected[kind]}</strong> {connected.mirror === 'on' ? ROBOT.seesSimulationUnless : null} {safety === null ? null : ROBOT.limits(PROFILE_LABELS[safety.profile])}
          </p>
          <div className="robot-buttons">
            <button type="button" className="button" disabled={work !== null} onClick={() => quietly(session.leaveServos())} data-testid="leave-servos">
              {ROBOT.leave}
            </button>
          </div>
          {kind === 'serial' ? <p className="quiet">{ROBOT.afterwards}</p> : null}
        </>
      )}
      {connected?.mirror === 'on' || mirror === 'on' ? (
        <div className="robot-buttons">
          <button type="button" className="button" disabled={scene === null} onClick={() => void mat().catch((thrown: unknown) => session.reportFailure(asFailure(thrown)))} data-testid="print-mat">
            {ROBOT.mat}
          </button>
        </div>
      ) : null}
      {work === null || ROBOT.work[work] === '' ? null : (
        <p role="status" className="robot-work">
          {ROBOT.work[work]}
        </p>
      )}
      <Complaint />
    </section>
  );
}
