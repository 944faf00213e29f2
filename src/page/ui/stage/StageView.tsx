/** The stage: the 3-D view, failure cards over it, and the table's few controls. */
import { useRef } from 'react';
import { JOG_AREA } from '../joints/use-jog.ts';
import { Failures } from '../failures/Failures.tsx';
import { TableControls } from './TableControls.tsx';
import { STAGE } from '../../words/panels.ts';
import './stage.css';

export function StageView() {
  const place = useRef<HTMLDivElement>(null);
  return (
    <div className="stage">
      <div ref={place} className="stage-view" tabIndex={0} role="application" aria-label={STAGE.label} data-testid="stage" {...{ [JOG_AREA]: '' }} />
      <Failures />
      <TableControls />
    </div>
  );
}
