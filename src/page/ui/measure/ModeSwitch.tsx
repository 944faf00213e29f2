/** Play or Measure: what the side column is for. */
import { MODES } from '#page/words/measure.ts';

export type Mode = 'play' | 'measure';

export function ModeSwitch({ mode, onChange }: { readonly mode: Mode; readonly onChange: (mode: Mode) => void }) {
  return (
    <div className="mode-switch" role="group" aria-label={MODES.label}>
      {(['play', 'measure'] as const).map((one) => (
        <button key={one} type="button" aria-pressed={mode === one} onClick={() => onChange(one)} data-testid={`mode-${one}`}>
          {MODES[one]}
        </button>
      ))}
    </div>
  );
}
