/** Which half of a profile is in force: an arm of servos, also a virtual one, is treated as a real one. */
import type { ArmKind } from '#contracts/control.ts';
import type { MotionProfile, SafetyProfile } from '#contracts/safety.ts';

export function motionInForce(profile: SafetyProfile | null, kind: ArmKind | null): MotionProfile | null {
  if (profile === null) return null;
  return kind === 'serial' || kind === 'virtual' ? profile.real : profile.simulated;
}
