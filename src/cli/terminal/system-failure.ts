import { getSystemErrorMap } from 'node:util'
import { CommandFailure, EXIT, type ForeignCode } from './command-failure.js'

/** The reader of standard output is gone, as in `| head`. Nobody is left for a report, so the command ends quietly. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

/** The failure of a command whose standard output cannot be written. */
export function outputFailure(error: Error): Error {
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') return new OutputClosed()
  return systemFailure('Standard output cannot be written', error)
}

/**
 * One line for a failed call of the operating system, such as `x cannot be written: no space left on device (ENOSPC)`. An
 * error of another origin is returned unchanged.
 */
export function systemFailure(what: string, error: unknown): Error {
  if (!isSystemError(error)) return error as Error
  return new CommandFailure(EXIT.refused, `${what}: ${systemReason(error)}`, error.code as ForeignCode)
}

type SystemError = Error & { readonly code: string; readonly errno: number }

function isSystemError(error: unknown): error is SystemError {
  const { code, errno, syscall } = (error ?? {}) as NodeJS.ErrnoException
  return typeof code === 'string' && typeof errno === 'number' && typeof syscall === 'string'
}

function systemReason({ code, errno, message }: SystemError): string {
  const words = getSystemErrorMap().get(errno)?.[1]
  return words === undefined ? message : `${words} (${code})`
}
