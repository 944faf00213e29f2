/**
 * Times that cross a worker wall are milliseconds since the Unix epoch, from `performance.timeOrigin +
 * performance.now()`: monotonic inside a thread and comparable between the threads of one page. Every loop is handed
 * a clock; nothing else asks for the time.
 */
export interface Clock {
  nowMs(): number;
  /** Resolves at or after the given time. A manual clock resolves when it is advanced. */
  sleepUntil(atMs: number): Promise<void>;
}
