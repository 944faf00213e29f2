/** A leader arm: looking for it by hand, which arm moved, following it; and sliders where the leader is software. */
import { useState } from 'react';
import { JOINT_NAMES } from '#contracts/joints.ts';
import { useNoun, useSession, useUi } from '../context.ts';
import { JOINT_MARKS } from '../joint-marks.ts';
import { leaderPort } from '#page/words/failures.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { LEADER } from '#page/words/robot.ts';
import { quietly } from './kit.tsx';
import './leader.css';

/** Wiggling this far is enough (`core/arm/serial/wiggle.ts`). */
const ENOUGH_STEPS = 170;

export function Leader() {
  const { session, os } = useUi();
  const { place, leader, work } = useNoun('robot');
  const arm = useNoun('arm');
  const step = leader?.step ?? null;
  const led = step === 'approaching' || step === 'following';
  const canFollow = arm.mode === 'idle' || arm.mode === 'manual';
  return (
    <section className="panel" aria-labelledby="leader" data-testid="leader" data-step={step ?? 'none'}>
      <h2 id="leader">{LEADER.heading}</h2>
      {leader === null ? (
        <>
          <p className="quiet">
            {LEADER.lead} {place.kind === 'virtual' ? LEADER.virtual : leaderPort(os)}
          </p>
          <div className="robot-buttons">
            <button type="button" className="button" disabled={work !== null} onClick={() => quietly(session.leaderFind('allowed'))} data-testid="leader-find">
              {LEADER.find}
            </button>
            {place.kind === 'serial' ? (
              <button type="button" className="button" disabled={work !== null} onClick={() => quietly(session.leaderFind('another'))}>
                {LEADER.another}
              </button>
            ) : null}
          </div>
        </>
      ) : (
        <>
          <p role="status" className={led ? 'leader-leads' : ''}>
            {leader.step === 'finding' ? (leader.doubt === 'both-moved' ? LEADER.both : LEADER.finding) : led ? LEADER[leader.step as 'approaching' | 'following'] : LEADER.found(leader.leader ?? 0, JOINT_LABELS[JOINT_NAMES[leader.joint ?? 0] ?? 'shoulder_pan'])}
          </p>
          {leader.step === 'finding' ? (
            <ul className="leader-candidates">
              {leader.candidates.map((candidate, i) => (
                <li key={i}>
                  <span>{LEADER.candidates(i)}</span>
                  <progress max={ENOUGH_STEPS} value={Math.min(ENOUGH_STEPS, candidate.travelSteps)} aria-label={LEADER.candidates(i)} />
                  <span className="quiet">{LEADER.states[candidate.state]}</span>
                </li>
              ))}
            </ul>
          ) : null}
          {leader.step === 'ready' && arm.kind === null ? <p className="quiet">{LEADER.needsArm}</p> : null}
          <div className="robot-buttons">
            {leader.step === 'ready' ? (
              <button type="button" className="button button-accent" disabled={!canFollow} onClick={() => quietly(session.leaderFollow())} data-testid="leader-follow">
                {LEADER.follow}
              </button>
            ) : null}
            {led ? (
              <button type="button" className="button button-accent" onClick={() => quietly(session.leaderRest())} data-testid="leader-rest">
                {LEADER.rest}
              </button>
            ) : null}
            <button type="button" className="button" onClick={() => quietly(session.leaderEnd())} data-testid="leader-end">
              {LEADER.end}
            </button>
          </div>
          {place.kind === 'virtual' ? <VirtualLeader /> : null}
        </>
      )}
    </section>
  );
}

/** A hand for who has no leader: what the sliders say, the software joints do. */
function VirtualLeader() {
  const session = useSession();
  const { limits, measured } = useNoun('arm');
  const [pose, setPose] = useState<readonly number[]>(() => limits.map((limit, i) => Math.min(limit.most, Math.max(limit.least, measured?.[i] ?? 0))));
  const put = (joint: number, value: number): void => {
    const next = pose.map((old, i) => (i === joint ? value : old));
    setPose(next);
    quietly(session.virtualLeader(next));
  };
  return (
    <div className="leader-hand" role="group" aria-label={LEADER.virtual}>
      {limits.map(({ name, least, most }, i) => (
        <label key={name} style={{ '--joint': JOINT_MARKS[i]?.colour } as React.CSSProperties}>
          <b className="joint-badge">{JOINT_MARKS[i]?.number}</b>
          <input type="range" min={least} max={most} step={0.5} value={pose[i] ?? 0} aria-label={LEADER.slider(JOINT_LABELS[name])} onChange={(event) => put(i, event.target.valueAsNumber)} data-testid={`leader-${name}`} />
        </label>
      ))}
    </div>
  );
}
