/**
 * When to ask for the next chunk: early enough that it arrives while the current one still plays, one request at a time,
 * and not again at once after a failure. Knows nothing of what is asked or how; the time is handed in.
 */
export interface AskingSettings {
  /** Ask when at most this share of the current chunk is left, 0..1 (LeRobot's chunk_size_threshold, default 0.5). */
  readonly askAtShare: number;
  /** A request without an answer for this long is given up. */
  readonly timeoutMs: number;
  /** Pause after a failure or a timeout, so that a broken camera is not asked thirty times a second. */
  readonly retryAfterMs: number;
}

export interface Asking {
  /** The id of a request to send now, or null. `chunkRows` is the size of the chunk being played, 0 before the first. */
  next(state: { readonly nowMs: number; readonly rowsLeft: number; readonly chunkRows: number }): number | null;
  /** True when this answer was being waited for. */
  answered(requestId: number): boolean;
  failed(requestId: number, nowMs: number): boolean;
  /** Gives up an overdue request: how long it waited, or null when none is overdue. */
  overdue(nowMs: number): number | null;
  /** Forgets the request that is out: whoever was asked is gone. */
  forget(): void;
}

export function asking(settings: AskingSettings): Asking {
  let lastId = 0;
  let out: { readonly id: number; readonly atMs: number } | null = null;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  return {
    next({ nowMs, rowsLeft, chunkRows }) {
      if (out !== null || nowMs < notBeforeMs) return null;
      if (chunkRows > 0 && rowsLeft > settings.askAtShare * chunkRows) return null;
      out = { id: ++lastId, atMs: nowMs };
      return lastId;
    },
    answered(requestId) {
      if (out?.id !== requestId) return false;
      out = null;
      return true;
    },
    failed(requestId, nowMs) {
      if (out?.id !== requestId) return false;
      out = null;
      notBeforeMs = nowMs + settings.retryAfterMs;
      return true;
    },
    overdue(nowMs) {
      if (out === null || nowMs - out.atMs <= settings.timeoutMs) return null;
      const waitedMs = nowMs - out.atMs;
      out = null;
      notBeforeMs = nowMs + settings.retryAfterMs;
      return waitedMs;
    },
    forget() {
      out = null;
    },
  };
}
