import { type EntryRevision, SealedContent } from '../../../core/entry/entry.js'
import type { EntryId } from '../../../core/entry/entry-id.js'
import type { ChangeOperation, ChangeRow } from '../../planning/change-row.js'

/** The columns that make an entry, of `head` or of `change`, under the alias `h`. */
export const ENTRY_COLUMNS = 'h.ns, h.name, h.kind, h.meta, h.data, h.digest, h.revision, h.version'

export interface EntryColumns {
  readonly ns: string
  readonly name: string
  readonly kind: string
  readonly meta: string
  readonly data: string
  readonly digest: string
  readonly revision: number
  readonly version: number
}

/** What was stored was checked when it came in, so the id is one. */
export function storedId(ns: string, name: string): EntryId {
  return `${ns}:${name}` as EntryId
}

export function entryOfColumns(row: EntryColumns): EntryRevision {
  return {
    id: storedId(row.ns, row.name),
    content: new SealedContent(row.kind, row.meta, row.data, row.digest),
    revision: row.revision,
    version: row.version,
  }
}

export type ChangeColumns = { readonly [Column in keyof EntryColumns]: EntryColumns[Column] | null } & {
  readonly ns: string
  readonly name: string
  readonly revision: number
  readonly operation: ChangeOperation
  readonly position: number
  readonly delete_position: number | null
  readonly previous_revision: number | null
}

export function changeRowOfColumns(row: ChangeColumns): ChangeRow {
  const content = row.kind === null ? null : new SealedContent(row.kind, row.meta!, row.data!, row.digest!)
  return {
    id: storedId(row.ns, row.name),
    revision: row.revision,
    operation: row.operation,
    position: row.position,
    deletePosition: row.delete_position,
    content,
    version: row.version,
    previousRevision: row.previous_revision,
  }
}

/** Two parallel arrays, as `unnest` takes them. */
export function idColumns(ids: readonly EntryId[]): { ns: string[]; name: string[] } {
  const ns: string[] = []
  const name: string[] = []
  for (const id of ids) {
    const colon = id.indexOf(':')
    ns.push(id.slice(0, colon))
    name.push(id.slice(colon + 1))
  }
  return { ns, name }
}
