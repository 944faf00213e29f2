/**
 * Rule: the target runs no further ahead of the arm than a free arm is behind it. A servo turns what it is behind into
 * speed, so the way between where a corner of the arm is and where it was told to be is motion put by: nothing happens while
 * something holds the arm, and all of it happens at once when that lets go.
 *
 *     free      arm ──lag──► target                      behind because it moves: the lag of its servos, and their sag
 *     held      arm ─────────────────────► target        the rest would be thrown: the target waits here for the arm
 *
 * Measured at the corners and not joint by joint, because their speed is what is limited: a joint may be far behind where
 * little hangs on it, and joints that turn against each other make up for each other's lag. The jaw is left out: to grip is to
 * want more than the object lets it have.
 *
 * The rule only ever waits. It asks nothing back, so a target that stands stays where it is, and braking is always allowed:
 * a target that runs into the bound goes on by its braking distance.
 */
export interface Servo {
  /** How long a servo takes to get where it is told, seconds. */
  readonly lagSeconds: number;
  /** Where torque runs out it falls back further, with the square of the speed: s^2 / m. */
  readonly weakness: number;
  /** How far a corner hangs under the arm's own weight, metres. */
  readonly sagM: number;
}

/**
 * Measured on sweeps at the limits of each profile in free air, the largest lead of a corner, against what is allowed here:
 *
 *     mm/s        100     250     500    1000
 *     30 Hz       8.8    17.2    37.1   106      mm led
 *                12.8    26.5    54.2   128      mm allowed
 *     100 Hz      7.5    14.6    26.4    84      mm led
 *                10.5    20.6    42.5   105      mm allowed
 *
 * The scripted expert leads by 14.8 mm at most while it touches nothing.
 */
export const SIMULATED_SERVO: Servo = { lagSeconds: 0.04, weakness: 0.05, sagM: 0.005 };
/**
 * Not measured: wide on purpose, because a bound below what gravity takes would hold the arm for ever. Three degrees of sag in
 * shoulder and elbow are 35 mm at the tip of a stretched arm; the wire and the servo's own ramp take a tenth of a second.
 */
export const METAL_SERVO: Servo = { lagSeconds: 0.15, weakness: 0.05, sagM: 0.05 };

/** Metres that a corner may lead, where no corner may go faster than `speed` (m/s) and the arm was read `ageSeconds` ago. */
export function leadAllowed(speed: number, servo: Servo, tickSeconds: number, ageSeconds: number): number {
  return servo.sagM + speed * (servo.lagSeconds + tickSeconds + ageSeconds) + servo.weakness * speed * speed;
}
