import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** A log on disk of at most twice `limit` bytes: the current file, and the previous one with the suffix `.1`. */
export interface LogFile {
  write(line: string): void
  close(): void
}

/**
 * Opens the log for appending. A line that cannot be written, for example because the disk is full, is dropped.
 * @param onError is called for the first of such lines in a row
 * @param limit size in bytes after which a new file begins
 */
export function openLogFile(path: string, onError: (error: Error) => void, limit = 4 * 1024 * 1024): LogFile {
  let handle = openSync(path, 'a', 0o600)
  let size = fstatSync(handle).size
  let failing = false
  return {
    write(line) {
      try {
        if (size > limit) {
          renameSync(path, `${path}.1`)
          const next = openSync(path, 'a', 0o600)
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
