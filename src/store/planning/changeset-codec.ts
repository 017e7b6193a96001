import { createHash } from 'node:crypto'
import { Packr } from 'msgpackr'
import type { Steps } from '../../core/algorithms/steps.js'
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

/** Characters of contents that are encoded at once. They take about 100 µs. */
const ENCODED_AT_ONCE = 256 * 1024

export function* encodeChangeset(changeset: StoredChangeset): Steps<Buffer> {
  const { number, parent, author, message, createdAt } = changeset
  const header = [number, parent, author, message, createdAt.getTime()]
  const chunks: Buffer[] = []
  let operations: unknown[] = []
  let characters = 0
  for (const { kind, id, content } of changeset.operations) {
    const index = OPERATION_KINDS.indexOf(kind)
    operations.push(content === null ? [index, id] : [index, id, content.kind, content.metaText, content.dataText])
    characters += 100 + (content === null ? 0 : content.metaText.length + content.dataText.length)
    if (characters < ENCODED_AT_ONCE) continue
    chunks.push(packedItems(operations))
    operations = []
    characters = 0
    yield
  }
  // A copy: msgpackr returns views of a buffer that it reuses.
  if (chunks.length === 0) return Buffer.from(packr.pack([...header, operations]))
  // The same bytes in pieces. All six fields, of which the last begins with the number of operations.
  const fields = packedItems([...header, []])
  chunks.unshift(
    Buffer.of(0x90 + header.length + 1),
    fields.subarray(0, fields.length - 1),
    packedListHeader(changeset.operations.length),
  )
  if (operations.length > 0) chunks.push(packedItems(operations))
  return yield* concatInSteps(chunks)
}

/** The MessagePack of a list's items, one after another, without the header of the list. */
function packedItems(items: readonly unknown[]): Buffer {
  return Buffer.from(packr.pack(items).subarray(packedListHeader(items.length).length))
}

/** The header of a MessagePack list: its length in 4, 16 or 32 bits. */
function packedListHeader(length: number): Buffer {
  if (length < 0x10) return Buffer.of(0x90 | length)
  if (length < 0x1_0000) return Buffer.of(0xdc, length >> 8, length & 0xff)
  const header = Buffer.of(0xdd, 0, 0, 0, 0)
  header.writeUInt32BE(length, 1)
  return header
}

function* concatInSteps(chunks: readonly Buffer[]): Steps<Buffer> {
  const bytes = Buffer.alloc(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    at += chunk.copy(bytes, at)
    yield
  }
  return bytes
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

/** Bytes that are hashed between two pauses, in about 500 µs. */
const HASHED_AT_ONCE = 256 * 1024

/** The start of the chain of transition digests: the digest of the empty text. */
export const CHAIN_START_DIGEST = sha256('')

/** The digest of v0, which has no changeset: of its creation time in milliseconds. */
export function rootDigest(createdAt: Date): string {
  return sha256(String(createdAt.getTime()))
}

export function* versionDigest(parentDigest: string, changesetBytes: Uint8Array): Steps<string> {
  const parent = Buffer.from(parentDigest, 'hex')
  if (changesetBytes.length <= HASHED_AT_ONCE) return sha256(Buffer.concat([parent, changesetBytes]))
  const hash = createHash('sha256').update(parent)
  for (let from = 0; from < changesetBytes.length; from += HASHED_AT_ONCE) {
    yield
    hash.update(changesetBytes.subarray(from, from + HASHED_AT_ONCE))
  }
  return hash.digest('hex')
}

export function transitionDigest(previousDigest: string, transition: Transition): string {
  const { revision, kind, from, to, author, message, createdAt, changeCount } = transition
  const line = JSON.stringify([revision, kind, from, to, author, message, createdAt.getTime(), changeCount])
  return sha256(Buffer.concat([Buffer.from(previousDigest, 'hex'), Buffer.from(line)]))
}
