/** What each motor last said: fresh, old, or nothing. Four times a second; a reading that failed shows as failed. */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { ServoHealth } from '#contracts/serial.ts';
import { useNoun } from '../context.ts';
import { Columns } from './kit.tsx';
import { JOINT_MARKS } from '../joint-marks.ts';
import { JOINT_LABELS } from '#page/words/labels.ts';
import { MISSING } from '#page/words/numbers.ts';
import { READINGS } from '#page/words/robot.ts';

/** As control counts: `FRESH_FOR_MS`. */
const FRESH_MS = 250;
const WARM_C = 50;

export function Readings() {
  const { health } = useNoun('robot');
  return (
    <section className="panel" aria-labelledby="its-motors">
      <h2 id="its-motors">{READINGS.heading}</h2>
      {health === null ? (
        <p className="quiet">{READINGS.none}</p>
      ) : (
        <>
          <table className="robot-table numeric" data-testid="readings">
            <Columns names={READINGS.columns} />
            <tbody>
              {JOINT_NAMES.map((name, i) => {
                const servo = health.servos[i];
                return servo === undefined ? null : <Row key={name} label={JOINT_LABELS[name]} index={i} servo={servo} ageMs={servo.atMs === null ? null : health.nowMs - servo.atMs} />;
              })}
            </tbody>
          </table>
          <p className="quiet numeric">{READINGS.bus(health.counts.retries, health.counts.lost, health.counts.lastRoundTripMs)}</p>
        </>
      )}
    </section>
  );
}

function Row({ label, index, servo, ageMs }: { readonly label: string; readonly index: number; readonly servo: ServoHealth; readonly ageMs: number | null }) {
  const mark = JOINT_MARKS[index];
  const state = ageMs === null ? 'failed' : ageMs <= FRESH_MS ? 'fresh' : 'stale';
  const said = (value: number | null, digits: number, unit: string): string => (value === null ? MISSING : `${value.toFixed(digits)} ${unit}`);
  return (
    <tr data-state={servo.errors.length > 0 ? 'fault' : state}>
      <th scope="row">
        <b className="joint-badge" style={{ '--joint': mark?.colour } as React.CSSProperties}>
          {mark?.number}
        </b>
        <span>{label}</span>
      </th>
      <td>{servo.errors.length > 0 ? servo.errors.join(', ') : state === 'stale' ? READINGS.stale((ageMs ?? 0) / 1000) : READINGS[state]}</td>
      <td>{said(servo.load === null ? null : servo.load * 100, 0, '%')}</td>
      <td>{said(servo.amperes, 2, 'A')}</td>
      <td>{said(servo.volts, 1, 'V')}</td>
      <td data-warm={servo.celsius !== null && servo.celsius >= WARM_C}>{said(servo.celsius, 0, '°C')}</td>
    </tr>
  );
}
