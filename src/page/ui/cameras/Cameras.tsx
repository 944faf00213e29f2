/**
 * What it sees: one place for each camera of the policy, with the simulated camera of that name or a real one in it. Pictures
 * of simulated cameras go from the port to the canvas and never through React; React only learns whether there is one.
 */
import { useEffect, useRef, useState } from 'react';
import type { CameraPicture, Picture } from '#contracts/picture.ts';
import { useNoun, useUi } from '../context.ts';
import { currentMs } from '../use-now.ts';
import { failureWords } from '#page/words/failures.ts';
import { cameraLabel } from '#page/words/labels.ts';
import { CameraPicker } from './CameraPicker.tsx';
import { EmptyView, RealCameraView } from './RealCameraView.tsx';
import { MISSING } from '#page/words/numbers.ts';
import { pictureCaption, SEES } from '#page/words/panels.ts';
import './cameras.css';

/** Shown at this size while no policy says what it wants. */
const DEFAULT_SIZE = { width: 192, height: 192 };
/** Larger pictures cost the world worker more than a person gains in a 190 px box. */
const MOST_WIDTH = 256;

/** Their places are kept free while the scene is on its way. */
const PLACES = ['observation.images.front', 'observation.images.wrist'] as const;

export function Cameras() {
  const { scene } = useNoun('world');
  const policy = useNoun('policy');
  const { places, devices } = useNoun('cameras');
  const simulated: readonly string[] = scene?.description.cameras.map(({ key }) => key) ?? PLACES;
  // Named as the policy names them; one that the table does not have waits for a real camera.
  const keys = policy.kind === 'ready' ? policy.info.cameras.map(({ robotKey }) => robotKey) : simulated;
  return (
    <section className="panel panel-sees" aria-labelledby="sees">
      <h2 id="sees">{SEES.heading}</h2>
      <div className="cameras">
        {keys.map((key) => {
          const place = places[key];
          const trained = policy.kind === 'ready' ? policy.info.cameras.find(({ robotKey }) => robotKey === key) : undefined;
          return (
            <div className="camera-slot" key={key}>
              {place !== undefined ? (
                <RealCameraView cameraKey={key} place={place} trained={trained ?? null} />
              ) : simulated.includes(key) ? (
                <CameraView cameraKey={key} live={scene !== null} />
              ) : (
                <EmptyView cameraKey={key} />
              )}
              <CameraPicker cameraKey={key} place={place ?? null} devices={devices} simulated={simulated.includes(key) ? 'offered' : 'none'} />
            </div>
          );
        })}
      </div>
    </section>
  );
}

function CameraView({ cameraKey, live }: { readonly cameraKey: string; readonly live: boolean }) {
  const { session, os } = useUi();
  const canvas = useRef<HTMLCanvasElement>(null);
  const caption = useRef<HTMLElement>(null);
  const [state, setState] = useState<'waiting' | 'live' | 'failed'>('waiting');
  const [trouble, setTrouble] = useState('');

  useEffect(() => {
    if (!live) return;
    let newest: CameraPicture | null = null;
    const age = (): void => {
      if (newest === null || caption.current === null) return;
      const { width, height } = newest.picture;
      caption.current.textContent = pictureCaption(width, height, Math.max(0, currentMs() - newest.capturedAtMs));
    };
    const timer = setInterval(age, 200);
    const off = session.watchCamera({
      key: cameraKey,
      size: () => wantedSize(session.stores.policy.getState(), cameraKey),
      onPicture: (picture) => {
        newest = picture;
        if (canvas.current !== null) draw(canvas.current, picture.picture);
        setState('live');
        age();
      },
      onFailure: (failure) => {
        setState('failed');
        setTrouble(failureWords(failure, os).title);
      },
    });
    return () => {
      off();
      clearInterval(timer);
    };
  }, [session, os, cameraKey, live]);

  const label = cameraLabel(cameraKey);
  return (
    <figure className="camera" data-state={state} data-testid={`camera-${cameraKey.split('.').at(-1)}`}>
      <canvas ref={canvas} width={DEFAULT_SIZE.width} height={DEFAULT_SIZE.height} role="img" aria-label={`${label}, ${SEES.simulated}`} />
      {state === 'live' ? null : <p className="camera-cover">{state === 'failed' ? `${SEES.failed}. ${trouble}` : SEES.waiting}</p>}
      <figcaption>
        <span>
          <strong>{label}</strong> <span className="quiet">{SEES.simulated}</span>
        </span>
        <span className="quiet numeric" ref={caption}>
          {MISSING}
        </span>
      </figcaption>
    </figure>
  );
}

/** What the policy sees, where one is loaded: its own size, at most `MOST_WIDTH` wide. */
function wantedSize(policy: ReturnType<typeof useNoun<'policy'>>, key: string): { readonly width: number; readonly height: number } {
  const slot = policy.kind === 'ready' ? policy.info.cameras.find((camera) => camera.robotKey === key) : undefined;
  if (slot === undefined) return DEFAULT_SIZE;
  const scale = Math.min(1, MOST_WIDTH / slot.width);
  return { width: Math.round(slot.width * scale), height: Math.round(slot.height * scale) };
}

function draw(canvas: HTMLCanvasElement, picture: Picture): void {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  canvas.getContext('2d')?.putImageData(new ImageData(rgba(picture), picture.width, picture.height), 0, 0);
}

/** Opaque RGBA, a copy: alpha means nothing in a camera picture. */
function rgba({ width, height, channels, data }: Picture): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; to < pixels.length; from += channels, to += 4) {
    pixels[to] = data[from] as number;
    pixels[to + 1] = data[from + 1] as number;
    pixels[to + 2] = data[from + 2] as number;
    pixels[to + 3] = 255;
  }
  return pixels;
}
