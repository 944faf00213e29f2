/**
 * Hold to run: a policy moves an arm of servos only while this is held, by pointer, by key, or by a pedal that types the key. Letting go
 * brakes; so does leaving the window. Control looks at the bit itself, in memory; this only sets it.
 */
import { useCallback, useEffect, useState } from 'react';
import { useSession } from '../context.ts';
import { GRIPPER } from '#page/words/robot.ts';
import { oneKey } from './one-key.ts';

export function HoldToRun() {
  const session = useSession();
  const [held, setHeld] = useState(false);
  const hold = useCallback(
    (key: 'down' | 'up') => {
      session.safety.hold(key);
      setHeld(key === 'down');
    },
    [session],
  );
  useEffect(() => {
    const off = oneKey(window, 'KeyM', { down: () => hold('down'), up: () => hold('up') });
    return () => {
      off();
      session.safety.hold('up');
    };
  }, [session, hold]);
  return (
    <button
      type="button"
      className="hold-to-run"
      aria-pressed={held}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        hold('down');
      }}
      onPointerUp={() => hold('up')}
      onPointerCancel={() => hold('up')}
      onLostPointerCapture={() => hold('up')}
      data-testid="hold-to-run"
    >
      {held ? GRIPPER.holding : GRIPPER.hold} <kbd>{GRIPPER.holdKey}</kbd>
    </button>
  );
}
