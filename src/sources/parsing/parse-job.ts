import { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { SourceFailure } from '../contract/source-failure.js'
import type { LocationEntry } from '../contract/source-reader.js'
import type { SchemaText } from '../forms/entry-schemas.js'
import type { SourceForm } from '../forms/source-form.js'

// Messages between the gateway's thread and the parsing thread. They are plain values, which can be copied.

/** The rules for reading texts. The same object is sent only once. */
export interface ParsingRules {
  readonly form: SourceForm
  readonly schemas: readonly SchemaText[]
  readonly entryBytes: number
}

export type ParseJob =
  /** The text of a file. The extension of `location` selects the parser. */
  | { readonly type: 'file'; readonly location: string; readonly text: string }
  /** A page of an HTTP registry, in JSON. */
  | { readonly type: 'page'; readonly location: string; readonly text: string }
  /** Sealed entries to be validated against the schemas. */
  | { readonly type: 'check'; readonly location: string; readonly entries: readonly PackedEntry[] }

/** The result of a job. */
export interface PackedResult {
  readonly entries: readonly PackedEntry[]
  readonly failures: readonly SourceFailure[]
  /** The page as a whole cannot be read. The only failure then has the reason. */
  readonly isBad?: boolean
}

export type PackedEntry = readonly [
  id: EntryId,
  kind: string,
  metaText: string,
  dataText: string,
  digest: string,
  line: number | null,
]

export function packEntry({ id, content: { kind, metaText, dataText, digest }, line }: LocationEntry): PackedEntry {
  return [id, kind, metaText, dataText, digest, line]
}

export function unpackEntry([id, kind, metaText, dataText, digest, line]: PackedEntry): LocationEntry {
  return { id, content: new SealedContent(kind, metaText, dataText, digest), line }
}

export interface SentJob {
  /** From 1, unique for each job. */
  readonly serial: number
  readonly rules: number
  readonly job: ParseJob
}

export type ToWorker =
  | { readonly type: 'rules'; readonly number: number; readonly rules: ParsingRules }
  | { readonly type: 'jobs'; readonly jobs: readonly SentJob[] }
  /** The text of a requested file, or the reason why there is none. */
  | { readonly type: 'text'; readonly want: number; readonly text?: string; readonly fault?: string }

export type FromWorker =
  | { readonly type: 'done'; readonly results: readonly (readonly [serial: number, result: PackedResult])[] }
  /** Requests the text of a file that the current job refers to. */
  | { readonly type: 'want'; readonly want: number; readonly serial: number; readonly reference: string }
