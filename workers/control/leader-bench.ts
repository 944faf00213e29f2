/**
 * A second arm beside the one that moves: found by the hand that moves it, then read fifty times a second. Until a joint of one arm has
 * moved and no other arm's has, nothing is written to any of them. It hands out where the leader stands; what the follower makes of that
 * is the loop's and the gate's.
 */
import { JOINT_NAMES } from '#contracts/joints.ts';
import type { LeaderCandidate, LeaderView } from '#contracts/leader.ts';
import type { Reading } from '#contracts/reading.ts';
import type { SerialAdapter } from '#contracts/serial.ts';
import type { Clock } from '#contracts/time.ts';
import type { JointRadians } from '#contracts/units.ts';
import { createBus, type Bus } from '#core/arm/serial/feetech/bus.ts';
import { BAUD_BY_CODE, decodeRegister, REGISTERS } from '#core/arm/serial/feetech/registers.ts';
import { openLeader, type Leader } from '#core/arm/serial/leader.ts';
import { createWiggle, type Wiggle } from '#core/arm/serial/wiggle.ts';
import { asFailure, FailureError } from '#core/lib/failure.ts';
import { unreachable } from '#core/lib/never.ts';
import type { FreePort } from './serial-port.ts';

/** 50 Hz: twice in each tick of the loop, and 2 % of what the wire carries. */
const SAMPLE_MS = 20;
const BAUD = BAUD_BY_CODE[0] as number;
const IDS = JOINT_NAMES.map((_, i) => i + 1);
const POSITION = REGISTERS.presentPosition;
const TORQUE = REGISTERS.torqueEnable;
/** More arms than this on one computer are not looked through. */
const MOST_PORTS = 4;

interface Candidate {
  readonly port: FreePort;
  readonly adapter: SerialAdapter | null;
  /** Null where it did not open: another program has it. */
  readonly bus: Bus | null;
  state: LeaderCandidate['state'];
}

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'finding'; readonly candidates: readonly Candidate[]; wiggle: Wiggle; doubt: LeaderView['doubt'] }
  | { readonly kind: 'found'; readonly port: FreePort; readonly bus: Bus; readonly joint: number; readonly candidates: readonly LeaderCandidate[]; readonly index: number; readonly leader: Leader }
  | { readonly kind: 'failed'; readonly failure: FailureError };

export class LeaderBench {
  readonly #clock: Clock;
  #state: State = { kind: 'none' };
  /** Counts beginnings, so that an old pump notices that it is one. */
  #turn = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Opens what is free, and waits for a hand. Rejects with `arm/leader-missing`. */
  async find(ports: readonly FreePort[]): Promise<LeaderView> {
    await this.end();
    const turn = ++this.#turn;
    if (ports.length === 0) throw new FailureError('arm/leader-missing');
    const candidates: Candidate[] = [];
    for (const port of ports.slice(0, MOST_PORTS)) {
      const link = await port.open(BAUD).catch(() => null);
      candidates.push({ port, adapter: port.adapter, bus: link === null ? null : createBus(link, { clock: this.#clock, baud: BAUD }), state: 'silent' });
    }
    this.#state = { kind: 'finding', candidates, wiggle: createWiggle(candidates.length), doubt: 'none' };
    for (const candidate of candidates) candidate.state = await stateOf(candidate.bus);
    void this.#search(turn);
    return this.view('none');
  }

  /** `leads`: what the loop does with it. Throws what went wrong, once; then there is none. */
  view(leads: 'none' | 'approaching' | 'following'): LeaderView {
    const state = this.#state;
    switch (state.kind) {
      case 'none':
        throw new FailureError('arm/leader-missing');
      case 'failed':
        this.#state = { kind: 'none' };
        throw state.failure;
      case 'finding':
        return { step: 'finding', candidates: describe(state.candidates, state.wiggle), doubt: state.doubt, leader: null, joint: null, angles: null };
      case 'found': {
        const reading = state.leader.read(this.#clock.nowMs());
        return {
          step: leads === 'none' ? 'ready' : leads,
          candidates: state.candidates,
          doubt: 'none',
          leader: state.index,
          joint: state.joint,
          angles: reading.kind === 'fresh' ? Array.from(reading.value) : null,
        };
      }
      default:
        return unreachable(state);
    }
  }

  /** Where it stands, for whoever follows. Throws `arm/leader-missing`. */
  source(): (nowMs: number) => Reading<JointRadians> {
    const state = this.#state;
    if (state.kind !== 'found') throw new FailureError('arm/leader-missing');
    return (nowMs) => (this.#state === state ? state.leader.read(nowMs) : { kind: 'failed', failure: { code: 'arm/leader-missing', facts: {} } });
  }

  /** Somebody needs a port that is only being looked at: the looking ends, a leader that was found stays. */
  async leaveSearch(): Promise<void> {
    if (this.#state.kind === 'finding') await this.end();
  }

  async end(): Promise<void> {
    this.#turn++;
    const state = this.#state;
    this.#state = { kind: 'none' };
    if (state.kind === 'found') {
      state.port.giveBack();
      await state.bus.close();
    }
    if (state.kind === 'finding') for (const { bus } of state.candidates) await bus?.close();
  }

  /** Positions only, until one arm has moved and no other has. */
  async #search(turn: number): Promise<void> {
    try {
      while (this.#turn === turn) {
        const state = this.#state;
        if (state.kind !== 'finding') return;
        for (const [i, { bus }] of state.candidates.entries()) {
          if (bus === null) continue;
          const replies = await bus.syncRead(IDS, POSITION.address, POSITION.width, { attempts: 1 });
          state.wiggle.add(i, replies.map((reply) => (reply.kind === 'ok' ? decodeRegister('presentPosition', reply.data) : null)));
        }
        if (this.#turn !== turn) return;
        const verdict = state.wiggle.verdict();
        if (verdict.kind === 'both') {
          state.doubt = 'both-moved';
          state.wiggle = createWiggle(state.candidates.length);
        }
        if (verdict.kind === 'moved') {
          await this.#found(state, verdict.port, verdict.joint, turn);
          return;
        }
        await this.#clock.sleepUntil(this.#clock.nowMs() + SAMPLE_MS);
      }
    } catch (thrown) {
      await this.#fail(thrown, turn);
    }
  }

  async #found(state: State & { readonly kind: 'finding' }, index: number, joint: number, turn: number): Promise<void> {
    const chosen = state.candidates[index];
    if (chosen === undefined || chosen.bus === null) return;
    for (const other of state.candidates) if (other !== chosen) await other.bus?.close();
    const leader = await openLeader(chosen.bus, this.#clock, BAUD);
    await leader.sample();
    if (this.#turn !== turn) return;
    // From here on this port is the leader's: an arm that is connected takes another one.
    chosen.port.keep();
    const found: State = { kind: 'found', port: chosen.port, bus: chosen.bus, joint, index, leader, candidates: describe(state.candidates, state.wiggle) };
    this.#state = found;
    while (this.#turn === turn) {
      await this.#clock.sleepUntil(this.#clock.nowMs() + SAMPLE_MS);
      if (this.#turn !== turn) return;
      await leader.sample();
      if (!chosen.bus.open) throw new FailureError('arm/leader-lost', { reason: 'unplugged' });
    }
  }

  async #fail(thrown: unknown, turn: number): Promise<void> {
    if (this.#turn !== turn) return;
    await this.end();
    const { code, facts } = asFailure(thrown);
    this.#state = { kind: 'failed', failure: new FailureError(code, facts) };
  }
}

function describe(candidates: readonly Candidate[], wiggle: Wiggle): readonly LeaderCandidate[] {
  return candidates.map(({ adapter, state }, i) => ({ adapter, state, travelSteps: wiggle.travel(i) }));
}

/** Read, not written: an arm that somebody holds stays held. */
async function stateOf(bus: Bus | null): Promise<LeaderCandidate['state']> {
  if (bus === null) return 'silent';
  const replies = await bus.syncRead(IDS, TORQUE.address, TORQUE.width, { attempts: 2 });
  if (replies.some((reply) => reply.kind !== 'ok')) return 'silent';
  return replies.some((reply) => reply.kind === 'ok' && decodeRegister('torqueEnable', reply.data) !== 0) ? 'holds' : 'limp';
}
