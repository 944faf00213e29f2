/** Calibration: as it is, from a file, or by hand. What would be written is shown before it is, and read back after. */
import { useState } from 'react';
import type { CalibrationJoint } from '#contracts/robot-setup.ts';
import { asFailure } from '#core/lib/failure.ts';
import { useNoun, useSession } from '../context.ts';
import { JOINT_MARKS } from '../joint-marks.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { CALIBRATION, DOUBTS } from '#page/words/robot.ts';
import { saveJson } from '../save-file.ts';
import { Columns, quietly } from './kit.tsx';
import { OpenFile } from './OpenFile.tsx';
import { sweepByHand } from './virtual-hand.ts';

const FILE_NAME = 'so_follower.json';
const TURN = 4095;

export function Calibration() {
  const session = useSession();
  const { work, plan, calibrating, connected, look, place } = useNoun('robot');
  const busy = work !== null;
  const exportFile = async (): Promise<void> => {
    const text = await session.calibrationText();
    if (text !== null) saveJson(text, FILE_NAME);
  };
  return (
    <section className="panel" aria-labelledby="calibration">
      <h2 id="calibration">{CALIBRATION.heading}</h2>
      {calibrating !== null ? (
        <ByHand />
      ) : plan !== null ? null : (
        <>
          <p className="quiet">{CALIBRATION.lead}</p>
          <div className="robot-buttons">
            <button type="button" className="button" disabled={busy} onClick={() => quietly(session.calibrationBegin())} data-testid="calibrate">
              {CALIBRATION.begin}
            </button>
            <OpenFile label={CALIBRATION.import} disabled={busy} onFile={({ text, name }) => session.planFromFile(text, name)} testId="calibration-file" />
            <button type="button" className="button" disabled={busy || (connected === null && (look?.calibration ?? null) === null)} onClick={() => void exportFile().catch((thrown: unknown) => session.reportFailure(asFailure(thrown)))} data-testid="export-calibration">
              {CALIBRATION.export}
            </button>
          </div>
        </>
      )}
      {plan === null ? null : <Plan />}
      {calibrating === null || place.kind !== 'virtual' || plan !== null ? null : <VirtualHand />}
    </section>
  );
}

function ByHand() {
  const session = useSession();
  const { calibrating, plan } = useNoun('robot');
  if (calibrating === null) return null;
  const homing = calibrating.step === 'homing';
  const doubts = calibrating.joints.some((joint) => joint.doubts.length > 0);
  return (
    <>
      <p role="status" data-testid="calibration-step" data-step={calibrating.step}>
        {homing ? CALIBRATION.homing : CALIBRATION.sweeping}
      </p>
      <ul className="sweep">
        {calibrating.joints.map((joint, i) => (
          <SweepRow key={joint.name} joint={joint} index={i} homing={homing} />
        ))}
      </ul>
      {plan !== null ? null : (
        <div className="robot-buttons">
          <button type="button" className="button button-accent" disabled={doubts} onClick={() => quietly(homing ? session.calibrationHome() : session.calibrationPropose())} data-testid="calibration-next">
            {homing ? CALIBRATION.home : CALIBRATION.propose}
          </button>
          <button type="button" className="button" onClick={() => quietly(session.calibrationEnd())} data-testid="calibration-cancel">
            {CALIBRATION.cancel}
          </button>
        </div>
      )}
    </>
  );
}

/** A joint's way so far, on the whole turn of its encoder. */
function SweepRow({ joint, index, homing }: { readonly joint: CalibrationJoint; readonly index: number; readonly homing: boolean }) {
  const mark = JOINT_MARKS[index];
  const share = (steps: number): string => `${((100 * steps) / TURN).toFixed(1)}%`;
  const { least, most, steps, doubts } = joint;
  const doubt = doubts[0];
  return (
    <li style={{ '--joint': mark?.colour } as React.CSSProperties} data-doubt={doubt?.kind ?? 'none'}>
      <b className="joint-badge">{mark?.number}</b>
      <span>{JOINT_LABELS[joint.name]}</span>
      <span className="sweep-bar" aria-hidden="true">
        {least === null || most === null ? null : <i className="sweep-range" style={{ left: share(least), right: share(TURN - most) }} />}
        {steps === null ? null : <i className="sweep-now" style={{ left: share(steps) }} />}
      </span>
      <span className="quiet">{doubt === undefined ? (homing ? '' : '✓') : DOUBTS[doubt.kind]}</span>
    </li>
  );
}

function Plan() {
  const session = useSession();
  const { plan, work } = useNoun('robot');
  if (plan === null) return null;
  const busy = work === 'writing' || work === 'planning';
  return (
    <div className="robot-plan" data-testid="calibration-plan">
      <p role="status">{CALIBRATION.plan(plan.changes.length, plan.from === 'file' ? plan.name : CALIBRATION.fromSweep)}</p>
      {plan.changes.length === 0 ? null : (
        <table className="robot-table numeric">
          <Columns names={CALIBRATION.columns} />
          <tbody>
            {plan.changes.map((change) => (
              <tr key={`${change.id} ${change.register}`}>
                <td>{change.id}</td>
                <td>{CALIBRATION.registers[change.register] ?? change.register}</td>
                <td>{change.from}</td>
                <td>
                  <strong>{change.to}</strong>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="robot-buttons">
        <button type="button" className="button button-accent" disabled={busy} onClick={() => quietly(session.writePlan())} data-testid="write-plan">
          {CALIBRATION.write}
        </button>
        <button type="button" className="button" disabled={busy} onClick={() => session.dropPlan()}>
          {CALIBRATION.drop}
        </button>
      </div>
    </div>
  );
}

/** A class without an arm has no hand to move one with. */
function VirtualHand() {
  const session = useSession();
  const [works, setWorks] = useState(false);
  return (
    <div className="robot-buttons">
      <button
        type="button"
        className="button"
        disabled={works}
        onClick={() => {
          setWorks(true);
          quietly(sweepByHand(session).finally(() => setWorks(false)));
        }}
        data-testid="virtual-hand"
      >
        {works ? CALIBRATION.handWorks : CALIBRATION.autoHand}
      </button>
    </div>
  );
}
