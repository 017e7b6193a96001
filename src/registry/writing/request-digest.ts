import { createHash, randomBytes } from 'node:crypto'
import { canonicalJson } from '../../core/entry/canonical-json.js'
import type { Json } from '../../core/entry/json.js'
import { timeSlicer } from '../async/pause.js'
import type { ApplyChangesetInput, ApplyVersionInput, RawOperation, RevertVersionInput } from './write-input.js'

/*
 * The content of an idempotency key is the SHA-256 of the canonical form of a mutation's whole input except for the key, with a
 * line for each operation. A missing field counts as null, because serialisers of clients differ there.
 */

/** Returns the digest of an applyChangeset request. */
export async function changesetRequestDigest({
  operations,
  base,
  expectedHead,
  message,
  dryRun,
}: ApplyChangesetInput): Promise<string> {
  const hash = createHash('sha256')
  const yieldIfDue = timeSlicer()
  try {
    hash.update(
      line({
        mutation: 'applyChangeset',
        base: base ?? null,
        expectedHead: expectedHead ?? null,
        message: message ?? null,
        dryRun: dryRun === true,
      }),
    )
    for (const operation of operations) {
      hash.update(line(plain(operation)))
      await yieldIfDue()
    }
    return hash.digest('hex')
  } catch (error) {
    // Nested too deep to be serialized. The request will be refused and a refusal is not stored, so no digest may equal
    // this one.
    if (error instanceof RangeError) return randomBytes(32).toString('hex')
    throw error
  }
}

/** Returns the digest of an applyVersion request. */
export function versionRequestDigest({ version, expectedHead, message, dryRun, force }: ApplyVersionInput): string {
  const input = {
    mutation: 'applyVersion',
    version,
    expectedHead: expectedHead ?? null,
    message: message ?? null,
    dryRun: dryRun === true,
    force: force === true,
  }
  return createHash('sha256').update(line(input)).digest('hex')
}

/** Returns the digest of a revertVersion request. */
export function revertRequestDigest({ version, expectedHead, message, dryRun, force }: RevertVersionInput): string {
  const input = {
    mutation: 'revertVersion',
    version,
    expectedHead: expectedHead ?? null,
    message: message ?? null,
    dryRun: dryRun === true,
    // Only if set, so that keys that were used before the option existed keep their digest.
    ...(force === true && { force }),
  }
  return createHash('sha256').update(line(input)).digest('hex')
}

function plain({ kind, id, entryKind, meta, data, ifRevision, force }: RawOperation): Json {
  const key = typeof id === 'string' ? id : { ns: id.ns, name: id.name }
  return {
    kind,
    id: key,
    entryKind: entryKind ?? null,
    meta: (meta ?? null) as Json,
    data: (data ?? null) as Json,
    ifRevision: ifRevision ?? null,
    force: force === true,
  }
}

function line(value: Json): string {
  return `${canonicalJson(value)}\n`
}
