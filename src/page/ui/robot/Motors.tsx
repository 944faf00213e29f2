/** New motors, one at a time: who is there, and which joint it becomes. */
import { JOINT_NAMES } from '#contracts/joints.ts';
import { useState } from 'react';
import { useNoun, useSession } from '../context.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { MOTORS } from '#page/words/robot.ts';
import { quietly } from './kit.tsx';

export function Motors() {
  const session = useSession();
  const { motor, work } = useNoun('robot');
  const [id, setId] = useState(6);
  return (
    <section className="panel" aria-labelledby="new-motors">
      <details>
        <summary id="new-motors">{MOTORS.heading}</summary>
        <p className="quiet">{MOTORS.lead}</p>
        <div className="robot-buttons">
          <button type="button" className="button" disabled={work !== null} onClick={() => quietly(session.findMotor())}>
            {MOTORS.find}
          </button>
        </div>
        {motor === null ? null : (
          <div className="robot-buttons">
            <span className="numeric">{MOTORS.found(motor.id, motor.baud)}</span>
            <select value={id} aria-label={MOTORS.name} onChange={(event) => setId(Number(event.target.value))}>
              {JOINT_NAMES.map((name, i) => (
                <option key={name} value={i + 1}>{`${i + 1} ${JOINT_LABELS[name]}`}</option>
              ))}
            </select>
            <button type="button" className="button" disabled={work !== null} onClick={() => quietly(session.nameMotor(id))}>
              {MOTORS.name}
            </button>
          </div>
        )}
      </details>
    </section>
  );
}
