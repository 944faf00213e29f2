/** The top line: what this is, that it is simulated, which engine runs and why. */
import { useNoun, useUi } from '../context.ts';
import { adapterLabel, engineLabel, engineReason, eyesLine, picturesLine, recordingLine, selfTestLine, weightsLine } from '#page/words/labels.ts';
import { failureWords } from '#page/words/failures.ts';
import { APP_NAME, FAST, LOCAL_HINT } from '#page/words/panels.ts';
import { ARM_HINTS, ARM_LABELS, ROBOT } from '#page/words/robot.ts';
import { ModeSwitch, type Mode } from '../measure/ModeSwitch.tsx';
import './header.css';

export function Header({ mode, onMode }: { readonly mode: Mode; readonly onMode: (mode: Mode) => void }) {
  return (
    <header className="app-header header">
      <h1>{APP_NAME}</h1>
      <ArmChip />
      <span className="quiet header-hint">{LOCAL_HINT}</span>
      <ModeSwitch mode={mode} onChange={onMode} />
      <EngineChip />
    </header>
  );
}

/** Which arm moves, never to be missed. */
function ArmChip() {
  const { calibrating, place, connected } = useNoun('robot');
  const policy = useNoun('policy');
  const { places } = useNoun('cameras');
  const kind = useNoun('arm').kind ?? (calibrating === null ? 'simulated' : place.kind);
  // Said of a real arm as long as one of the policy's cameras is a simulated one.
  const sees = kind === 'serial' && connected?.mirror === 'on' && (policy.kind !== 'ready' || policy.info.cameras.some(({ robotKey }) => !(robotKey in places)));
  return (
    <span className={`chip chip-arm chip-${kind}`} title={ARM_HINTS[kind]} data-testid="arm-kind" data-kind={kind}>
      {ARM_LABELS[kind]}
      {sees ? <small data-testid="sees-simulation"> · {ROBOT.seesSimulation}</small> : null}
    </span>
  );
}

function EngineChip() {
  const { os } = useUi();
  const policy = useNoun('policy');
  if (policy.kind !== 'ready') {
    return (
      <span className="chip header-engine" data-testid="engine">
        {FAST.engine}: {FAST.noEngine}
      </span>
    );
  }
  const reason = engineReason(policy.engine, (failure) => failureWords(failure, os).title);
  const details = [reason, weightsLine(policy.info), selfTestLine(policy.engine), picturesLine(policy.engine), eyesLine(policy.engine), recordingLine(policy.engine), adapterLabel(policy.engine)].filter((line) => line !== null);
  return (
    <span className="chip header-engine" data-testid="engine" title={details.join('\n')}>
      {engineLabel(policy.engine, policy.info)}
    </span>
  );
}
