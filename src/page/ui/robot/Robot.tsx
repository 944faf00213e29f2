/**
 * The side column for an arm of servos: which one, by hand, its motors, calibration, the doctor, new motors, and what can be broken. Once it is
 * connected also what it sees, whose policy, and what it is told: from here to the first motion nobody has to look for another panel.
 */
import { lazy, Suspense, useEffect } from 'react';
import { Cameras } from '../cameras/Cameras.tsx';
import { Joints } from '../joints/Joints.tsx';
import { SentenceBox } from '../sentence/SentenceBox.tsx';
import { useNoun, useUi } from '../context.ts';
import { ROBOT } from '#page/words/robot.ts';
import { BreakIt } from './BreakIt.tsx';
import { Calibration } from './Calibration.tsx';
import { Connection } from './Connection.tsx';
import { Doctor } from './Doctor.tsx';
import { HardwareCheck } from './HardwareCheck.tsx';
import { Motors } from './Motors.tsx';
import { OwnPolicy } from './OwnPolicy.tsx';
import { Readings } from './Readings.tsx';
import './robot.css';

/** Fetched when the panel is opened: most people have one arm. */
const Leader = lazy(() => import('./Leader.tsx').then((file) => ({ default: file.Leader })));

export interface RobotProps {
  readonly ready: boolean;
  readonly sentence: string;
  readonly onSentence: (sentence: string) => void;
}

export function Robot({ ready, sentence, onSentence }: RobotProps) {
  const { session, first } = useUi();
  const { place, connected } = useNoun('robot');
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
      {connected === null ? null : (
        <>
          <OwnPolicy />
          <Cameras />
          <SentenceBox ready={ready} sentence={sentence} onSentence={onSentence} />
        </>
      )}
      <Readings />
      <Suspense>
        <Leader />
      </Suspense>
      <Calibration />
      <Doctor />
      <HardwareCheck />
      <Motors />
      {place.kind === 'virtual' ? <BreakIt /> : null}
    </>
  );
}
