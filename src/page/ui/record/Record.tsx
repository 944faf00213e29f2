/** Recording: the sentence, four buttons with keys, what has been kept, and how to save it. */
import { useCallback, useEffect, useState } from 'react';
import { useNoun, useSession, useUi } from '../context.ts';
import { PICTURE_SIDE, PICTURE_SIDES, type PictureSide } from '#page/session/record-verbs.ts';
import { failureWords } from '#page/words/failures.ts';
import { episodeLine, RECORD, recordingLine } from '#page/words/record.ts';
import { saveFile } from '../save-file.ts';
import { Dataset } from './Dataset.tsx';
import { ShownEpisodeView } from './ShownEpisode.tsx';
import { recordKeys } from './record-keys.ts';
import './record.css';

/** The name of the folder inside the zip, and of the zip. */
const DATASET_NAME = 'so100-episodes';

export function Record() {
  const session = useSession();
  const { os, first } = useUi();
  const state = useNoun('record');
  const [task, setTask] = useState(first.task === '' ? 'pick up the red cube' : first.task);
  const [side, setSide] = useState<PictureSide>(PICTURE_SIDE);
  const { status, busy } = state;
  const now = status?.now ?? null;
  const { recording } = session;

  useEffect(() => recording.watch(), [recording]);
  // What fails is in the store, and shown below.
  const quietly = (work: Promise<unknown>): void => void work.catch(() => undefined);
  const toggle = useCallback(() => quietly(now === null ? recording.begin(task, side) : recording.keep()), [recording, now, task, side]);
  const discard = useCallback(() => (now === null ? undefined : quietly(recording.discard())), [recording, now]);
  const redo = useCallback(() => quietly(recording.redo(task, side)), [recording, task, side]);
  useEffect(() => recordKeys(window, { toggle, discard, redo }), [toggle, discard, redo]);

  const saveZip = async (): Promise<void> => {
    const file = await recording.exportZip(DATASET_NAME);
    saveFile(file, file.name);
  };
  const episodes = status?.episodes ?? [];
  return (
    <>
      <section className="panel record" aria-labelledby="record">
        <h2 id="record">{RECORD.heading}</h2>
        <p className="quiet">{RECORD.lead}</p>
        <label className="record-task">
          <span className="unseen">{RECORD.task}</span>
          <input type="text" value={task} placeholder={RECORD.placeholder} disabled={now !== null} onChange={(event) => setTask(event.target.value)} data-testid="record-task" />
        </label>
        <label className="record-side">
          <span className="quiet">{RECORD.side}</span>
          <select value={side} disabled={now !== null} onChange={(event) => setSide(Number(event.target.value) as PictureSide)} data-testid="record-side">
            {PICTURE_SIDES.map((one) => (
              <option key={one} value={one}>{`${one} × ${one}`}</option>
            ))}
          </select>
        </label>
        <p className="record-state" data-recording={now !== null} role="status" data-testid="record-state">
          <i aria-hidden="true" />
          <span className="numeric">{busy !== null ? RECORD.busy[busy] : now === null ? RECORD.idle : `${RECORD.recording}: ${recordingLine(now)}`}</span>
        </p>
        <div className="measure-buttons">
          <button type="button" className={now === null ? 'button button-accent' : 'button'} disabled={busy !== null || status === null} onClick={toggle} data-testid="record-toggle">
            {now === null ? RECORD.start : RECORD.keep} <kbd>C</kbd>
          </button>
          <button type="button" className="button" disabled={busy !== null || now === null} onClick={discard}>
            {RECORD.discard} <kbd>X</kbd>
          </button>
          <button type="button" className="button" disabled={busy !== null || (now === null && episodes.length === 0)} onClick={redo}>
            {RECORD.redo} <kbd>Z</kbd>
          </button>
        </div>
        {state.failure === null ? null : <FailureNotice title={failureWords(state.failure, os).title} next={failureWords(state.failure, os).next} />}
        {status !== null && status.cutOff > 0 ? <p className="quiet">{RECORD.cutOff(status.cutOff)}</p> : null}
        {status === null || status.drawing === null ? null : <p className="quiet numeric">{RECORD.drawing(status.drawing.done, status.drawing.of)}</p>}
        {episodes.length === 0 ? (
          <p className="quiet">{RECORD.none}</p>
        ) : (
          <ol className="record-list" aria-label={RECORD.heading} data-testid="record-list">
            {episodes.map((episode, i) => (
              <li key={episode.id}>
                <span className="numeric record-number">{i}</span>
                <span>
                  {episode.task}
                  <br />
                  <span className="quiet numeric">{episodeLine(episode.rows, episode.fps, episode.alignment, episode.lateTicks)}</span>
                </span>
                <button type="button" className="button" onClick={() => quietly(recording.show({ kind: 'recorded', id: episode.id }))}>
                  {RECORD.show}
                </button>
                <button type="button" className="button" disabled={busy !== null} aria-label={`${RECORD.remove}: ${i}`} onClick={() => quietly(recording.remove(episode.id))}>
                  ✕
                </button>
              </li>
            ))}
          </ol>
        )}
        <div className="measure-buttons">
          <button type="button" className="button" disabled={busy !== null || now !== null || episodes.length === 0} onClick={() => quietly(saveZip())} data-testid="record-save">
            {RECORD.save}
          </button>
          {'showDirectoryPicker' in window ? (
            <button type="button" className="button" disabled={busy !== null || now !== null || episodes.length === 0} onClick={() => quietly(pickFolder().then((folder) => recording.exportFolder(folder)))}>
              {RECORD.saveFolder}
            </button>
          ) : null}
        </div>
        {status === null ? null : <p className="quiet numeric">{RECORD.room(status.freeBytes, status.usedBytes)}</p>}
      </section>
      {state.shown === null ? null : <ShownEpisodeView shown={state.shown} />}
      <Dataset />
    </>
  );
}

function FailureNotice({ title, next }: { readonly title: string; readonly next: string }) {
  return (
    <p className="notice notice-amber" role="status">
      <strong>{title}</strong> {next}
    </p>
  );
}

/** Not in TypeScript's list of the DOM yet. A person who closes the dialog has decided; nothing is told. */
function pickFolder(): Promise<FileSystemDirectoryHandle> {
  return (window as unknown as { showDirectoryPicker(options: { readonly mode: 'readwrite' }): Promise<FileSystemDirectoryHandle> }).showDirectoryPicker({ mode: 'readwrite' });
}
