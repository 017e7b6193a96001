import type { Operation, OperationKind } from '../../core/ordering/operation.js'
import { AtRef, revisionFrom } from '../base/at-input.js'
import { builder } from '../base/builder.js'
import { DeltaRef, EntryContentRef } from '../base/object-refs.js'
import { OperationKindRef } from '../base/operation-kind-enum.js'
import { contentFields } from '../entry/entry-state-interface.js'

EntryContentRef.implement({
  description: "An entry's content by itself, in a registry or not.",
  fields: (t) => contentFields(t),
})

const DeltaOperationRef = builder.objectRef<Operation>('DeltaOperation').implement({
  description: 'One step on the way from one state to another.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OperationKindRef, description: 'What it does.' }),
    entryId: t.exposeID('id', { description: 'To which entry.' }),
    entry: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'The new content; null for a delete.',
      resolve: ({ id, content }) => (content === null ? null : { id, content }),
    }),
    original: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'The content before; null for a create.',
      resolve: ({ id, original }) => (original === null ? null : { id, content: original }),
    }),
  }),
})

DeltaRef.implement({
  description: 'The fewest operations that lead from one state to another, in an order that may be applied.',
  fields: (t) => ({
    created: t.int({
      description: 'How many entries are created.',
      resolve: (operations) => count(operations, 'CREATE'),
    }),
    updated: t.int({
      description: 'How many entries are updated.',
      resolve: (operations) => count(operations, 'UPDATE'),
    }),
    deleted: t.int({
      description: 'How many entries are deleted.',
      resolve: (operations) => count(operations, 'DELETE'),
    }),
    operations: t.field({
      type: [DeltaOperationRef],
      description:
        'All of them: deletes first, dependents before what they depend on; then the rest, the other way round.',
      resolve: (operations) => [...operations],
    }),
  }),
})

builder.queryField('delta', (t) =>
  t.field({
    type: DeltaRef,
    description: 'What changed between two states of this registry, in whichever direction they are given.',
    args: {
      from: t.arg({ type: AtRef, required: true, description: 'The state to start from.' }),
      to: t.arg({ type: AtRef, required: true, description: 'The state to arrive at.' }),
    },
    async resolve(_root, { from, to }, context) {
      const [start, end] = await Promise.all([revisionFrom(from, context), revisionFrom(to, context)])
      return context.registry.history.delta(start, end)
    },
  }),
)

function count(operations: readonly Operation[], wanted: OperationKind): number {
  return operations.reduce((sum, { kind }) => (kind === wanted ? sum + 1 : sum), 0)
}
