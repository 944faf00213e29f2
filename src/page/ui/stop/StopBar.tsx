/** Stop: always here, always the same size, from every panel, by pointer and by key. Beside it what follows a Stop. */
import { useEffect } from 'react';
import { useNoun, useSession } from '../context.ts';
import { stopKeys } from './stop-keys.ts';
import { STOP } from '../../words/panels.ts';
import './stop.css';

export function StopBar() {
  const session = useSession();
  const { mode, kind } = useNoun('arm');
  useEffect(() => stopKeys(window, () => void session.stop().catch(() => undefined)), [session]);
  const canGoOn = mode === 'stopped' || mode === 'released';
  return (
    <div className="app-stop stop-bar">
      <div className="stop-after">
        <button type="button" className={`button ${canGoOn ? 'button-accent' : ''}`} disabled={!canGoOn} onClick={() => session.resume().catch(() => undefined)} data-testid="go-on">
          {STOP.goOn}
        </button>
        <button type="button" className="button" disabled={kind === null || mode === 'released' || mode === 'lowering'} onClick={() => session.release().catch(() => undefined)} data-testid="release">
          {STOP.release}
        </button>
      </div>
      {/* The pointer going down is enough: a press that slips off the button has meant Stop too. */}
      <button type="button" className="stop" onPointerDown={() => void session.stop().catch(() => undefined)} onKeyDown={(event) => (event.key === 'Enter' ? void session.stop().catch(() => undefined) : undefined)} data-testid="stop">
        <span>
          {STOP.stop} <small>{STOP.holds}</small>
        </span>
        <small className="stop-keys">{STOP.keys}</small>
      </button>
    </div>
  );
}
