/** The side column for an arm of servos: which one, by hand, its motors, calibration, the doctor, new motors, and what can be broken. */
import { useEffect } from 'react';
import { Joints } from '../joints/Joints.tsx';
import { useNoun, useUi } from '../context.ts';
import { ROBOT } from '#page/words/robot.ts';
import { BreakIt } from './BreakIt.tsx';
import { Calibration } from './Calibration.tsx';
import { Connection } from './Connection.tsx';
import { Doctor } from './Doctor.tsx';
import { HardwareCheck } from './HardwareCheck.tsx';
import { Motors } from './Motors.tsx';
import { Readings } from './Readings.tsx';
import './robot.css';

export function Robot({ ready }: { readonly ready: boolean }) {
  const { session, first } = useUi();
  const { place } = useNoun('robot');
  useEffect(() => {
    if (first.arm !== null) session.choosePlace(first.arm);
  }, [session, first]);
  return (
    <>
      <Connection ready={ready} />
      <section className="panel panel-does" aria-labelledby="by-hand">
        <h2 id="by-hand">{ROBOT.hand}</h2>
        <Joints />
      </section>
      <Readings />
      <Calibration />
      <Doctor />
      <HardwareCheck />
      <Motors />
      {place.kind === 'virtual' ? <BreakIt /> : null}
    </>
  );
}
