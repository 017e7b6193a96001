import { Packr } from 'msgpackr'
import { type EntryId, parseStoredEntryId } from '../../core/entry/entry-id.js'
import type { Transition } from '../../core/history/version.js'
import { OPERATION_KINDS, type OperationKind } from '../../core/ordering/operation.js'
import { sha256 } from './sha256.js'

/**
 * A stored changeset: MessagePack of
 *
 *     [number, parent, author, message, createdAt (ms), [[kind index, id, entry kind, meta, data], …]]
 *
 * Contents are JSON texts, not MessagePack maps: texts preserve key order, `__proto__` and every double, and the log
 * stores them too. The header is inside, so that the digest chain covers author, message and time.
 */
export interface StoredChangeset {
  readonly number: number
  readonly parent: number
  readonly author: string | null
  readonly message: string | null
  readonly createdAt: Date
  readonly operations: readonly StoredOperation[]
}

export interface StoredOperation {
  readonly kind: OperationKind
  readonly id: EntryId
  /** Null for DELETE. */
  readonly content: { readonly kind: string; readonly metaText: string; readonly dataText: string } | null
}

const packr = new Packr({ useRecords: false, variableMapSize: true })

export function encodeChangeset(changeset: StoredChangeset): Buffer {
  const operations = changeset.operations.map(({ kind, id, content }) =>
    content === null
      ? [OPERATION_KINDS.indexOf(kind), id]
      : [OPERATION_KINDS.indexOf(kind), id, content.kind, content.metaText, content.dataText],
  )
  const { number, parent, author, message, createdAt } = changeset
  // A copy: msgpackr returns views of a buffer that it reuses.
  return Buffer.from(packr.pack([number, parent, author, message, createdAt.getTime(), operations]))
}

/** @throws Error if the bytes are not a changeset */
export function decodeChangeset(bytes: Uint8Array): StoredChangeset {
  const value: unknown = packr.unpack(bytes)
  if (!Array.isArray(value) || value.length !== 6 || !Array.isArray(value[5]))
    throw new Error('The bytes are not a changeset.')
  const [number, parent, author, message, createdAt, operations] = value as [
    number,
    number,
    string | null,
    string | null,
    number,
    unknown[][],
  ]
  return {
    number,
    parent,
    author,
    message,
    createdAt: new Date(createdAt),
    operations: operations.map(decodeOperation),
  }
}

function decodeOperation(fields: unknown[]): StoredOperation {
  const [kindIndex, id, entryKind, metaText, dataText] = fields as [number, string, string?, string?, string?]
  const kind = OPERATION_KINDS[kindIndex]
  if (kind === undefined) throw new Error(`There is no operation kind ${kindIndex}.`)
  const content = kind === 'DELETE' ? null : { kind: entryKind!, metaText: metaText!, dataText: dataText! }
  return { kind, id: parseStoredEntryId(id), content }
}

/** The start of the chain of transition digests: the digest of the empty text. */
export const CHAIN_START_DIGEST = sha256('')

/** The digest of v0, which has no changeset: of its creation time in milliseconds. */
export function rootDigest(createdAt: Date): string {
  return sha256(String(createdAt.getTime()))
}

export function versionDigest(parentDigest: string, changesetBytes: Uint8Array): string {
  return sha256(Buffer.concat([Buffer.from(parentDigest, 'hex'), changesetBytes]))
}

export function transitionDigest(previousDigest: string, transition: Transition): string {
  const { revision, kind, from, to, author, message, createdAt, changeCount } = transition
  const line = JSON.stringify([revision, kind, from, to, author, message, createdAt.getTime(), changeCount])
  return sha256(Buffer.concat([Buffer.from(previousDigest, 'hex'), Buffer.from(line)]))
}
