/** The log on the browser's console. The one shipped file that names it. */
import type { Log } from './log.ts';

/** `part` says who speaks: `control`, `world`. */
export function consoleLog(part: string): Log {
  return {
    write(level, event, facts = {}) {
      const method = level === 'info' ? 'info' : level === 'warning' ? 'warn' : 'error';
      // eslint-disable-next-line no-console
      console[method](`[${part}] ${event}`, facts);
    },
  };
}
