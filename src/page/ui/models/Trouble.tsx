/** A failure where the person is looking: what happened, what to do. */
import type { Failure } from '#contracts/failure.ts';
import { useUi } from '../context.ts';
import { failureWords } from '#page/words/failures.ts';

export function Trouble({ failure }: { readonly failure: Failure }) {
  const { os } = useUi();
  const words = failureWords(failure, os);
  return (
    <div className="notice notice-amber" role="alert" data-testid="models-trouble" data-code={failure.code}>
      <strong>{words.title}</strong>
      {words.happened} {words.next}
    </div>
  );
}
