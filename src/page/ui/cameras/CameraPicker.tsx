/** Which camera stands in a place, and what a real one lets itself be told: exposure and focus, where it offers them. */
import type { CameraControl, CameraDevice, CameraPlace } from '#page/session/camera-verbs.ts';
import { CAMERA_CONTROL_WORDS, CAMERAS, controlValue } from '#page/words/cameras.ts';
import { cameraLabel } from '#page/words/labels.ts';
import { useNoun, useSession } from '../context.ts';

const SIMULATED = 'simulated';
const ANY = 'any';

export interface CameraPickerProps {
  readonly cameraKey: string;
  readonly place: CameraPlace | null;
  readonly devices: readonly CameraDevice[];
  readonly simulated: 'offered' | 'none';
}

export function CameraPicker({ cameraKey, place, devices, simulated }: CameraPickerProps) {
  const session = useSession();
  // Before a camera was allowed once, Chrome tells neither names nor ids.
  const named = devices.filter(({ id }) => id !== '');
  const { places } = useNoun('cameras');
  const { kind } = useNoun('arm');
  const run = useNoun('run');
  // What a policy sees is not changed while it moves a real arm: the checks before motion were of these cameras.
  const locked = kind === 'serial' && (run.kind === 'running' || run.kind === 'waiting' || run.kind === 'finishing');
  // One camera shows one view: the first that stands nowhere yet.
  const free = named.find(({ id }) => !Object.values(places).some((other) => other.device?.id === id));
  const current = place === null ? (simulated === 'offered' ? SIMULATED : '') : (place.device?.id ?? ANY);
  const choose = (value: string): void => {
    if (value === SIMULATED) return session.useSimulated(cameraKey);
    const device = named.find(({ id }) => id === value) ?? null;
    // A refusal is in the place, and in a card.
    session.useCamera(cameraKey, device).catch(() => undefined);
  };
  return (
    <div className="camera-picker">
      <select value={current} disabled={locked} onChange={(event) => choose(event.target.value)} aria-label={CAMERAS.choose(cameraLabel(cameraKey))} data-testid={`camera-pick-${cameraKey.split('.').at(-1)}`}>
        {simulated === 'offered' ? <option value={SIMULATED}>{CAMERAS.simulated}</option> : <option value="" disabled>{CAMERAS.none}</option>}
        {named.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
        {named.length === 0 || current === ANY ? <option value={ANY}>{CAMERAS.useReal}</option> : null}
        {place !== null && place.device !== null && !named.some(({ id }) => id === place.device?.id) ? <option value={place.device.id}>{place.device.label}</option> : null}
      </select>
      {place === null && devices.length > 0 ? (
        <button type="button" className="button camera-use" disabled={locked} onClick={() => choose(free?.id ?? ANY)} data-testid={`camera-real-${cameraKey.split('.').at(-1)}`}>
          {CAMERAS.useReal}
        </button>
      ) : null}
      {place?.kind === 'live' && place.controls.length > 0 ? (
        <details>
          <summary>{CAMERAS.controls}</summary>
          {place.controls.map((control) => (
            <Control key={control.name} cameraKey={cameraKey} control={control} />
          ))}
        </details>
      ) : null}
    </div>
  );
}

function Control({ cameraKey, control }: { readonly cameraKey: string; readonly control: CameraControl }) {
  const session = useSession();
  const set = (value: string | number): void => void session.setCameraControl(cameraKey, control.name, value).catch(() => undefined);
  return (
    <label className="camera-control">
      <span>{CAMERA_CONTROL_WORDS[control.name]}</span>
      {control.kind === 'choice' ? (
        <select value={control.value} onChange={(event) => set(event.target.value)}>
          {control.all.map((one) => (
            <option key={one} value={one}>
              {controlValue(one)}
            </option>
          ))}
        </select>
      ) : (
        <input type="range" min={control.least} max={control.most} step={control.step} value={control.value} onChange={(event) => set(event.target.valueAsNumber)} />
      )}
    </label>
  );
}
