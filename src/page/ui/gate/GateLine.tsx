/**
 * Under the stage, always in sight: what was wanted and what was allowed in the last seconds, and in one sentence why they
 * differ. The sentence stays for a while after its reason has gone, so that it can be read.
 */
import { useEffect, useRef, useState } from 'react';
import type { TickReport } from '#contracts/control.ts';
import { heldBack, tickMotion, WINDOW_TICKS, type HeldBack, type TickMotion } from '#page/session/held-back.ts';
import { GATE, whyHeld, whyLimited } from '#page/words/safety.ts';
import { useNoun, useSession } from '../context.ts';
import { motionInForce } from '../limits/motion.ts';
import './gate.css';

/** Four seconds at 30 Hz. */
const SHOWN = 120;
const WIDTH = 360;
const HEIGHT = 36;
/** Radians in a tick that fill the strip; more is cut off. The speed limit of the simulated arm is 0.067. */
const FULL_RAD = 0.11;
const STAYS_MS = 1500;

export function GateLine() {
  const session = useSession();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [why, setWhy] = useState<HeldBack>({ kind: 'free' });
  useEffect(() => {
    let ticks: readonly TickReport[] = [];
    let motions: readonly TickMotion[] = [];
    let before: readonly number[] | null = null;
    let saidAtMs = 0;
    let said: HeldBack = { kind: 'free' };
    return session.events.on('ticks', (more) => {
      for (const tick of more) {
        motions = [...motions.slice(1 - SHOWN), tickMotion(tick, before)];
        before = tick.target;
      }
      ticks = [...ticks, ...more].slice(-WINDOW_TICKS);
      if (canvas.current !== null) draw(canvas.current, motions);
      const now = heldBack(ticks);
      const atMs = performance.now();
      // A hold is said at once; anything else when the last thing said could be read.
      if (sameReason(now, said) || (now.kind !== 'held' && said.kind !== 'free' && atMs - saidAtMs < STAYS_MS)) {
        if (sameReason(now, said)) saidAtMs = atMs;
        return;
      }
      said = now;
      saidAtMs = atMs;
      setWhy(now);
    });
  }, [session]);
  return (
    <div className="gate-line" data-kind={why.kind}>
      <canvas ref={canvas} width={WIDTH} height={HEIGHT} role="img" aria-label={GATE.strip} title={GATE.strip} />
      <Why why={why} />
      <p className="gate-legend quiet" aria-hidden="true">
        <i data-of="allowed" /> {GATE.allowed} <i data-of="limited" /> {GATE.limited} <i data-of="refused" /> {GATE.refused}
      </p>
    </div>
  );
}

function Why({ why }: { readonly why: HeldBack }) {
  const { profile } = useNoun('safety');
  const { kind } = useNoun('arm');
  const run = useNoun('run');
  const { drive } = useNoun('options');
  const shadow = run.kind === 'running' && run.activity === 'run' && drive === 'shadow';
  const motion = motionInForce(profile, kind);
  const text = shadow ? GATE.shadow : why.kind === 'free' ? GATE.free : why.kind === 'held' ? whyHeld(why.rule) : whyLimited({ rule: why.rule, joint: why.joint, profile, motion });
  return (
    <p className="gate-why" aria-live="polite" data-testid="why" data-rule={why.kind === 'free' || shadow ? 'none' : why.rule}>
      {text}
    </p>
  );
}

function sameReason(a: HeldBack, b: HeldBack): boolean {
  return a.kind === b.kind && (a.kind === 'free' || b.kind === 'free' || (a.rule === b.rule && (a.kind === 'held' || b.kind === 'held' || a.joint === b.joint)));
}

function draw(canvas: HTMLCanvasElement, motions: readonly TickMotion[]): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const style = getComputedStyle(canvas);
  const step = WIDTH / SHOWN;
  const tall = (radians: number): number => Math.min(1, Math.sqrt(Math.min(radians, FULL_RAD) / FULL_RAD)) * HEIGHT;
  context.clearRect(0, 0, WIDTH, HEIGHT);
  motions.forEach(({ wanted, allowed, kind }, k) => {
    const x = (SHOWN - motions.length + k) * step;
    const top = tall(wanted);
    const done = Math.min(tall(allowed), kind === 'free' ? HEIGHT : top);
    context.fillStyle = style.getPropertyValue('--line');
    context.fillRect(x, HEIGHT - 1, step - 0.6, 1);
    if (kind !== 'free' && top > done) {
      context.fillStyle = style.getPropertyValue(kind === 'held' ? '--strip-refused' : '--strip-limited');
      context.fillRect(x, HEIGHT - Math.max(3, top), step - 0.6, Math.max(3, top) - done);
    }
    context.fillStyle = style.getPropertyValue('--strip-allowed');
    context.fillRect(x, HEIGHT - done, step - 0.6, done);
  });
}
