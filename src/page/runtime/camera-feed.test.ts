/** What is asked for, and what people get, where nothing is drawn while nothing changes. */
import { expect, test } from 'vitest';
import type { PictureReply, PictureRequest } from '#contracts/world.ts';
import { manualClock } from '#core/lib/manual-clock.ts';
import { cameraFeed } from './camera-feed.ts';

const KEY = 'observation.images.front';
const PICTURE = { width: 1, height: 1, channels: 4 as const, data: new Uint8Array(4) };

test('a picture that is still true is dated anew; after a failure the next one is always drawn', async () => {
  const { port1, port2 } = new MessageChannel();
  const clock = manualClock();
  const wants: PictureRequest['want'][] = [];
  const got: (number | string)[] = [];
  const replies = ['failed', 'pictures', 'same', 'same', 'failed', 'pictures', 'same'] as const;
  port2.onmessage = ({ data: { id, want } }: MessageEvent<PictureRequest>) => {
    const kind = replies[wants.push(want) - 1];
    const at = 100 * wants.length;
    const reply: PictureReply =
      kind === 'pictures'
        ? { id, kind, pictures: [{ camera: KEY, picture: PICTURE, capturedAtMs: at, sequence: 1 }] }
        : kind === 'same'
          ? { id, kind, capturedAtMs: at }
          : { id, kind: 'failed', failure: { code: 'world/context-lost', facts: { camera: 'all' } } };
    port2.postMessage(reply);
  };
  const feed = cameraFeed(port1, clock, () => false);
  feed.watch({ key: KEY, size: () => ({ width: 1, height: 1 }), onPicture: ({ capturedAtMs }) => void got.push(capturedAtMs), onFailure: ({ code }) => void got.push(code) });
  while (got.length < replies.length) {
    await new Promise((turn) => setTimeout(turn, 1));
    await clock.advanceBy(500);
  }
  feed.close();
  port2.close();
  expect(wants.slice(0, replies.length)).toEqual(['always', 'always', 'changed', 'changed', 'changed', 'always', 'changed']);
  expect(got.slice(0, replies.length)).toEqual(['world/context-lost', 200, 300, 400, 'world/context-lost', 600, 700]);
});
