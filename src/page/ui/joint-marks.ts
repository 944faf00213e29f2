/**
 * How each joint is marked wherever it appears: a colour (Okabe and Ito's set, made to be told apart by colour-blind
 * people) and the motor number, so that nothing hangs on colour alone. JOINT_NAMES order.
 */
export const JOINT_MARKS: readonly { readonly colour: string; readonly number: number; readonly keys: readonly [less: string, more: string] }[] = [
  { colour: 'var(--joint-1)', number: 1, keys: ['KeyA', 'KeyQ'] },
  { colour: 'var(--joint-2)', number: 2, keys: ['KeyS', 'KeyW'] },
  { colour: 'var(--joint-3)', number: 3, keys: ['KeyD', 'KeyE'] },
  { colour: 'var(--joint-4)', number: 4, keys: ['KeyF', 'KeyR'] },
  { colour: 'var(--joint-5)', number: 5, keys: ['KeyG', 'KeyT'] },
  { colour: 'var(--joint-6)', number: 6, keys: ['KeyH', 'KeyY'] },
];
