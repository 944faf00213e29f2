/** A process in which the policy that ships with the page is computed without pause: what keeps a processor busy while an arm moves. Asked, it tells how many chunks. */
import { openNodeChunks } from './node-chunks.ts';

const { compute } = await openNodeChunks({ threads: 1, precision: 'f32' });
let chunks = 0;
process.on('message', () => process.send?.({ chunks }));
process.send?.('ready');
while (process.connected) {
  await compute();
  chunks++;
}
