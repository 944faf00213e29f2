/** The stage: the 3-D view, failure cards over it, and the table's few controls. */
import { useEffect, useRef } from 'react';
import type { SafetyBox } from '#contracts/safety.ts';
import type { SceneDescription } from '#contracts/scene.ts';
import { asFailure } from '#core/lib/failure.ts';
import { sceneFor } from '#page/stage/first-scene.ts';
import { createStage, type Stage } from '#page/stage/stage.ts';
import type { Session } from '#page/session/session.ts';
import { useUi } from '../context.ts';
import { Failures } from '../failures/Failures.tsx';
import { highlighted } from '../highlight.ts';
import { JOG_AREA } from '../joints/use-jog.ts';
import { TableControls } from './TableControls.tsx';
import { STAGE } from '#page/words/panels.ts';
import './stage.css';

export function StageView() {
  const { session, first } = useUi();
  const place = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (place.current === null) return;
    const description = session.stores.world.getState().scene?.description ?? sceneFor(first.reset);
    return showStage(session, place.current, description);
  }, [session, first]);

  return (
    <div className="stage">
      <div ref={place} className="stage-view" data-testid="stage" {...{ [JOG_AREA]: '' }} />
      <Failures />
      <TableControls />
    </div>
  );
}

/** Puts the imperative stage into its place and keeps it up to date without React. Returns how to take it away. */
function showStage(session: Session, container: HTMLElement, description: SceneDescription): (() => void) | undefined {
  let stage: Stage;
  try {
    stage = createStage({ container, description, poses: session.poses, label: STAGE.label, onContext: (state) => tellContext(session, state) });
  } catch (thrown) {
    session.reportFailure(asFailure(thrown));
    return undefined;
  }
  const offs = [
    session.events.on('world', (scene) => stage.setScene(scene.description)),
    session.events.on('twin', (angles) => stage.setArm(angles)),
    session.events.on('coming', (coming) => stage.setGhost(coming?.path ?? null, coming?.rules.map((rules) => rules.length > 0))),
    showLimits(session, stage),
    highlighted.subscribe((joint) => stage.highlightJoint(joint)),
  ];
  return () => {
    for (const off of offs) off();
    stage.dispose();
  };
}

/** The limits in force, drawn while a person wants to see them; where they are not locked, to be dragged. */
function showLimits(session: Session, stage: Stage): () => void {
  const show = (): void => {
    const { profile, limits } = session.stores.safety.getState();
    if (profile === null || limits === 'hidden') return stage.setLimits(null);
    const { workspace, keepOut, lock } = profile;
    const onWorkspace = (box: SafetyBox): void => {
      session.safety.setWorkspace(box).catch((thrown: unknown) => {
        session.reportFailure(asFailure(thrown));
        show();
      });
    };
    stage.setLimits({ workspace, keepOut, ...(lock === 'open' ? { onWorkspace } : {}) });
  };
  show();
  return session.stores.safety.subscribe(show);
}

function tellContext(session: Session, state: 'lost' | 'restored'): void {
  if (state === 'lost') {
    session.reportFailure({ code: 'world/context-lost', facts: { camera: 'view' } });
    return;
  }
  for (const { id, failure } of session.stores.failures.getState()) {
    if (failure.code === 'world/context-lost' && failure.facts['camera'] === 'view') session.dismissFailure(id);
  }
}
