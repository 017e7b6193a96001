import type { SourceFailure } from '../contract/source-failure.js'
import type { ScannedLocation } from '../contract/source-reader.js'
import { decodeText } from '../forms/decode-text.js'
import type { ParsingRules } from '../parsing/parse-job.js'
import type { ParseResult, ParsingThread } from '../parsing/parsing-thread.js'
import { writeFileStamp } from './file-stamp.js'
import type { FilesystemLimits } from './filesystem-limits.js'
import type { IncludedFiles } from './included-files.js'
import { contentHash, type FileContent, type LinkRules } from './read-inside.js'

/** The rules of one scan. */
export interface ReadingRules {
  /** Fingerprint of the form, the schemas and the limits. Locations with another one are read again. */
  readonly by: string
  readonly parsing: ParsingRules
  readonly thread: ParsingThread
  readonly limits: FilesystemLimits
  readonly links: LinkRules
  /** Files that exceeded the limits of parsing, by location. They are not parsed again while their hash is the same. */
  readonly tooCostly: Map<string, { readonly hash: string; readonly message: string }>
}

export type ReadLocation = Extract<ScannedLocation, { unchanged: false }>

/** @bound Locations that exceed the limits. Those beyond this number are parsed again in each scan. */
const MAX_TOO_COSTLY = 1_000

/** Reads the entries of a file. @throws the signal's reason; ParsingEnded */
export async function readLocation(
  location: string,
  content: FileContent,
  included: IncludedFiles,
  rules: ReadingRules,
  signal: AbortSignal,
): Promise<ReadLocation> {
  const hash = contentHash(content.bytes)
  const before = rules.tooCostly.get(location)
  if (before?.hash === hash) return failedLocation(location, before.message)
  rules.tooCostly.delete(location)
  const decoded = decodeText(content.bytes)
  if ('badLine' in decoded) return failedLocation(location, 'is not UTF-8 text', decoded.badLine)
  const parsed = await rules.thread.parse(
    rules.parsing,
    { type: 'file', location, text: decoded.text },
    {
      signal,
      read: (reference) => included.text(reference),
    },
  )
  if (parsed.isTooCostly) cacheFailure(parsed, hash, location, included, rules)
  const { signature, fresh, modifiedAt } = content.state
  const latest = included.modifiedAt !== null && included.modifiedAt > modifiedAt ? included.modifiedAt : modifiedAt
  const stamp = writeFileStamp({ by: rules.by, signature: fresh ? '' : signature, hash, included: included.stamps })
  return { location, unchanged: false, stamp, modifiedAt: latest, entries: parsed.entries, failures: parsed.failures }
}

/** A failure of a file with included files is not cached, because an included file may be the cause and may change. */
function cacheFailure(
  { failures }: ParseResult,
  hash: string,
  location: string,
  included: IncludedFiles,
  { tooCostly }: ReadingRules,
): void {
  if (included.stamps.length > 0 || tooCostly.size >= MAX_TOO_COSTLY) return
  tooCostly.set(location, { hash, message: failures[0]!.message })
}

/** A location that has only a failure. */
export function failedLocation(location: string, message: string, line: number | null = null): ReadLocation {
  const failure: SourceFailure = { file: location, line, column: null, entryId: null, message }
  return { location, unchanged: false, stamp: '', modifiedAt: null, entries: [], failures: [failure] }
}
