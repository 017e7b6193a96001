import { forEachInSteps, type Steps } from '../algorithms/steps.js'
import type { ExtractReferences } from '../dependency/reference.js'
import type { SealedContent } from '../entry/entry.js'
import type { EntryId } from '../entry/entry-id.js'
import type { Operation, OperationKind } from '../ordering/operation.js'
import { operationsBetween } from './delta.js'

/** The effect of several operations on one entry. REPLACE is a delete and then a create. */
type Effect = 'NOTHING' | 'CREATE' | 'UPDATE' | 'DELETE' | 'REPLACE'

/** The effect of an operation after others; null if it cannot follow them. */
const SQUASHED: Readonly<Record<Effect, Readonly<Record<OperationKind, Effect | null>>>> = {
  NOTHING: { CREATE: 'CREATE', UPDATE: null, DELETE: null },
  CREATE: { CREATE: null, UPDATE: 'CREATE', DELETE: 'NOTHING' },
  UPDATE: { CREATE: null, UPDATE: 'UPDATE', DELETE: 'DELETE' },
  DELETE: { CREATE: 'REPLACE', UPDATE: null, DELETE: null },
  REPLACE: { CREATE: null, UPDATE: 'REPLACE', DELETE: 'DELETE' },
}

interface Squashed {
  effect: Effect
  readonly before: SealedContent | null
  after: SealedContent | null
}

/**
 * Combines changesets into one with the same effect and the fewest operations, in order. A REPLACE by the same kind is an
 * UPDATE. Content that returns to its original value is left out.
 * @throws Error if an operation cannot follow the ones before it
 */
export function* squash(
  changesets: readonly (readonly Operation[])[],
  references: Pick<ExtractReferences, 'targets'>,
): Steps<Operation[]> {
  const entries = new Map<EntryId, Squashed>()
  for (const changeset of changesets) {
    yield* forEachInSteps(changeset, (operation) => {
      const squashed = entries.get(operation.id)
      if (squashed === undefined) entries.set(operation.id, begin(operation))
      else follow(squashed, operation)
    })
  }
  const pairs = [...entries].map(([id, { before, after }]) => ({ id, before, after }))
  return yield* operationsBetween(pairs, references)
}

function begin({ kind, id, content, original }: Operation): Squashed {
  if (kind !== 'CREATE' && original === null) throw new Error(`${kind} ${id} has no original`)
  return { effect: kind, before: original, after: content }
}

function follow(squashed: Squashed, { kind, id, content, original }: Operation): void {
  const effect = SQUASHED[squashed.effect][kind]
  if (effect === null) throw new Error(`${kind} ${id} cannot follow operations with the effect ${squashed.effect}`)
  if (original !== null && original.digest !== squashed.after?.digest) {
    throw new Error(`${kind} ${id} cannot follow: its original is not what the operations before it left`)
  }
  squashed.effect = effect
  squashed.after = content
}
