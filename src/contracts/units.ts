/**
 * Units that must never be mixed, as branded types.
 *
 * Three vocabularies meet in this project and look alike to a compiler that only sees `number`:
 *
 *   policies speak  LeRobot joint units   degrees for the five arm joints, 0..100 for the gripper
 *   robots speak    radians               zero and sign as LeRobot's, the jaw measured as an angle
 *   servos speak    ticks                 4096 to a turn
 *
 * A brand exists only at compile time. Each conversion between two of them lives in `core/robots` and nowhere else.
 */

declare const unit: unique symbol;

/** `Base` that remembers what it measures. */
export type Unit<Base, Name extends string> = Base & { readonly [unit]: Name };

export type Radians = Unit<number, 'radians'>;
/** One servo step, 1/4096 of a turn. */
export type Ticks = Unit<number, 'ticks'>;
/** LeRobot >= 0.4.4: degrees for arm joints, 0..100 for the gripper. */
export type JointUnits = Unit<number, 'joint units'>;

/** One value a joint, in the order of `JOINT_NAMES`. Never shared by reference across rooms: copy on the way in. */
export type JointRadians = Unit<Float64Array, 'radians'>;
/** One value a joint, in the order of `JOINT_NAMES`, as LeRobot's datasets and policies write them. */
export type JointUnitsVector = Unit<Float64Array, 'joint units'>;
