/**
 * The joints by hand: a slider each, with target, actual and limits in LeRobot units, and keys to hold. Locked while a
 * policy moves the arm and after Stop.
 */
import { useRef, useState } from 'react';
import { GRIPPER_INDEX, JOINT_NAMES, type JointName } from '#contracts/joints.ts';
import { useNoun, useSession } from '../context.ts';
import { highlighted } from '../highlight.ts';
import { JOINT_MARKS } from '../joint-marks.ts';
import { useJog } from './use-jog.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { jointValue } from '#page/words/numbers.ts';
import { DOES } from '#page/words/panels.ts';
import './joints.css';

/** Degrees, percent for the gripper. Ends of the range lie on this grid too, so that whole numbers can be set. */
const SLIDER_STEP = 0.5;
/** Far below a step: a knob given back to the arm while it is still on its way would swallow the next key press. */
const REACHED = 0.01;

export function Joints() {
  const panel = useRef<HTMLDivElement>(null);
  const arm = useNoun('arm');
  const run = useNoun('run');
  const lock = lockOf(arm, run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing');
  useJog(panel, lock === null);
  return (
    <div className="joints" ref={panel} role="group" aria-label={DOES.joints} data-testid="joints">
      <div className="joint joint-head quiet" aria-hidden="true">
        <span className="joint-name">{DOES.joints}</span>
        <span />
        <span className="joint-number">{DOES.target}</span>
        <span className="joint-number">{DOES.actual}</span>
      </div>
      {JOINT_NAMES.map((name, index) => (
        <JointRow key={name} name={name} index={index} locked={lock !== null} />
      ))}
      <p className="quiet">{lock === null ? DOES.jogHint : DOES.locked[lock]}</p>
    </div>
  );
}

function lockOf(arm: ReturnType<typeof useNoun<'arm'>>, running: boolean): keyof typeof DOES.locked | null {
  if (arm.kind === null || arm.limits.length === 0) return 'starting';
  if (running || arm.mode === 'policy') return 'policy';
  return arm.mode === 'idle' || arm.mode === 'manual' ? null : 'stopped';
}

function JointRow({ name, index, locked }: { readonly name: JointName; readonly index: number; readonly locked: boolean }) {
  const session = useSession();
  const arm = useNoun('arm');
  const limits = arm.limits[index];
  const kind = index === GRIPPER_INDEX ? 'gripper' : 'arm';
  const target = arm.target?.[index] ?? null;
  const actual = arm.measured?.[index] ?? null;
  const mark = JOINT_MARKS[index];
  const least = limits?.least ?? 0;
  const most = limits?.most ?? 1;
  const place = actual === null ? null : Math.min(1, Math.max(0, (actual - least) / (most - least)));
  const text = jointValue(target, kind);
  // The arm needs a moment to get where a person asked it to; until then the knob stays under the finger.
  const [asked, setAsked] = useState<number | null>(null);
  if (asked !== null && (locked || (target !== null && Math.abs(asked - target) < REACHED))) setAsked(null);
  return (
    <div
      className="joint"
      onPointerEnter={() => highlighted.setState(index, true)}
      onPointerLeave={() => highlighted.setState(null, true)}
      onFocus={() => highlighted.setState(index, true)}
      onBlur={() => highlighted.setState(null, true)}
      data-limited={arm.limited[index] === true}
      style={{ '--joint': mark?.colour } as React.CSSProperties}
    >
      <span className="joint-name">
        <b className="joint-badge">{mark?.number}</b>
        <span>
          {JOINT_LABELS[name]}
          <span className="joint-keys" aria-hidden="true">
            {mark?.keys.map((key) => (
              <kbd key={key}>{key.replace('Key', '')}</kbd>
            ))}
          </span>
        </span>
      </span>
      <span className="joint-slider">
        <input
          type="range"
          min={Math.ceil(least / SLIDER_STEP) * SLIDER_STEP}
          max={Math.floor(most / SLIDER_STEP) * SLIDER_STEP}
          step={SLIDER_STEP}
          disabled={locked}
          value={asked ?? target ?? least}
          aria-label={JOINT_LABELS[name]}
          aria-valuetext={`${DOES.target} ${text}, ${DOES.actual} ${jointValue(actual, kind)}`}
          onChange={(event) => {
            const value = event.target.valueAsNumber;
            setAsked(value);
            // A refusal (Stop a moment ago) is visible in the panel's own line.
            session.setTarget(index, value).catch(() => setAsked(null));
          }}
          data-testid={`slider-${name}`}
        />
        {place === null ? null : <i className="joint-actual" style={{ left: `calc(8px + (100% - 16px) * ${place.toFixed(4)})` }} />}
        <span className="joint-limits numeric" aria-hidden="true">
          <span>{limits === undefined ? '' : jointValue(least, kind)}</span>
          <span>{limits === undefined ? '' : jointValue(most, kind)}</span>
        </span>
      </span>
      <span className="joint-number numeric">{text}</span>
      <span className="joint-number numeric" data-testid={`actual-${name}`}>
        {jointValue(actual, kind)}
      </span>
    </div>
  );
}
