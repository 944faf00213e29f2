/**
 * A loop on the control worker's own schedule that does nothing, in a thread of its own: what jitter the machine gives
 * to anybody. Beside it, the control loop's jitter says what we add. Post `IdleLoopRequest`, receive a `JitterSummary`.
 */
import { systemClock } from '#core/lib/clock.ts';
import { measureJitter, type JitterMeasurement } from './measure-jitter.ts';

export type IdleLoopRequest = Pick<JitterMeasurement, 'rateHz' | 'seconds'>;

self.onmessage = async (event: MessageEvent<IdleLoopRequest>) => {
  self.postMessage(await measureJitter({ ...event.data, clock: systemClock(), work: () => undefined }));
};
