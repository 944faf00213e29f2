/** What the side column is for. */
import { MODES } from '#page/words/measure.ts';
import { MODELS } from '#page/words/models.ts';
import { RECORD } from '#page/words/record.ts';
import { ROBOT } from '#page/words/robot.ts';

export type Mode = 'play' | 'models' | 'robot' | 'record' | 'measure';

export function ModeSwitch({ mode, onChange }: { readonly mode: Mode; readonly onChange: (mode: Mode) => void }) {
  return (
    <div className="mode-switch" role="group" aria-label={MODES.label}>
      {(['play', 'models', 'robot', 'record', 'measure'] as const).map((one) => (
        <button key={one} type="button" aria-pressed={mode === one} onClick={() => onChange(one)} data-testid={`mode-${one}`}>
          {one === 'robot' ? ROBOT.mode : one === 'record' ? RECORD.heading : one === 'models' ? MODELS.mode : MODES[one]}
        </button>
      ))}
    </div>
  );
}
