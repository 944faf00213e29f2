/**
 * The log: an event by name, with facts. For engineers; what a person should know is a failure or a report, never a log
 * line. Whoever logs is handed a `Log`.
 */
import type { Fact } from '#contracts/failure.ts';

export type LogLevel = 'info' | 'warning' | 'error';

export interface Log {
  write(level: LogLevel, event: string, facts?: Readonly<Record<string, Fact>>): void;
}

/** For tests and for loops that nobody listens to. */
export const silentLog: Log = { write: () => undefined };
