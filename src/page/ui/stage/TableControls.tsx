/** What can be changed about the room: the table's number (its seed) and the lights. Locked while a run is under way. */
import { useState, type FormEvent } from 'react';
import { useNoun, useUi } from '../context.ts';
import { asFailure } from '#core/lib/failure.ts';
import { STAGE } from '#page/words/panels.ts';

const MAX_SEED = 999_999_999;

export function TableControls() {
  const { session, first } = useUi();
  const { scene } = useNoun('world');
  const run = useNoun('run');
  const [seed, setSeed] = useState(String(first.seed));
  const locked = scene === null || run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing';
  const lit = (scene?.request.lightLevel ?? 1) > 0;

  const reset = (event: FormEvent): void => {
    event.preventDefault();
    if (scene === null || locked) return;
    const number = Math.min(MAX_SEED, Math.max(0, Math.trunc(Number(seed)) || 0));
    setSeed(String(number));
    session.world.reset({ ...scene.request, seed: number }).catch(report);
  };
  const report = (thrown: unknown): void => session.reportFailure(asFailure(thrown));
  const toggleLight = (): void => void session.world.setLightLevel(lit ? 0 : 1).catch(report);

  return (
    <form className="table-controls" onSubmit={reset}>
      <label>
        {STAGE.seed}
        <input type="number" min={0} max={MAX_SEED} step={1} value={seed} onChange={(event) => setSeed(event.target.value)} className="numeric" data-testid="seed" />
      </label>
      <button type="submit" className="button" disabled={locked} data-testid="reset">
        {STAGE.reset}
      </button>
      <button type="button" className="button" disabled={locked} onClick={toggleLight} aria-pressed={!lit} data-testid="lights">
        {lit ? STAGE.lightsOff : STAGE.lightsOn}
      </button>
    </form>
  );
}
