import type { SealedContent } from '../../core/entry/entry.js'
import type { EntryId, SubmittedId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { delta } from '../../core/history/delta.js'
import type { Registry } from '../../registry/registry.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { DeltaRef } from '../base/object-refs.js'
import { EntryInputRef } from '../entry/entry-input.js'

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
      'What leads from one given list of entries to another. Content is compared by value, and nothing is read or written.',
    args: {
      from: t.arg({ type: [EntryInputRef], required: true, description: 'The state to start from, each entry once.' }),
      to: t.arg({ type: [EntryInputRef], required: true, description: 'The state to arrive at, each entry once.' }),
    },
    resolve(_root, { from, to }, { registry }) {
      const references = registry.references.bind(registry)
      return delta(stateOf('from', from, registry), stateOf('to', to, registry), references as never)
    },
  }),
)

/** @throws RegistryError BAD_USER_INPUT naming the first entry that is none, or stands there twice */
function stateOf(list: string, entries: readonly EntryInput[], registry: Registry): Map<EntryId, SealedContent> {
  const state = new Map<EntryId, SealedContent>()
  for (const [index, { id: submitted, kind, meta, data }] of entries.entries()) {
    const place = `${list}[${index}]`
    const id = entryIdFrom(submitted, `${place}.id`)
    if (state.has(id)) throw wrong(place, `${id} stands in this list already; give each entry once`)
    const sealed = registry.sealContent({ kind, meta, data })
    if ('faults' in sealed) throw wrong(place, sealed.faults.map(({ message }) => message).join('; '))
    state.set(id, sealed.content)
  }
  return state
}

function wrong(place: string, why: string): RegistryError {
  return new RegistryError('BAD_USER_INPUT', `${place}: ${why}`)
}
