/**
 * The port to inference. Knows that the other end may be replaced; knows nothing of chunks. Messages are taken as they
 * come: the queue behind `receive` keeps only the newest chunk, and only one request is ever out.
 *
 * A port does not tell that the thread at its other end died (Chromium 156 has no `close` event on ports). Then the
 * request that is out runs into its timeout, or the page, which watches the thread, sends a new port.
 */
import type { ControlToInference, InferenceToControl } from '#contracts/control.ts';
import type { Failure } from '#contracts/failure.ts';

export interface InferenceListener {
  receive(message: InferenceToControl): void;
  lost(failure: Failure): void;
}

export interface InferenceLink {
  ask(request: ControlToInference): void;
  /** Closes the old port and uses this one. What was asked on the old one will not be answered. */
  use(port: MessagePort): void;
}

export function inferenceLink(first: MessagePort, listener: InferenceListener): InferenceLink {
  let current: MessagePort | null = null;
  const lose = (port: MessagePort, message: string): void => {
    if (port !== current) return;
    listener.lost({ code: 'worker/died', facts: { worker: 'inference', message } });
  };
  const use = (port: MessagePort): void => {
    const old = current;
    current = port;
    if (old !== null) {
      old.close();
      listener.lost({ code: 'worker/died', facts: { worker: 'inference', message: 'replaced' } });
    }
    port.onmessage = (event: MessageEvent<InferenceToControl>) => {
      if (port === current) listener.receive(event.data);
    };
    port.onmessageerror = () => lose(port, 'unreadable message');
  };
  use(first);
  return { ask: (request) => current?.postMessage(request), use };
}
