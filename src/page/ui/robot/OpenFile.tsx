/** A button that asks for one JSON file of this machine, and hands over what was chosen. The same file may be chosen again. */
import { useRef } from 'react';
import { quietly } from './kit.tsx';

export interface OpenFileProps {
  readonly label: string;
  readonly disabled: boolean;
  readonly onFile: (file: { readonly text: string; readonly name: string }) => Promise<unknown>;
  /** For the stories: the hidden input. */
  readonly testId?: string;
  /** And the button. */
  readonly buttonTestId?: string;
}

export function OpenFile({ label, disabled, onFile, testId, buttonTestId }: OpenFileProps) {
  const input = useRef<HTMLInputElement>(null);
  const open = async (chosen: File | undefined): Promise<void> => {
    if (chosen !== undefined) await onFile({ text: await chosen.text(), name: chosen.name });
  };
  return (
    <>
      <button type="button" className="button" disabled={disabled} onClick={() => input.current?.click()} data-testid={buttonTestId}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        className="unseen"
        aria-label={label}
        tabIndex={-1}
        data-testid={testId}
        onChange={(event) => {
          quietly(open(event.target.files?.[0]));
          event.target.value = '';
        }}
      />
    </>
  );
}
