/** The six joints of an SO-100 / SO-101 in LeRobot's order (motor ids 1 to 6). */
export const JOINT_NAMES = ['shoulder_pan', 'shoulder_lift', 'elbow_flex', 'wrist_flex', 'wrist_roll', 'gripper'] as const;

export type JointName = (typeof JOINT_NAMES)[number];

export const JOINT_COUNT = JOINT_NAMES.length;

/** Index of the gripper in every joint vector. */
export const GRIPPER_INDEX = 5;
