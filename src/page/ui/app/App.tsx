/** Where the panels stand: stage and its caption, the column in its fixed order, Stop. */
import { useEffect, useRef, useState } from 'react';
import { Activity } from '../activity/Activity.tsx';
import { Cameras } from '../cameras/Cameras.tsx';
import { Caption } from '../caption/Caption.tsx';
import { useSession, useUi } from '../context.ts';
import { GateLine } from '../gate/GateLine.tsx';
import { Header } from '../header/Header.tsx';
import { Measure } from '../measure/Measure.tsx';
import type { Mode } from '../measure/ModeSwitch.tsx';
import { JointPlot } from '../plot/JointPlot.tsx';
import { Record } from '../record/Record.tsx';
import { Models } from '../models/Models.tsx';
import { Robot } from '../robot/Robot.tsx';
import { Safety } from '../safety/Safety.tsx';
import { SentenceBox } from '../sentence/SentenceBox.tsx';
import { Speed } from '../speed/Speed.tsx';
import { StageView } from '../stage/StageView.tsx';
import { StopBar } from '../stop/StopBar.tsx';

type Start = 'starting' | 'ready' | 'failed';

export function App() {
  const start = useStart();
  const { first } = useUi();
  const [mode, setMode] = useState<Mode>(first.arm === null ? 'play' : 'robot');
  // Kept here, because a calibration is of a sentence too.
  const [sentence, setSentence] = useState(first.task);
  const column = useRef<HTMLElement>(null);
  // How far the panels before were scrolled says nothing of these. (Chromium's `scrollTo` returns a promise, which React would take for a clean-up.)
  useEffect(() => {
    void column.current?.scrollTo({ top: 0 });
  }, [mode]);
  return (
    <div className="app" data-start={start}>
      <Header mode={mode} onMode={setMode} />
      <main className="app-main">
        <StageView />
        <Caption start={start} />
        <GateLine />
        <JointPlot />
      </main>
      <aside className="app-column" ref={column}>
        {mode === 'models' ? (
          <Models />
        ) : mode === 'measure' ? (
          <Measure />
        ) : mode === 'record' ? (
          <>
            <Cameras />
            <Record />
            <Activity />
          </>
        ) : mode === 'robot' ? (
          <Robot ready={start === 'ready'} sentence={sentence} onSentence={setSentence} />
        ) : (
          <>
            <Cameras />
            <SentenceBox ready={start === 'ready'} sentence={sentence} onSentence={setSentence} />
            <Activity />
            <Speed />
            <Safety task={sentence} />
          </>
        )}
      </aside>
      <StopBar />
    </div>
  );
}

function useStart(): Start {
  const session = useSession();
  const [start, setStart] = useState<Start>('starting');
  useEffect(() => {
    session.ready.then(
      () => setStart('ready'),
      () => setStart('failed'),
    );
  }, [session]);
  return start;
}
