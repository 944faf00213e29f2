/**
 * A leader arm, as the page asks for it and control answers: which port it is on, where it stands, and whether the follower goes along.
 * Nothing is written to any motor before a person has moved a joint of the leader by hand.
 */
import type { Outcome } from './failure.ts';
import type { SerialPlace } from './robot-setup.ts';
import type { SerialAdapter } from './serial.ts';

/** One arm that may be the leader. */
export interface LeaderCandidate {
  /** Null for virtual servos. */
  readonly adapter: SerialAdapter | null;
  /** `limp`: can be moved by hand. `holds`: a motor is on. `silent`: not six motors. */
  readonly state: 'limp' | 'holds' | 'silent';
  /** Furthest way of one of its joints since the looking began, servo steps. */
  readonly travelSteps: number;
}

export interface LeaderView {
  /** `finding`: waits for a hand. `ready`: known, limp, calibrated, and leads nobody. `approaching`: the follower goes to it slowly. */
  readonly step: 'finding' | 'ready' | 'approaching' | 'following';
  readonly candidates: readonly LeaderCandidate[];
  /** More than one arm moved: they are put down and one is moved again. */
  readonly doubt: 'none' | 'both-moved';
  /** Of `candidates`; null until one is known. */
  readonly leader: number | null;
  /** Joint that gave it away. */
  readonly joint: number | null;
  /** Where it stands now, radians about the calibrated middle; null where it is not known. */
  readonly angles: readonly number[] | null;
}

export interface LeaderApi {
  /**
   * Reads every allowed port that nobody here has open, until one joint of one arm moves. Writes nothing. Rejects with `serial/...`,
   * `arm/leader-missing` where no other arm is plugged in.
   */
  leaderFind(place: SerialPlace['kind']): Promise<Outcome<LeaderView>>;
  /** Rejects with what went wrong meanwhile: `arm/servo-lost`, `arm/refused` (not calibrated), `arm/leader-lost`; `arm/leader-missing` when nobody looks for one. */
  leaderView(): Promise<Outcome<LeaderView>>;
  /** From now on the follower goes where the leader is: first slowly until it is there, then with it, through every limit. Rejects with `control/busy`, `arm/leader-missing`, `arm/not-connected`. */
  leaderFollow(): Promise<Outcome<null>>;
  /** The follower holds where it is. */
  leaderRest(): Promise<Outcome<null>>;
  /** The follower holds, the leader's port is given back, and which one it was is forgotten. */
  leaderEnd(): Promise<Outcome<null>>;
  /** Virtual leader only: a hand puts its joints here, radians. */
  virtualLeader(pose: readonly number[]): Promise<Outcome<null>>;
}
