import { type Logger, pino } from 'pino'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type Log = Logger

/** JSON lines on stderr: stdout belongs to the one line that says where the gateway is. */
export function createLog(level: LogLevel): Log {
  return pino({ level, base: null }, pino.destination({ fd: 2, sync: true }))
}
