/**
 * Control asks, one chunk is computed, the newest question waits. Knows order and nothing of what a chunk is made of.
 *
 *   want 1 ──► computing 1
 *   want 2 ──► waits
 *   want 3 ──► replaces 2 (never answered: control has moved on)
 *              answer 1 ──► computing 3
 */
import type { ControlToInference, InferenceToControl } from '#contracts/control.ts';
import { asFailure } from '#core/lib/failure.ts';
import { mailbox } from '#core/lib/mailbox.ts';

export interface ChunkLoop {
  request(question: ControlToInference): void;
  /** Forgets the waiting question. The one being computed is still answered unless its run has ended. */
  clear(): void;
  /** Resolves when nothing is being computed and nothing waits. */
  idle(): Promise<void>;
  /** Questions that were replaced by a newer one. */
  readonly replaced: number;
}

/**
 * `answer` resolves to the message for control, or null where there is nothing to say (the run is over). What it
 * throws is answered as `chunk-failed`; the loop goes on.
 */
export function chunkLoop(answer: (question: ControlToInference) => Promise<InferenceToControl | null>, send: (message: InferenceToControl) => void): ChunkLoop {
  const waiting = mailbox<ControlToInference>(() => undefined);
  let working: Promise<void> | null = null;

  const work = async (): Promise<void> => {
    for (let question = waiting.take(); question !== null; question = waiting.take()) {
      const { requestId, runId } = question;
      const message = await answer(question).catch((thrown: unknown): InferenceToControl => ({ kind: 'chunk-failed', requestId, runId, failure: asFailure(thrown) }));
      if (message !== null) send(message);
    }
    working = null;
  };

  return {
    request(question) {
      waiting.put(question);
      working ??= work();
    },
    clear: () => void waiting.take(),
    idle: async () => {
      while (working !== null) await working;
    },
    get replaced() {
      return waiting.replaced;
    },
  };
}
