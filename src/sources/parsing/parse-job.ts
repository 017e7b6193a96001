import { SealedContent } from '../../core/entry/entry.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { SourceFailure } from '../contract/source-failure.js'
import type { LocationEntry } from '../contract/source-reader.js'
import type { SchemaText } from '../forms/entry-schemas.js'
import type { SourceForm } from '../forms/source-form.js'

// What the gateway's thread and the one that parses tell each other: plain values, which can be copied from one to the other.

/** By what texts are read. The same object is sent once. */
export interface ParsingRules {
  readonly form: SourceForm
  readonly schemas: readonly SchemaText[]
  readonly entryBytes: number
}

export type ParseJob =
  /** A file's text; `location` ends in the extension that says how it is parsed. */
  | { readonly type: 'file'; readonly location: string; readonly text: string }
  /** A page of an HTTP registry, in JSON. */
  | { readonly type: 'page'; readonly location: string; readonly text: string }
  /** Entries that are sealed already, to be held against the schemas. */
  | { readonly type: 'check'; readonly location: string; readonly entries: readonly PackedEntry[] }

/** What came of a job. */
export interface PackedResult {
  readonly entries: readonly PackedEntry[]
  readonly failures: readonly SourceFailure[]
  /** The page as a whole is no list of entries: the failure that says so, and nothing else is given. */
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
  /** From 1, another for each. */
  readonly serial: number
  readonly rules: number
  readonly job: ParseJob
}

export type ToWorker =
  | { readonly type: 'rules'; readonly number: number; readonly rules: ParsingRules }
  | { readonly type: 'jobs'; readonly jobs: readonly SentJob[] }
  /** Of a file that was wanted: its text, or why there is none. */
  | { readonly type: 'text'; readonly want: number; readonly text?: string; readonly fault?: string }

export type FromWorker =
  | { readonly type: 'done'; readonly results: readonly (readonly [serial: number, result: PackedResult])[] }
  /** The text of a file that the present job's file refers to. */
  | { readonly type: 'want'; readonly want: number; readonly serial: number; readonly reference: string }
