import { createHash } from 'node:crypto'
import type { Steps } from '../../core/algorithms/steps.js'
import { canonicalJson } from '../../core/entry/canonical-json.js'
import { InvalidEntryId, parseEntryId } from '../../core/entry/entry-id.js'
import type { Json } from '../../core/entry/json.js'
import { canonicalJsonInSteps } from '../../core/entry/json-in-steps.js'
import type { ApplyChangesetInput, ApplyVersionInput, RawOperation, RevertVersionInput } from './write-input.js'

/*
 * The content of an idempotency key is the SHA-256 of the canonical form of a mutation's whole input except for the key, with a
 * line for each operation. The input is compared as it is understood: a missing field counts as its default, because serialisers
 * of clients differ there, and an id is the same as text and as its parts.
 */

/** Precedes each digest, so that a gateway that computes them in another way can tell which ones it may compare. */
const DIGEST_VERSION = '2:'
/** Characters that are hashed between two pauses. */
const HASHED_AT_ONCE = 64 * 1024

/** Returns the digest of an applyChangeset request. */
export function changesetRequestDigest(input: ApplyChangesetInput): Steps<string> {
  return versioned(digestOf(changesetHeader(input), input.operations, plain))
}

/** Returns the digest of an applyVersion request. */
export function versionRequestDigest(input: ApplyVersionInput): Steps<string> {
  return versioned(digestOf({ ...moveOf('applyVersion', input), force: input.force === true }))
}

/** Returns the digest of a revertVersion request. */
export function revertRequestDigest(input: RevertVersionInput): Steps<string> {
  return versioned(digestOf({ ...moveOf('revertVersion', input), force: input.force === true }))
}

/** The first line of a changeset's digest: its input except for the operations. */
export function changesetHeader({ base, expectedHead, message, dryRun }: ApplyChangesetInput): Json {
  return {
    mutation: 'applyChangeset',
    base: base ?? null,
    expectedHead: expectedHead ?? null,
    message: message ?? null,
    dryRun: dryRun === true,
  }
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

/** Returns the SHA-256 of a line for the header and one for each operation. */
export function* digestOf<Operation = never>(
  header: Json,
  operations: readonly Operation[] = [],
  lineOf: (operation: Operation) => Json = String,
): Steps<string> {
  const hash = createHash('sha256').update(canonicalLine(header))
  let characters = 0
  for (const operation of operations) {
    const line = yield* canonicalJsonInSteps(lineOf(operation))
    hash.update(line).update('\n')
    characters += line.length
    if (characters < HASHED_AT_ONCE) continue
    characters = 0
    yield
  }
  return hash.digest('hex')
}

/** One line of a digested text. */
export function canonicalLine(value: Json): string {
  return `${canonicalJson(value)}\n`
}

function* versioned(digest: Steps<string>): Steps<string> {
  return DIGEST_VERSION + (yield* digest)
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
