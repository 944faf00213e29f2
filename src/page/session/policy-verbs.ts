/**
 * Loading a policy: conversion puts it into the model store, inference takes it from there. The newest request wins;
 * what an older one still brings is dropped. When the inference worker was started again, the policy is loaded again;
 * where its graphics device is gone, loading starts it again.
 */
import type { ActionHead, PolicyFit, PolicySource } from '#contracts/policy.ts';
import { asFailure, FailureError, unwrap } from '#core/lib/failure.ts';
import type { SessionContext } from './context.ts';
import { withWeights } from './precision.ts';
import type { PolicyState } from './stores.ts';
import { transferSpeed } from './transfer-speed.ts';

/** What ships with the page. */
export const SHIPPED_POLICIES: readonly PolicySource[] = [{ kind: 'shipped', name: 'policies/pocket' }];

/** The same eyes and words with each head; all but the first are fetched when somebody asks for them. */
export const SHIPPED_HEADS: Readonly<Record<ActionHead, string>> = { flow: 'policies/pocket', diffusion: 'policies/pocket-diffusion', bins: 'policies/pocket-bins' };

export type ReadyPolicy = Extract<PolicyState, { readonly kind: 'ready' }>;

type Prepared = Pick<ReadyPolicy, 'engine'> & { readonly policy: ReadyPolicy['info'] };

export interface PolicyVerbs {
  /** Rejects with what conversion or inference found wrong. */
  load(source: PolicySource, fit?: PolicyFit): Promise<ReadyPolicy>;
  /** The policy that is ready, being waited for, or loaded now. */
  ensure(): Promise<ReadyPolicy>;
}

export function policyVerbs(context: SessionContext): PolicyVerbs {
  const { house, stores, events, clock, engineChoice } = context;
  let current: { readonly request: number; readonly result: Promise<ReadyPolicy> } | null = null;
  let requests = 0;

  const enter = (state: PolicyState): void => {
    stores.policy.setState(state, true);
    events.emit('policy', state);
  };

  /** While this verb itself renews the worker: the load that asked for it goes on, no second one is needed. */
  let renewing: 'yes' | 'no' = 'no';

  /** One at a time: renewing the worker under another load would leave that one without an answer. */
  let turn: Promise<unknown> = Promise.resolve();
  const prepare = (storedName: string, fit: PolicyFit): Promise<Prepared> => {
    const mine = turn.then(() => prepareNow(storedName, fit));
    turn = mine.catch(() => undefined);
    return mine;
  };

  /** A worker whose graphics device is gone opens no other one. A fresh worker does. */
  const prepareNow = async (storedName: string, fit: PolicyFit): Promise<Prepared> => {
    const first = await house.inference.api.load(storedName, engineChoice, fit);
    if (first.ok || first.failure.code !== 'engine/device-lost') return unwrap(first);
    renewing = 'yes';
    try {
      house.inference.restart();
      return unwrap(await house.inference.api.load(storedName, engineChoice, fit));
    } finally {
      renewing = 'no';
    }
  };

  const work = async (asked: PolicySource, fit: PolicyFit, request: number): Promise<ReadyPolicy> => {
    const isCurrent = (): boolean => request === requests;
    let source = asked;
    enter({ kind: 'loading', source, startedAtMs: clock.nowMs(), progress: null, bytesPerSecond: null });
    try {
      source = await withWeights(asked, async () => unwrap(await house.inference.api.likely(engineChoice)));
      const { storedName } = unwrap(await house.conversion.api.convert(source));
      const { policy, engine } = await prepare(storedName, fit);
      const ready: ReadyPolicy = { kind: 'ready', source, fit, storedName, info: policy, engine };
      if (isCurrent()) {
        context.failures.clear(['policy/none-loaded']);
        enter(ready);
      }
      return ready;
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (isCurrent()) {
        enter({ kind: 'failed', source, failure });
        // Who cancelled it knows.
        if (failure.code !== 'download/cancelled') context.report(failure);
      }
      throw new FailureError(failure.code, failure.facts);
    }
  };

  /** The last fit a source was loaded with: loaded again after a crash it must not see through other cameras. */
  let lastFit: PolicyFit = {};

  const load = (source: PolicySource, fit: PolicyFit = {}): Promise<ReadyPolicy> => {
    lastFit = fit;
    const request = ++requests;
    const result = work(source, fit, request);
    // Whoever asked hears of a failure; the copy kept here must not count as one that nobody handled.
    result.catch(() => undefined);
    current = { request, result };
    return result;
  };

  const speed = transferSpeed();
  house.onProgress((progress) => {
    const state = stores.policy.getState();
    const bytesPerSecond = progress.phase === 'fetch' ? speed(clock.nowMs(), progress.doneBytes) : null;
    if (state.kind === 'loading') stores.policy.setState({ ...state, progress, bytesPerSecond }, true);
  });

  house.inference.onState((worker) => {
    const state = stores.policy.getState();
    if (worker.kind === 'alive' && worker.attempt > 1 && state.kind !== 'none' && renewing === 'no') load(state.source, lastFit).catch(() => undefined);
  });

  return {
    load,
    ensure() {
      const state = stores.policy.getState();
      if (current === null || state.kind === 'none') return load(SHIPPED_POLICIES[0] as PolicySource);
      if (state.kind === 'failed') return load(state.source, lastFit);
      return current.result;
    },
  };
}
