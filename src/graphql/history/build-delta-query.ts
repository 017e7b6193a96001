import type { Steps } from '../../core/algorithms/steps.js'
import type { SealedContent } from '../../core/entry/entry.js'
import type { EntryId, SubmittedId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { delta } from '../../core/history/delta.js'
import type { Registry } from '../../registry/registry.js'
import { inSlices } from '../../store/coalescing/time-slices.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { DeltaRef } from '../base/object-refs.js'
import { EntryInputRef } from '../entry/entry-input.js'

/** Entries that are sealed between two pauses, in about 10 µs each. */
const ENTRIES_PER_STEP = 16

interface EntryInput {
  readonly id: SubmittedId
  readonly kind: string
  readonly meta?: unknown
  readonly data?: unknown
}

builder.queryField('buildDelta', (t) =>
  t.field({
    type: DeltaRef,
    description:
      'The delta between two lists of entries that you pass in. Content is compared by value. Nothing is read from or written to the registry.',
    args: {
      from: t.arg({ type: [EntryInputRef], required: true, description: 'The entries before, each id once.' }),
      to: t.arg({ type: [EntryInputRef], required: true, description: 'The entries after, each id once.' }),
    },
    async resolve(_root, { from, to }, { registry, signal, read }) {
      const operations = await read(async () => inSlices(deltaBetween(from, to, registry), signal))
      return { operations, between: 'two lists' }
    },
  }),
)

function* deltaBetween(from: readonly EntryInput[], to: readonly EntryInput[], registry: Registry) {
  const [before, after] = [yield* stateOf('from', from, registry), yield* stateOf('to', to, registry)]
  return yield* delta(before, after, registry.references)
}

/** Seals a list of entries. @throws RegistryError BAD_USER_INPUT that names the first invalid or repeated entry */
function* stateOf(
  list: string,
  entries: readonly EntryInput[],
  registry: Registry,
): Steps<ReadonlyMap<EntryId, SealedContent>> {
  const state = new Map<EntryId, SealedContent>()
  for (const [index, { id: submitted, kind, meta, data }] of entries.entries()) {
    const place = `${list}[${index}]`
    const id = entryIdFrom(submitted, `${place}.id`)
    if (state.has(id)) throw wrong(place, `${id} is already in this list. List each entry once.`)
    const sealed = yield* registry.sealContent({ kind, meta, data })
    if ('faults' in sealed) throw wrong(place, sealed.faults.map(({ message }) => message).join('; '))
    state.set(id, sealed.content)
    if (index % ENTRIES_PER_STEP === ENTRIES_PER_STEP - 1) yield
  }
  return state
}

function wrong(place: string, why: string): RegistryError {
  return new RegistryError('BAD_USER_INPUT', `${place}: ${why}`)
}
