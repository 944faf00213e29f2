/** A thread of `eyes.ts` that begins well and fails at its first look. */
import type { EyesAnswer, EyesQuestion } from '../eyes-thread.ts';

self.onmessage = ({ data }: MessageEvent<EyesQuestion>) => {
  if (data.kind === 'look') throw new Error('no more');
  self.postMessage({ kind: 'ready' } satisfies EyesAnswer);
};
