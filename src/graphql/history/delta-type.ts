import type { Operation, OperationKind } from '../../core/ordering/operation.js'
import { AtRef, revisionFrom } from '../base/at-input.js'
import { builder } from '../base/builder.js'
import { type Delta, DeltaRef, EntryContentRef } from '../base/object-refs.js'
import { OperationKindRef } from '../base/operation-kind-enum.js'
import type { RequestContext } from '../base/request-context.js'
import { contentFields } from '../entry/entry-state-interface.js'
import { numberCursors } from '../relay/cursor-codec.js'
import { listArgs, listPageFrom, type PageArgs } from '../relay/page-args.js'

EntryContentRef.implement({
  description: 'The content of an entry that is not necessarily in the registry, such as in a delta or a proposal.',
  fields: (t) => contentFields(t),
})

interface DeltaOperation extends Operation {
  /** Returns the position in the list of operations. */
  readonly cursor: () => string
}

const DeltaOperationRef = builder.objectRef<DeltaOperation>('DeltaOperation').implement({
  description: 'An operation of a delta.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OperationKindRef, description: 'The kind of change.' }),
    entryId: t.exposeID('id', { description: 'The id of the entry.' }),
    entry: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'The content after the operation; null for a DELETE.',
      resolve: ({ id, content }) => (content === null ? null : { id, content }),
    }),
    original: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'The content before the operation; null for a CREATE.',
      resolve: ({ id, original }) => (original === null ? null : { id, content: original }),
    }),
    cursor: t.string({
      description: 'An opaque position in the list. Pass it as `after` to `operations` of the same delta.',
      resolve: ({ cursor }) => cursor(),
    }),
  }),
})

DeltaRef.implement({
  description: 'The smallest set of operations that leads from one state to another.',
  fields: (t) => ({
    created: t.int({
      description: 'The number of entries created.',
      resolve: ({ operations }) => count(operations, 'CREATE'),
    }),
    updated: t.int({
      description: 'The number of entries updated.',
      resolve: ({ operations }) => count(operations, 'UPDATE'),
    }),
    deleted: t.int({
      description: 'The number of entries deleted.',
      resolve: ({ operations }) => count(operations, 'DELETE'),
    }),
    operations: t.field({
      type: [DeltaOperationRef],
      description:
        'The operations, in an order that can be applied: first deletes, with dependents before their dependencies, then ' +
        'creates and updates, with dependencies before their dependents.',
      args: listArgs,
      resolve: (delta, args, context) => operationsOf(delta, args, context).items,
    }),
    truncated: t.boolean({
      description: 'Whether `operations` with the same arguments leaves some out at its end.',
      args: listArgs,
      resolve: (delta, args, context) => operationsOf(delta, args, context).hasMore,
    }),
  }),
})

/** Cuts a page out of the operations of a delta. @throws RegistryError BAD_USER_INPUT, INVALID_CURSOR */
function operationsOf({ operations, between }: Delta, args: PageArgs, { registry }: RequestContext) {
  const cursors = numberCursors(registry.history.registryId, `operations ${between}`)
  const { limit, after } = listPageFrom(args, cursors)
  const start = after === null ? 0 : after + 1
  const items = operations.slice(start, start + limit).map((operation, index) => {
    return { ...operation, cursor: () => cursors.encode(start + index) }
  })
  return { items, hasMore: operations.length > start + limit }
}

builder.queryField('delta', (t) =>
  t.field({
    type: DeltaRef,
    description: 'The delta between two states of the registry. `from` may be older or newer than `to`.',
    args: {
      from: t.arg({ type: AtRef, required: true, description: 'The state before.' }),
      to: t.arg({ type: AtRef, required: true, description: 'The state after.' }),
    },
    async resolve(_root, { from, to }, context) {
      const [start, end] = await Promise.all([revisionFrom(from, context), revisionFrom(to, context)])
      const operations = await context.read(() => context.registry.delta(start, end))
      return { operations, between: `${start} ${end}` }
    },
  }),
)

function count(operations: readonly Operation[], wanted: OperationKind): number {
  return operations.reduce((sum, { kind }) => (kind === wanted ? sum + 1 : sum), 0)
}
