/** Opening somebody's dataset, and picking an episode of it; and the page that says how a dataset becomes a policy. */
import { useRef, useState, type ChangeEvent, type FormEvent } from 'react';
import { useNoun, useSession } from '../context.ts';
import { DATASET, TO_POLICY } from '#page/words/record.ts';

export function Dataset() {
  const session = useSession();
  const { busy, opened, shown } = useNoun('record');
  const folder = useRef<HTMLInputElement>(null);
  const zip = useRef<HTMLInputElement>(null);
  const [name, setName] = useState('');
  // What fails is in the store, and shown under the buttons of the recorder.
  const openFolder = (event: ChangeEvent<HTMLInputElement>): void => {
    const files = [...(event.target.files ?? [])].map((file) => ({ path: file.webkitRelativePath, file }));
    const name = files[0]?.path.split('/')[0] ?? '';
    if (files.length > 0) session.recording.open({ kind: 'files', name, files }).catch(() => undefined);
    event.target.value = '';
  };
  const openZip = (event: ChangeEvent<HTMLInputElement>): void => {
    const [file] = event.target.files ?? [];
    if (file !== undefined) session.recording.open({ kind: 'zip', file }).catch(() => undefined);
    event.target.value = '';
  };
  const openHub = (event: FormEvent): void => {
    event.preventDefault();
    if (name.trim() !== '') session.recording.open({ kind: 'hub', name }).catch(() => undefined);
  };
  return (
    <section className="panel" aria-labelledby="dataset">
      <h2 id="dataset">{DATASET.heading}</h2>
      <p className="quiet">{DATASET.lead}</p>
      <div className="measure-buttons">
        <button type="button" className="button" disabled={busy !== null} onClick={() => folder.current?.click()}>
          {DATASET.openFolder}
        </button>
        <button type="button" className="button" disabled={busy !== null} onClick={() => zip.current?.click()}>
          {DATASET.openZip}
        </button>
        <input ref={folder} type="file" hidden data-testid="dataset-folder" onChange={openFolder} {...{ webkitdirectory: '' }} />
        <input ref={zip} type="file" hidden accept=".zip" data-testid="dataset-zip" onChange={openZip} />
      </div>
      <form className="dataset-hub" onSubmit={openHub}>
        <input type="text" value={name} placeholder={DATASET.hub} aria-label={DATASET.hub} spellCheck={false} autoComplete="off" onChange={(event) => setName(event.target.value)} data-testid="dataset-hub" />
        <button type="submit" className="button" disabled={busy !== null || name.trim() === ''}>
          {DATASET.openHub}
        </button>
      </form>
      {opened === null ? null : (
        <label className="dataset-episode">
          <span>
            {opened.name}
            <br />
            <span className="quiet numeric">{`LeRobot ${opened.info.version}, ${opened.info.episodes} episodes, ${opened.info.fps}/s, ${opened.info.robotType ?? 'robot not named'}`}</span>
          </span>
          <select value={shown?.from.kind === 'dataset' ? shown.from.index : ''} disabled={busy !== null} onChange={(event) => void session.recording.show({ kind: 'dataset', index: Number(event.target.value) }).catch(() => undefined)} data-testid="dataset-episode">
            <option value="" disabled>
              {DATASET.episode}
            </option>
            {opened.episodes.map(({ index, task, rows }) => (
              <option key={index} value={index}>
                {`${index}: ${task} (${(rows / opened.info.fps).toFixed(1)} s)`}
              </option>
            ))}
          </select>
        </label>
      )}
      <p>
        <a href="from-dataset-to-policy.html" target="_blank" rel="noreferrer">
          {TO_POLICY.link}
        </a>
      </p>
    </section>
  );
}
