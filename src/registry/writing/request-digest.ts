import { createHash, randomBytes } from 'node:crypto'
import { canonicalJson } from '../../core/entry/canonical-json.js'
import type { Json } from '../../core/entry/json.js'
import { timeSlicer } from '../async/pause.js'
import type { ApplyChangesetInput, ApplyVersionInput, RawOperation, RevertVersionInput } from './write-input.js'

/*
 * What an idempotency key stands for: SHA-256 of the canonical form of a mutation's whole input but the key,
 * a line for each operation. What is left out counts as null: clients' serialisers differ there.
 */

export async function changesetRequestDigest({
  operations,
  base,
  expectedHead,
  message,
  dryRun,
}: ApplyChangesetInput): Promise<string> {
  const hash = createHash('sha256')
  const breath = timeSlicer()
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
      await breath()
    }
    return hash.digest('hex')
  } catch (error) {
    // Nested too deep to be written down: it will be refused, and a refusal is not kept. No digest may equal it.
    if (error instanceof RangeError) return randomBytes(32).toString('hex')
    throw error
  }
}

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

export function revertRequestDigest({ version, expectedHead, message, dryRun, force }: RevertVersionInput): string {
  const input = {
    mutation: 'revertVersion',
    version,
    expectedHead: expectedHead ?? null,
    message: message ?? null,
    dryRun: dryRun === true,
    // Named only where it is set: keys of before there was such a thing go on standing for the same.
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
