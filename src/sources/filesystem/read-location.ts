import type { SourceFailure } from '../contract/source-failure.js'
import type { ScannedLocation } from '../contract/source-reader.js'
import { decodeText } from '../forms/decode-text.js'
import type { ParsingRules } from '../parsing/parse-job.js'
import type { ParseResult, ParsingThread } from '../parsing/parsing-thread.js'
import { writeFileStamp } from './file-stamp.js'
import type { FilesystemLimits } from './filesystem-limits.js'
import type { IncludedFiles } from './included-files.js'
import { contentHash, type FileContent } from './read-inside.js'

/** What one scan reads by. */
export interface ReadingRules {
  /** Of the form, the schemas and the limits: what was read by others has to be read again. */
  readonly by: string
  readonly parsing: ParsingRules
  readonly thread: ParsingThread
  readonly limits: FilesystemLimits
  /** What takes too much to be read is not tried again as long as it is the same: location to hash and failure. */
  readonly tooMuch: Map<string, { readonly hash: string; readonly message: string }>
}

export type ReadLocation = Extract<ScannedLocation, { unchanged: false }>

/** Of locations that take too much; those that are not remembered cost the time again. */
const MOST_TOO_MUCH = 1_000

/** What a file gives, whatever its content. @throws what the signal was aborted with; ParsingEnded */
export async function readLocation(
  location: string,
  content: FileContent,
  included: IncludedFiles,
  rules: ReadingRules,
  signal: AbortSignal,
): Promise<ReadLocation> {
  const hash = contentHash(content.bytes)
  const before = rules.tooMuch.get(location)
  if (before?.hash === hash) return failedLocation(location, before.message)
  rules.tooMuch.delete(location)
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
  if (parsed.isTooMuch) remember(parsed, hash, location, included, rules)
  const { signature, fresh, modifiedAt } = content.state
  const latest = included.modifiedAt !== null && included.modifiedAt > modifiedAt ? included.modifiedAt : modifiedAt
  const stamp = writeFileStamp({ by: rules.by, signature: fresh ? '' : signature, hash, included: included.stamps })
  return { location, unchanged: false, stamp, modifiedAt: latest, entries: parsed.entries, failures: parsed.failures }
}

/** Not where it took in other files: it may be those that are too much, and they may change. */
function remember(
  { failures }: ParseResult,
  hash: string,
  location: string,
  included: IncludedFiles,
  { tooMuch }: ReadingRules,
): void {
  if (included.stamps.length > 0 || tooMuch.size >= MOST_TOO_MUCH) return
  tooMuch.set(location, { hash, message: failures[0]!.message })
}

/** A location that gives nothing but the reason why. */
export function failedLocation(location: string, message: string, line: number | null = null): ReadLocation {
  const failure: SourceFailure = { file: location, line, column: null, entryId: null, message }
  return { location, unchanged: false, stamp: '', modifiedAt: null, entries: [], failures: [failure] }
}
