import { createHash } from 'node:crypto'
import type { Json } from '../../core/entry/json.js'
import { canonicalLine, changesetHeader, moveOf } from './request-digest.js'
import type { ApplyChangesetInput, ApplyVersionInput, RevertVersionInput } from './write-input.js'

/*
 * Digests of idempotent requests as version 0.1.0 computed them: without a version of their own, and with ids and missing
 * contents as they were sent. Replies that it stored are compared by these, so that a request that is repeated across
 * an upgrade is replayed. Replies are removed after two days.
 */

/** Returns the earlier digest of an applyChangeset request. */
export function earlierChangesetDigest(input: ApplyChangesetInput): string {
  const hash = createHash('sha256').update(changesetHeader(input))
  for (const { kind, id, entryKind, meta, data, ifRevision, force } of input.operations) {
    hash.update(
      canonicalLine({
        kind,
        id: typeof id === 'string' ? id : { ns: id.ns, name: id.name },
        entryKind: entryKind ?? null,
        meta: (meta ?? null) as Json,
        data: (data ?? null) as Json,
        ifRevision: ifRevision ?? null,
        force: force === true,
      }),
    )
  }
  return hash.digest('hex')
}

/** Returns the earlier digest of an applyVersion request. */
export function earlierVersionDigest(input: ApplyVersionInput): string {
  return digestOf({ ...moveOf('applyVersion', input), force: input.force === true })
}

/** Returns the earlier digest of a revertVersion request, which had `force` only if it was set. */
export function earlierRevertDigest(input: RevertVersionInput): string {
  return digestOf({ ...moveOf('revertVersion', input), ...(input.force === true && { force: true }) })
}

function digestOf(input: Json): string {
  return createHash('sha256').update(canonicalLine(input)).digest('hex')
}
