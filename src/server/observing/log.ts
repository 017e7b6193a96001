import { type Logger, pino } from 'pino'
import { escapeHidden } from '../../core/entry/hidden-characters.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type Log = Logger

/** Writes JSON lines to stderr. stdout is reserved for the line with the gateway's URLs. */
export function createLog(level: LogLevel, fd = 2): Log {
  const stderr = pino.destination({ fd, sync: true })
  // A full disk or a closed pipe loses lines of the log. Without a listener it would end the gateway.
  stderr.on('error', () => undefined)
  // Lines hold names and messages of clients, and people read them in terminals.
  return pino({ level, base: null }, { write: (line) => void stderr.write(escapeHidden(line)) })
}
