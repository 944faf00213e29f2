/** Small things the robot panels share. */
import { useNoun, useUi } from '../context.ts';
import { failureWords } from '#page/words/failures.ts';
import { findingWords } from '#page/words/robot.ts';
import type { FindingCode } from '#contracts/serial.ts';

/** A verb's failure is in the store, and shown. */
export function quietly(work: Promise<unknown>): void {
  work.catch(() => undefined);
}

/** The head of a table. */
export function Columns({ names }: { readonly names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

/** Why the last verb failed, where the person is looking. */
export function Complaint() {
  const { os } = useUi();
  const { failure } = useNoun('robot');
  if (failure === null || failure.code === 'serial/no-port') return null;
  const { finding } = failure.facts;
  // What the doctor found has better words than "the arm is not ready".
  const words = failure.code === 'arm/refused' && typeof finding === 'string' ? findingWords({ code: finding as FindingCode, facts: failure.facts }) : null;
  const said = failureWords(failure, os);
  return (
    <div className="notice notice-amber" role="status" data-testid="robot-failure" data-code={failure.code}>
      <strong>{words?.title ?? said.title}</strong>
      {words?.cause ?? said.happened} {words?.cure ?? said.next}
    </div>
  );
}
