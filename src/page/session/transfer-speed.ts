/** How fast bytes come in, from how many there are now and then. Knows no file: fewer bytes than before are another one. */

/** Speed over this long: shorter jumps about, longer lags behind a changed network. */
const WINDOW_MS = 8000;
/** The first packets say nothing of what follows. */
const LEAST_MS = 500;

/** Tell it the bytes so far; it answers bytes a second over the last seconds, null until there is something to tell. */
export function transferSpeed(): (nowMs: number, doneBytes: number) => number | null {
  let seen: readonly { readonly atMs: number; readonly bytes: number }[] = [];
  return (nowMs, doneBytes) => {
    const last = seen.at(-1);
    const sameFile = last === undefined || last.bytes <= doneBytes ? seen : [];
    seen = [...sameFile.filter(({ atMs }) => atMs > nowMs - WINDOW_MS), { atMs: nowMs, bytes: doneBytes }];
    const first = seen[0];
    if (first === undefined || nowMs - first.atMs <= LEAST_MS) return null;
    return ((doneBytes - first.bytes) / (nowMs - first.atMs)) * 1000;
  };
}
