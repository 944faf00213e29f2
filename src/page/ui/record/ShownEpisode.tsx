/**
 * One episode, recorded here or opened from a dataset: its videos at one time, its joints over time, and the way onto the arm.
 * Labelled recorded: nothing of it is live.
 */
import { useEffect, useRef, useState } from 'react';
import { GRIPPER_INDEX, JOINT_COUNT, JOINT_NAMES } from '#contracts/joints.ts';
import { UNIT_ERAS, type DatasetVideo, type UnitEra } from '#contracts/dataset.ts';
import type { ShownEpisode } from '#page/session/record-verbs.ts';
import { cameraLabel, JOINT_LABELS } from '#page/words/labels.ts';
import { jointValue } from '#page/words/numbers.ts';
import { DATASET, replayedLine } from '#page/words/record.ts';
import { useNoun, useSession } from '../context.ts';
import { JOINT_MARKS } from '../joint-marks.ts';

export function ShownEpisodeView({ shown }: { readonly shown: ShownEpisode }) {
  const session = useSession();
  const { busy, replayed } = useNoun('record');
  const run = useNoun('run');
  const [row, setRow] = useState(0);
  const { episode, era } = shown;
  const at = Math.min(row, episode.rows - 1);
  const replay = (): void => void session.recording.replay().catch(() => undefined);
  const running = run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing';
  return (
    <section className="panel shown" aria-labelledby="shown" data-testid="shown-episode">
      <h2 id="shown">
        {DATASET.episode} {episode.index}: {episode.task} <span className="chip">{DATASET.recorded}</span>
      </h2>
      <div className="shown-videos">
        {Object.entries(episode.videos).map(([key, video]) => (
          <EpisodeVideo key={`${key} ${video.path}`} label={cameraLabel(key)} video={video} seconds={at / episode.fps + 0.5 / episode.fps} />
        ))}
      </div>
      <label className="shown-time">
        <input type="range" min={0} max={episode.rows - 1} step={1} value={at} aria-label={DATASET.time} onChange={(event) => setRow(event.target.valueAsNumber)} />
        <span className="numeric quiet">{`${(at / episode.fps).toFixed(1)} / ${(episode.rows / episode.fps).toFixed(1)} s`}</span>
      </label>
      <ul className="shown-joints" aria-label={DATASET.values}>
        {JOINT_NAMES.map((name, joint) => (
          <li key={name} style={{ '--joint': JOINT_MARKS[joint]?.colour } as React.CSSProperties}>
            <b className="joint-badge">{JOINT_MARKS[joint]?.number}</b>
            <span>{JOINT_LABELS[name]}</span>
            <JointLine values={episode.action} joint={joint} at={at} />
            <span className="numeric">{jointValue(episode.action[at * JOINT_COUNT + joint] ?? null, joint === GRIPPER_INDEX ? 'gripper' : 'arm')}</span>
          </li>
        ))}
      </ul>
      <label className="shown-era">
        <span>{DATASET.era}</span>
        <select value={era} disabled={shown.from.kind === 'recorded'} onChange={(event) => session.recording.setEra(event.target.value as UnitEra)} data-testid="era">
          {UNIT_ERAS.map((one) => (
            <option key={one} value={one}>
              {DATASET.eras[one]}
            </option>
          ))}
        </select>
      </label>
      <div className="measure-buttons">
        <button type="button" className="button button-accent" disabled={busy !== null || running || era === 'unknown'} onClick={replay} title={DATASET.replayHint} data-testid="replay-episode">
          {DATASET.replay}
        </button>
        <button type="button" className="button" onClick={() => session.recording.hide()}>
          {DATASET.close}
        </button>
      </div>
      <p className="quiet" role="status" data-testid="replayed">
        {replayed === null ? DATASET.replayHint : replayedLine(replayed.rows, replayed.rowsPlayed, replayed.maxAbsDifference, replayed.limitedRows)}
      </p>
    </section>
  );
}

/** The frame at a time of the episode; the browser finds it in the file. */
function EpisodeVideo({ label, video, seconds }: { readonly label: string; readonly video: DatasetVideo; readonly seconds: number }) {
  const session = useSession();
  const element = useRef<HTMLVideoElement>(null);
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    let open: string | null = null;
    let gone = false;
    session.recording.video(video.path).then(
      (blob) => {
        if (gone) return;
        open = URL.createObjectURL(blob);
        setUrl(open);
      },
      () => undefined,
    );
    return () => {
      gone = true;
      if (open !== null) URL.revokeObjectURL(open);
    };
  }, [session, video.path]);
  useEffect(() => {
    if (element.current !== null && url !== null) element.current.currentTime = video.fromSeconds + seconds;
  }, [seconds, url, video.fromSeconds]);
  return (
    <figure className="camera">
      {url === null ? <div className="camera-empty" /> : <video ref={element} src={url} muted playsInline preload="auto" aria-label={`${label}, ${DATASET.recorded}`} />}
      <figcaption>
        <strong>{label}</strong> <span className="quiet">{DATASET.recorded}</span>
      </figcaption>
    </figure>
  );
}

/** At most this many points are drawn; a line of 300 pixels shows no more. */
const MOST_POINTS = 300;

function JointLine({ values, joint, at }: { readonly values: Float32Array; readonly joint: number; readonly at: number }) {
  const rows = values.length / JOINT_COUNT;
  const stride = Math.max(1, Math.ceil(rows / MOST_POINTS));
  const points = Array.from({ length: Math.ceil(rows / stride) }, (_, i) => values[i * stride * JOINT_COUNT + joint] as number);
  const least = Math.min(...points);
  const span = Math.max(1, Math.max(...points) - least);
  return (
    <svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.map((value, i) => `${((100 * i) / Math.max(1, points.length - 1)).toFixed(2)},${(22 - (20 * (value - least)) / span).toFixed(2)}`).join(' ')} />
      <line x1={(100 * at) / Math.max(1, rows - 1)} x2={(100 * at) / Math.max(1, rows - 1)} y1={0} y2={24} />
    </svg>
  );
}
