/**
 * A real camera in its place: the browser itself draws the live picture, no frame passes through a script here. What stands
 * below it (age, rate) is what the policy's worker tells of the frames it gets, so a frozen worker does not look live.
 */
import { useEffect, useRef } from 'react';
import type { CameraSlot } from '#contracts/policy.ts';
import type { CameraPlace } from '#page/session/camera-verbs.ts';
import { CAMERAS, liveCaption, trainedCaption } from '#page/words/cameras.ts';
import { failureWords } from '#page/words/failures.ts';
import { cameraLabel } from '#page/words/labels.ts';
import { useSession, useUi } from '../context.ts';
import { useNow } from '../use-now.ts';

/** As the policy's own limit: an older picture is not live (`core/observation/gather.ts`). */
const LIVE_FOR_MS = 500;

export function RealCameraView({ cameraKey, place, trained }: { readonly cameraKey: string; readonly place: CameraPlace; readonly trained: CameraSlot | null }) {
  const session = useSession();
  const { os } = useUi();
  const video = useRef<HTMLVideoElement>(null);
  const nowMs = useNow(place.kind === 'live' ? 250 : null);
  const device = place.kind === 'live' ? place.device.id : null;

  useEffect(() => {
    const element = video.current;
    if (element === null) return;
    element.srcObject = device === null ? null : session.cameraStream(cameraKey);
    if (device !== null) element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  }, [session, cameraKey, device]);

  const ageMs = place.kind === 'live' && place.newestAtMs !== null ? Math.max(0, nowMs - place.newestAtMs) : null;
  const cover = coverOf(place, ageMs, (failure) => failureWords(failure, os).title);
  const label = cameraLabel(cameraKey);
  return (
    <figure className="camera" data-state={place.kind === 'live' && cover === null ? 'live' : place.kind === 'opening' ? 'waiting' : 'failed'} data-testid={`camera-${cameraKey.split('.').at(-1)}`} data-source="real">
      <video ref={video} muted playsInline role="img" aria-label={`${label}, ${CAMERAS.real}`} />
      {cover === null ? null : <p className="camera-cover">{cover}</p>}
      <figcaption>
        <span>
          <strong>{label}</strong> <span className="camera-real">{CAMERAS.real}</span>
        </span>
        <span className="quiet numeric">{place.kind === 'live' ? liveCaption(place.width, place.height, place.rateHz, ageMs) : CAMERAS.noPicture}</span>
        {trained === null || place.kind !== 'live' ? null : <span className="quiet numeric">{trainedCaption(trained, place)}</span>}
      </figcaption>
    </figure>
  );
}

/** What lies over the picture; null while it is live. */
function coverOf(place: CameraPlace, ageMs: number | null, title: (failure: Extract<CameraPlace, { kind: 'failed' }>['failure']) => string): string | null {
  switch (place.kind) {
    case 'opening':
      return CAMERAS.opening;
    case 'gone':
      return CAMERAS.gone(place.device.label);
    case 'failed':
      return title(place.failure);
    case 'live':
      if (ageMs === null) return CAMERAS.opening;
      // Told four times a second, so half a second of silence is seen a moment later.
      return ageMs > 2 * LIVE_FOR_MS ? CAMERAS.stale(ageMs) : null;
  }
}

/** A place for which there is no simulated camera, and no real one yet. */
export function EmptyView({ cameraKey }: { readonly cameraKey: string }) {
  const label = cameraLabel(cameraKey);
  return (
    <figure className="camera" data-state="waiting" data-testid={`camera-${cameraKey.split('.').at(-1)}`}>
      <div className="camera-empty" />
      <p className="camera-cover">{CAMERAS.empty}</p>
      <figcaption>
        <strong>{label}</strong>
      </figcaption>
    </figure>
  );
}
