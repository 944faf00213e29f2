/**
 * Stop: always here, always the same size, from every panel, by pointer and by key. Beside it what follows a Stop, the gripper that
 * opens also then, and, where the limits ask for it, the key that a policy needs held.
 */
import { useCallback, useEffect } from 'react';
import { useNoun, useSession } from '../context.ts';
import { motionInForce } from '../limits/motion.ts';
import { stopKeys } from './stop-keys.ts';
import { STOP } from '#page/words/panels.ts';
import { GRIPPER } from '#page/words/robot.ts';
import { HoldToRun } from './HoldToRun.tsx';
import { askBeforeLeaving, oneKey } from './one-key.ts';
import './stop.css';

export function StopBar() {
  const session = useSession();
  // A Stop that is not confirmed makes its own card.
  const stop = useCallback(() => void session.stop().catch(() => undefined), [session]);
  useEffect(() => stopKeys(window, stop), [stop]);
  const open = useCallback(() => void session.openGripper().catch(() => undefined), [session]);
  useEffect(() => oneKey(window, 'KeyO', { down: open, up: () => undefined }), [open]);
  const { mode, kind } = useNoun('arm');
  const { profile } = useNoun('safety');
  const asksForKey = motionInForce(profile, kind)?.holdToRun === 'on';
  useEffect(() => (kind === 'serial' && mode !== 'released' ? askBeforeLeaving(window) : undefined), [kind, mode]);
  const canGoOn = mode === 'stopped' || mode === 'released';
  return (
    <div className="app-stop stop-bar">
      {asksForKey ? <HoldToRun /> : null}
      <div className="stop-after">
        <button type="button" className={`button ${canGoOn ? 'button-accent' : ''}`} disabled={!canGoOn} onClick={() => session.resume().catch(() => undefined)} data-testid="go-on">
          {STOP.goOn}
        </button>
        <button type="button" className="button" disabled={kind === null || mode === 'released' || mode === 'lowering'} onClick={() => session.release().catch(() => undefined)} data-testid="release">
          {STOP.release}
        </button>
        <button type="button" className="button" disabled={kind === null || mode === 'released' || mode === 'opening'} onClick={open} data-testid="open-gripper">
          {GRIPPER.open} <kbd>{GRIPPER.key}</kbd>
        </button>
      </div>
      {/* The pointer going down is enough: a press that slips off the button has meant Stop too. A click without a
          pointer (Enter, a screen reader) has detail 0. */}
      <button type="button" className="stop" onPointerDown={stop} onClick={(event) => (event.detail === 0 ? stop() : undefined)} data-testid="stop">
        <span>
          {STOP.stop} <small>{STOP.holds}</small>
        </span>
        <small className="stop-keys">{STOP.keys}</small>
      </button>
    </div>
  );
}
