import { createHash } from 'node:crypto'
import { canonicalJson } from '../../core/entry/canonical-json.js'
import type { Json } from '../../core/entry/json.js'
import type { ApplyChangesetInput, ApplyVersionInput, RevertVersionInput } from './write-input.js'

/*
 * Digests of idempotent requests as version 0.1.0 computed them: without a version of their own, and with ids and missing
 * contents as they were sent. Replies that it stored are compared by these, so that a request that is repeated across
 * an upgrade is replayed. Replies are removed after two days.
 */

/** Returns the earlier digest of an applyChangeset request. */
export function earlierChangesetDigest({
  operations,
  base,
  expectedHead,
  message,
  dryRun,
}: ApplyChangesetInput): string {
  const hash = createHash('sha256')
  hash.update(
    line({
      mutation: 'applyChangeset',
      base: base ?? null,
      expectedHead: expectedHead ?? null,
      message: message ?? null,
      dryRun: dryRun === true,
    }),
  )
  for (const { kind, id, entryKind, meta, data, ifRevision, force } of operations) {
    hash.update(
      line({
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
  return moveDigest({ mutation: 'applyVersion', ...moveOf(input), force: input.force === true })
}

/** Returns the earlier digest of a revertVersion request, which had `force` only if it was set. */
export function earlierRevertDigest(input: RevertVersionInput): string {
  return moveDigest({ mutation: 'revertVersion', ...moveOf(input), ...(input.force === true && { force: true }) })
}

function moveOf({ version, expectedHead, message, dryRun }: ApplyVersionInput | RevertVersionInput) {
  return { version, expectedHead: expectedHead ?? null, message: message ?? null, dryRun: dryRun === true }
}

function moveDigest(input: Json): string {
  return createHash('sha256').update(line(input)).digest('hex')
}

function line(value: Json): string {
  return `${canonicalJson(value)}\n`
}
