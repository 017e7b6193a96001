import type { ScannedLocation } from '../contract/source-reader.js'
import { FileFault } from '../forms/file-fault.js'
import { ParsingEnded } from '../parsing/parsing-thread.js'
import { type FileStamp, readFileStamp } from './file-stamp.js'
import type { FolderCache } from './folder-cache.js'
import { failedLocation, type ReadingRules } from './read-location.js'
import type { VerifiedLocations } from './verified-locations.js'
import type { FoundLocation } from './walk-folder.js'

/** One scan of a folder. */
export interface ScanOptions {
  /** Real path. */
  readonly root: string
  readonly folders: FolderCache
  readonly verified: VerifiedLocations
  readonly rules: ReadingRules
  /** Grows from scan to scan. */
  readonly number: number
  readonly whole: boolean
  readonly known: (location: string) => string | undefined
  readonly signal: AbortSignal
}

export type FoundFile = Extract<FoundLocation, { type: 'file' | 'archive' }>

/** Turns an error into a failed location. @throws errors that are not about the file */
export function failedScan(location: string, error: unknown, options: ScanOptions): ScannedLocation {
  options.signal.throwIfAborted()
  if (error instanceof ParsingEnded) throw error
  return failedLocation(
    location,
    error instanceof FileFault ? error.message : `cannot be read: ${(error as Error).message}`,
  )
}

/** A stamp that was written under the same rules. */
export function usableStamp(stamp: string | undefined, options: ScanOptions): FileStamp | undefined {
  const read = stamp === undefined ? undefined : readFileStamp(stamp)
  return read?.by === options.rules.by ? read : undefined
}

/** Several unchanged locations as one. */
export function together([location, ...also]: readonly string[]): ScannedLocation {
  return { location: location!, unchanged: true, also }
}
