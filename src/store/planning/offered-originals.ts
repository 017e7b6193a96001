import { forEachInSteps, type Steps } from '../../core/algorithms/steps.js'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Operation, PlannedOperation } from '../../core/ordering/operation.js'
import { derivedOf, derivedOperation } from '../contract/derived-entries.js'
import type { CommitOutcome, CommitRequest } from '../contract/history-writer.js'
import type { CommitState } from './commit-state.js'

/**
 * The digest of each entry's original, or null for an entry that did not exist. Acceptances of participants are valid
 * only for these.
 */
export function* originalsOf(operations: readonly Operation[]): Steps<ReadonlyMap<EntryId, string | null>> {
  const originals = new Map<EntryId, string | null>()
  // The create of a replacement follows its delete, which has the original of both.
  yield* forEachInSteps(operations, ({ id, original }) => {
    if (!originals.has(id)) originals.set(id, original?.digest ?? null)
  })
  return originals
}

/** The refusal of an offered request whose originals have changed since; null if none has. */
export function* changedSinceOffered(
  { offered }: CommitRequest,
  operations: readonly Operation[],
): Steps<CommitOutcome | null> {
  if (offered === undefined) return null
  const originals = yield* originalsOf(operations)
  let other: EntryId | undefined
  const compare = (id: EntryId) => {
    if (originals.get(id) !== offered.get(id)) other ??= id
  }
  yield* forEachInSteps(originals.keys(), compare)
  yield* forEachInSteps(offered.keys(), compare)
  if (other === undefined) return null
  const message = `${other} kept changing while participants were asked. Send it again when there are fewer other writes.`
  return { type: 'refused', problems: [{ code: 'CONFLICT', message, entryId: other }], stale: 'changed' }
}

/** The refusal of an offered request that another gateway has ended because this one seemed dead. */
export function discardedElsewhere(): CommitOutcome {
  const message =
    'This gateway lost touch with the store while participants were asked, and another gateway has discarded the changeset. Send it again.'
  return { type: 'refused', problems: [{ code: 'CONFLICT', message }], stale: 'discarded' }
}

/** The operations on derived entries, or the refusal of a request whose derived entries were computed from an older state. */
export function derivedOperations(
  request: CommitRequest,
  { entries }: Pick<CommitState, 'entries'>,
): { readonly operations: readonly PlannedOperation[] } | { readonly stale: CommitOutcome } {
  const operations: PlannedOperation[] = []
  for (const entry of derivedOf(request)) {
    const { id, original } = entry
    const current = entries.get(id) ?? null
    if (current?.content.digest !== original?.digest) {
      const message = `${id} kept changing while it was computed. Send the changeset again when there are fewer other writes.`
      return { stale: { type: 'refused', problems: [{ code: 'CONFLICT', message, entryId: id }], stale: 'changed' } }
    }
    const [operation] = derivedOperation(entry)
    if (operation !== undefined) operations.push({ ...operation, originalRevision: current })
  }
  return { operations }
}
