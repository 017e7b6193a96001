import { type Logger, pino } from 'pino'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type Log = Logger

/** Writes JSON lines to stderr. stdout is reserved for the line with the gateway's URLs. */
export function createLog(level: LogLevel): Log {
  const stderr = pino.destination({ fd: 2, sync: true })
  // A full disk or a closed pipe loses lines of the log. Without a listener it would end the gateway.
  stderr.on('error', () => undefined)
  return pino({ level, base: null }, stderr)
}
