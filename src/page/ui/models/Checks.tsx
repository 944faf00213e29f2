/** A checkpoint that was looked at: the list of checks with what mends each red line, and the choices that change the list. */
import { type PolicyInfo, PRECISIONS, UNIT_ERAS } from '#contracts/policy.ts';
import type { PreflightLine } from '#contracts/preflight.ts';
import { useNoun, useSession } from '../context.ts';
import type { Candidate } from '#page/session/models-state.ts';
import { cameraLabel } from '#page/words/labels.ts';
import { LEVEL_LABELS, MODELS, PRECISION_CHOICES, precisionReason, preflightWords, UNIT_CHOICES } from '#page/words/models.ts';
import { quietly } from './quietly.ts';

const MARKS: Readonly<Record<PreflightLine['level'], string>> = { ok: '✓', note: '·', stop: '!' };

export function Checks({ candidate }: { readonly candidate: Extract<Candidate, { readonly kind: 'looked' }> }) {
  const session = useSession();
  const { report, lines, source, precision, units } = candidate;
  const stops = lines.filter(({ level }) => level === 'stop');
  const asks = lines.some(({ check, level }) => check === 'units' && level !== 'ok') || units !== null;
  return (
    <section className="panel models-checks" aria-labelledby="models-checks" data-testid="models-checks" data-stops={stops.length}>
      <h2 id="models-checks">{MODELS.checks}</h2>
      <p className="models-name">{source.kind === 'hub' ? report.info.name : source.name}</p>
      <ul className="models-lines">
        {[...lines].toSorted((a, b) => rank(a) - rank(b)).map((line) => (
          <Line key={`${line.finding} ${String(line.facts['slot'] ?? '')}`} line={line} />
        ))}
      </ul>
      <Cameras cameras={report.info.cameras} candidate={candidate} />
      <div className="models-choices">
        {asks && source.kind !== 'shipped' ? (
          <label>
            <span>{MODELS.units}</span>
            <select value={units ?? ''} onChange={(event) => UNIT_ERAS.filter((era) => era === event.target.value).forEach((era) => session.confirmUnits(era))} data-testid="models-units">
              {units === null ? <option value="">{MODELS.unitsChoose}</option> : null}
              {UNIT_ERAS.map((era) => (
                <option key={era} value={era}>
                  {UNIT_CHOICES[era]}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        {source.kind === 'stored' ? null : (
          <label title={precisionReason(report.info)}>
            <span>{MODELS.precision}</span>
            <select value={precision} onChange={(event) => PRECISIONS.filter((one) => one === event.target.value).forEach((one) => quietly(session.choosePrecision(one)))} data-testid="models-precision">
              {PRECISIONS.map((one) => (
                <option key={one} value={one}>
                  {PRECISION_CHOICES[one]}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <div className="models-row models-go">
        <button type="button" className="button button-accent" disabled={stops.length > 0} onClick={() => quietly(session.loadCandidate())} data-testid="models-load">
          {MODELS.load}
        </button>
        <button type="button" className="button" onClick={() => quietly(session.lookAt(source))} data-testid="models-again">
          {MODELS.again}
        </button>
      </div>
    </section>
  );
}

/** What stops it first, then what is worth knowing. */
function rank({ level }: PreflightLine): number {
  return level === 'stop' ? 0 : level === 'note' ? 1 : 2;
}

function Line({ line }: { readonly line: PreflightLine }) {
  const { said, fix } = preflightWords(line);
  return (
    <li className={`models-line models-${line.level}`} data-finding={line.finding} data-level={line.level}>
      <span className="models-mark" aria-label={LEVEL_LABELS[line.level]} role="img">
        {MARKS[line.level]}
      </span>
      <span>
        {said}
        {fix === null ? null : <em>{fix}</em>}
      </span>
    </li>
  );
}

function Cameras({ cameras, candidate }: { readonly cameras: PolicyInfo['cameras']; readonly candidate: Extract<Candidate, { readonly kind: 'looked' }> }) {
  const session = useSession();
  const { scene } = useNoun('world');
  const { places } = useNoun('cameras');
  const present = [...new Set([...(scene?.description.cameras.map(({ key }) => key) ?? []), ...Object.keys(places)])];
  return (
    <div className="models-cameras">
      <h3>{MODELS.cameras}</h3>
      <p className="quiet">{MODELS.camerasLead}</p>
      <div className="models-chips">
        {present.map((name) => (
          <span key={name} className="chip models-chip" draggable onDragStart={(event) => event.dataTransfer.setData('text/plain', name)}>
            {cameraLabel(name)}
          </span>
        ))}
      </div>
      {cameras.map((slot) => {
        const chosen = slot.key in candidate.wiring ? candidate.wiring[slot.key] : present.includes(slot.robotKey) ? slot.robotKey : undefined;
        const value = chosen === null ? 'none' : (chosen ?? '');
        return (
          <label
            key={slot.key}
            className="models-slot"
            onDragOver={(event) => event.preventDefault()}
            onDrop={(event) => {
              event.preventDefault();
              event.stopPropagation();
              const name = event.dataTransfer.getData('text/plain');
              if (present.includes(name)) session.wire(slot.key, name);
            }}
          >
            <span>
              {slot.key.replace(/^observation\.images\./, '')} <small className="quiet numeric">{`${slot.width} × ${slot.height}`}</small>
            </span>
            <select value={value} onChange={(event) => session.wire(slot.key, event.target.value === 'none' ? null : event.target.value)} data-testid={`models-slot-${slot.key}`}>
              {value === '' ? <option value="">{MODELS.notChosen}</option> : null}
              {present.map((name) => (
                <option key={name} value={name}>
                  {cameraLabel(name)}
                </option>
              ))}
              <option value="none">{MODELS.leftOut}</option>
            </select>
          </label>
        );
      })}
    </div>
  );
}
