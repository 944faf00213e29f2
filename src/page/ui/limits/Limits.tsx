/** The safety limits: which profile, what it allows, where the arm may be; as a file and back. Locked ones are only shown. */
import { useRef, useState, type ChangeEvent } from 'react';
import { PROFILE_NAMES, type ProfileName, type SafetyBox, type SafetyProfile } from '#contracts/safety.ts';
import { asFailure } from '#core/lib/failure.ts';
import { PROFILE_LABELS } from '#page/words/labels.ts';
import { LIMITS, limitsLine, PUPIL_LINES } from '#page/words/safety.ts';
import { useNoun, useSession } from '../context.ts';
import { saveJson } from '../save-file.ts';
import { motionInForce } from './motion.ts';
import './limits.css';

/** Everything the arm reaches at the front of the table, clear of the wall behind. */
const FIRST_WORKSPACE: SafetyBox = { least: [-0.3, -0.42, -0.05], most: [0.3, 0.15, 0.45] };

export function Limits() {
  const session = useSession();
  const { profile } = useNoun('safety');
  const { kind, mode } = useNoun('arm');
  const picker = useRef<HTMLInputElement>(null);
  if (profile === null) return null;
  const motion = motionInForce(profile, kind);
  const still = mode === 'idle' || mode === 'stopped' || mode === 'released' || mode === 'disconnected';
  const open = profile.lock === 'open';
  const tell = (work: Promise<unknown>): void => void work.catch((thrown: unknown) => session.reportFailure(asFailure(thrown)));
  const opened = (event: ChangeEvent<HTMLInputElement>): void => {
    const file = event.target.files?.[0];
    event.target.value = '';
    if (file !== undefined) tell(session.safety.importProfile(file));
  };
  return (
    <div className="limits" role="group" aria-label={LIMITS.heading}>
      <label className="limits-choose">
        {LIMITS.choose}
        <select value={profile.name} disabled={!open || !still} onChange={(event) => tell(session.safety.choose(event.target.value as ProfileName))} data-testid="profile">
          {PROFILE_NAMES.map((name) => (
            <option key={name} value={name}>
              {PROFILE_LABELS[name]}
            </option>
          ))}
        </select>
      </label>
      <p className="quiet">{open ? LIMITS.hints[profile.name] : LIMITS.locked}</p>
      {motion === null ? null : <p data-testid="limits">{limitsLine(motion)}</p>}
      {still || !open ? null : <p className="quiet">{LIMITS.notNow}</p>}
      <Workspace profile={profile} editable={open && still} tell={tell} />
      <div className="limits-buttons">
        <button type="button" className="button" onClick={() => saveJson(session.safety.exportProfile(), `safety limits ${profile.name} ${profile.revision}.json`)}>
          {LIMITS.save}
        </button>
        <button type="button" className="button" disabled={!open || !still} onClick={() => picker.current?.click()} title={LIMITS.openHint}>
          {LIMITS.open}
        </button>
        <input ref={picker} className="unseen" type="file" accept=".json,application/json" tabIndex={-1} aria-hidden="true" onChange={opened} data-testid="open-profile" />
      </div>
      <p className="quiet">{LIMITS.openHint}</p>
      <details className="quiet" open={profile.name === 'classroom'}>
        <summary>{LIMITS.pupil}</summary>
        <ul>
          {PUPIL_LINES.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </details>
    </div>
  );
}

/** The same box in the view and in numbers: whoever cannot drag can type. Centimetres, seen from the robot's front. */
function Workspace({ profile, editable, tell }: { readonly profile: SafetyProfile; readonly editable: boolean; readonly tell: (work: Promise<unknown>) => void }) {
  const session = useSession();
  const { limits } = useNoun('safety');
  const { workspace } = profile;
  const set = (box: SafetyBox | null): void => tell(session.safety.setWorkspace(box));
  const add = (): void => {
    session.safety.showLimits('shown');
    set(FIRST_WORKSPACE);
  };
  return (
    <fieldset className="workspace">
      <legend>{LIMITS.workspace}</legend>
      {workspace === null ? (
        <p className="quiet">{LIMITS.everywhere}</p>
      ) : (
        <>
          <div className="workspace-numbers">
            {FACES.map(([label, axis, side]) => (
              <Centimetres key={label} label={LIMITS.bounds[label] ?? ''} metres={workspace[side][axis] ?? 0} disabled={!editable} onChange={(metres) => set(withFace(workspace, axis, side, metres))} />
            ))}
          </div>
          <p className="quiet">{LIMITS.drag}</p>
        </>
      )}
      <div className="limits-buttons">
        {workspace === null ? (
          <button type="button" className="button" disabled={!editable} onClick={add} data-testid="add-workspace">
            {LIMITS.add}
          </button>
        ) : (
          <button type="button" className="button" disabled={!editable} onClick={() => set(null)} data-testid="remove-workspace">
            {LIMITS.remove}
          </button>
        )}
        {workspace === null && profile.keepOut.length === 0 ? null : (
          <label className="check">
            <input type="checkbox" checked={limits === 'shown'} onChange={(event) => session.safety.showLimits(event.target.checked ? 'shown' : 'hidden')} data-testid="show-limits" />
            {LIMITS.show}
          </label>
        )}
      </div>
    </fieldset>
  );
}

/** Index into the words, axis, side. The floor is the table. */
const FACES: readonly (readonly [label: number, axis: 0 | 1 | 2, side: 'least' | 'most'])[] = [
  [0, 0, 'least'],
  [1, 0, 'most'],
  [2, 1, 'least'],
  [3, 1, 'most'],
  [5, 2, 'most'],
];

function Centimetres({ label, metres, disabled, onChange }: { readonly label: string; readonly metres: number; readonly disabled: boolean; readonly onChange: (metres: number) => void }) {
  const shown = (100 * metres).toFixed(1);
  /** What is being typed; null while nobody does, and the limit itself is shown. */
  const [typed, setTyped] = useState<string | null>(null);
  const done = (): void => {
    if (typed === null) return;
    const value = Number(typed) / 100;
    setTyped(null);
    if (typed.trim() !== '' && Number.isFinite(value) && Math.abs(value - metres) >= 5e-4) onChange(value);
  };
  return (
    <label>
      {label}
      <input type="number" step={0.5} value={typed ?? shown} disabled={disabled} onChange={(event) => setTyped(event.target.value)} onBlur={done} onKeyDown={(event) => (event.key === 'Enter' ? done() : undefined)} className="numeric" />
    </label>
  );
}

function withFace(box: SafetyBox, axis: 0 | 1 | 2, side: 'least' | 'most', metres: number): SafetyBox {
  const changed = [...box[side]] as [number, number, number];
  changed[axis] = metres;
  return { ...box, [side]: changed };
}
