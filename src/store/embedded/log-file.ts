import { closeSync, constants, fstatSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'

/** A log on disk of at most twice `limit` bytes: the current file, and the previous one with the suffix `.1`. */
export interface LogFile {
  write(line: string): void
  close(): void
}

/**
 * Opens the log for appending. A line that cannot be written, for example because the disk is full, is dropped.
 * @param onError is called for the first of such lines in a row
 * @param limit size in bytes after which a new file begins
 * @throws EmbeddedUnavailable if the file cannot be opened
 */
export function openLogFile(path: string, onError: (error: Error) => void, limit = 4 * 1024 * 1024): LogFile {
  let handle = openForAppending(path)
  let size = fstatSync(handle).size
  let failing = false
  return {
    write(line) {
      try {
        if (size > limit) {
          renameSync(path, `${path}.1`)
          const next = openForAppending(path)
          closeSync(handle)
          handle = next
          size = 0
        }
        size += writeSync(handle, `${line}\n`)
        failing = false
      } catch (error) {
        if (!failing) onError(error as Error)
        failing = true
      }
    },
    close: () => closeSync(handle),
  }
}

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants

/**
 * Opens a plain file. Anything else with its name is removed first: older gateways that ran as root let the server's user
 * own the folder, who might have put a link there that leads root to another file.
 */
function openForAppending(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false })
  const isPlain = found?.isFile() === true && found.nlink === 1
  try {
    if (found !== undefined && !isPlain) rmSync(path)
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | (isPlain ? 0 : O_EXCL), 0o600)
  } catch (cause) {
    throw new EmbeddedUnavailable(
      `${path} cannot be opened for writing (${(cause as Error).message}); remove it, or ${DATABASE_URL_HINT}`,
      { cause },
    )
  }
}
