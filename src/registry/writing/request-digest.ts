import { createHash, randomBytes } from 'node:crypto'
import { canonicalJson } from '../../core/entry/canonical-json.js'
import { InvalidEntryId, parseEntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import { timeSlicer } from '../async/pause.js'
import type { ApplyChangesetInput, ApplyVersionInput, RawOperation, RevertVersionInput } from './write-input.js'

/*
 * The content of an idempotency key is the SHA-256 of the canonical form of a mutation's whole input except for the key, with a
 * line for each operation. The input is compared as it is understood: a missing field counts as its default, because serialisers
 * of clients differ there, and an id is the same as text and as its parts.
 */

/** Precedes each digest, so that a gateway that computes them in another way can tell which ones it may compare. */
const DIGEST_VERSION = '2:'

/** Returns the digest of an applyChangeset request. */
export async function changesetRequestDigest(input: ApplyChangesetInput): Promise<string> {
  const hash = createHash('sha256')
  const yieldIfDue = timeSlicer()
  try {
    hash.update(changesetHeader(input))
    for (const operation of input.operations) {
      hash.update(canonicalLine(plain(operation)))
      await yieldIfDue()
    }
    return DIGEST_VERSION + hash.digest('hex')
  } catch (error) {
    // Nested too deep to be serialized. The request will be refused and a refusal is not stored, so no digest may equal
    // this one.
    if (error instanceof RangeError) return DIGEST_VERSION + randomBytes(32).toString('hex')
    throw error
  }
}

/** Returns the digest of an applyVersion request. */
export function versionRequestDigest(input: ApplyVersionInput): string {
  return digestOf({ ...moveOf('applyVersion', input), force: input.force === true })
}

/** Returns the digest of a revertVersion request. */
export function revertRequestDigest(input: RevertVersionInput): string {
  return digestOf({ ...moveOf('revertVersion', input), force: input.force === true })
}

/** The first line of a changeset's digest: its input except for the operations. */
export function changesetHeader({ base, expectedHead, message, dryRun }: ApplyChangesetInput): string {
  return canonicalLine({
    mutation: 'applyChangeset',
    base: base ?? null,
    expectedHead: expectedHead ?? null,
    message: message ?? null,
    dryRun: dryRun === true,
  })
}

/** The input of a mutation that names a version, except for `force`. */
export function moveOf(
  mutation: string,
  { version, expectedHead, message, dryRun }: ApplyVersionInput | RevertVersionInput,
) {
  return {
    mutation,
    version,
    expectedHead: expectedHead ?? null,
    message: message ?? null,
    dryRun: dryRun === true,
  }
}

/** One line of a digested text. */
export function canonicalLine(value: Json): string {
  return `${canonicalJson(value)}\n`
}

function plain({ kind, id, entryKind, meta, data, ifRevision, force }: RawOperation): Json {
  return {
    kind,
    id: textOf(id),
    entryKind: entryKind ?? null,
    meta: (meta ?? (kind === 'DELETE' ? null : {})) as Json,
    data: (data ?? null) as Json,
    ifRevision: ifRevision ?? null,
    force: force === true,
  }
}

/** An invalid id is refused anyway, and a refusal is not stored. */
function textOf(id: RawOperation['id']): string {
  try {
    return parseEntryId(id)
  } catch (error) {
    if (error instanceof InvalidEntryId) return typeof id === 'string' ? id : `${id.ns}:${id.name}`
    throw error
  }
}

function digestOf(input: Json): string {
  return DIGEST_VERSION + createHash('sha256').update(canonicalLine(input)).digest('hex')
}
