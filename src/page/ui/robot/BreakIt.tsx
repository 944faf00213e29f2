/** Faults to order, for the virtual servos: what a class can break without an arm to lose. */
import { VIRTUAL_FAULTS } from '#contracts/robot-setup.ts';
import { asFailure } from '#core/lib/failure.ts';
import { useNoun, useSession } from '../context.ts';
import { BREAK } from '#page/words/robot.ts';

export function BreakIt() {
  const session = useSession();
  const { connected } = useNoun('robot');
  return (
    <section className="panel" aria-labelledby="break-it">
      <details>
        <summary id="break-it">{BREAK.heading}</summary>
        <p className="quiet">{BREAK.lead}</p>
        <div className="robot-faults">
          {VIRTUAL_FAULTS.map((fault) => (
            <button
              key={fault}
              type="button"
              className="button"
              disabled={connected === null && fault !== 'none'}
              onClick={() => void session.virtualFault(fault).catch((thrown: unknown) => session.reportFailure(asFailure(thrown)))}
              data-testid={`fault-${fault}`}
            >
              {BREAK.faults[fault]}
            </button>
          ))}
        </div>
      </details>
    </section>
  );
}
