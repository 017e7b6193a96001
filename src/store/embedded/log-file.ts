import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** A log on the disk that never grows beyond twice `limit` bytes: the present file, and the one before it as `.1`. */
export interface LogFile {
  write(line: string): void
  close(): void
}

/**
 * Opens the log for appending.
 * @param limit bytes after which a new file is begun
 * @param failed is told once when a line cannot be written (disk full, say); lines are then dropped until one can
 */
export function openLogFile(path: string, failed: (error: Error) => void, limit = 4 * 1024 * 1024): LogFile {
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
        if (!failing) failed(error as Error)
        failing = true
      }
    },
    close: () => closeSync(handle),
  }
}
