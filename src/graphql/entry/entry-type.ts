import type { EntryRevision } from '../../core/entry/entry.js'
import { builder } from '../base/builder.js'
import { foundUnder, storedEntryIdFrom } from '../base/entry-id-from.js'
import { EntryRef, InstanceRef } from '../base/object-refs.js'
import { connectionOf, entryConnectionType } from '../relay/connection.js'
import { numberCursors } from '../relay/cursor-codec.js'
import { NodeRef } from '../relay/node-interface.js'
import { listArgs, pageArgs, pageFrom } from '../relay/page-args.js'
import { DependencyRef, dependenciesOf, dependentsOf } from './dependency-type.js'
import { EntryRevisionConnection } from './entry-revision-type.js'
import { EntryStateRef } from './entry-state-interface.js'

EntryRef.implement({
  description: 'An entry at the head: a named, versioned record of the registry.',
  interfaces: [NodeRef, EntryStateRef],
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id of the entry, e.g. "shop:cart". Equal to `entryId`.' }),
    history: t.field({
      type: EntryRevisionConnection,
      description: 'All contents that this id has ever had, newest first.',
      args: pageArgs,
      async resolve({ id }, args, { registry, loaders }) {
        const cursors = numberCursors(registry.history.registryId, `history ${id}`)
        const page = pageFrom(args, cursors)
        // The head is read before the page, so that the page is at least as new as the revision it reports.
        const { revision } = await loaders().head()
        const found = await loaders().history.load({ of: id, page })
        const totalCount = () => loaders().historyCount.load(id)
        return { ...connectionOf(page, found, cursors, (entry) => entry.revision, totalCount), revision }
      },
    }),
    dependencies: t.field({
      type: [DependencyRef],
      description:
        'The references from this entry to others, sorted by path, then by target. A dangling reference has no target.',
      args: listArgs,
      resolve: async (entry, args, context) => [...(await dependenciesOf(entry, args, context)).items],
    }),
    dependenciesTruncated: t.boolean({
      description: 'Whether `dependencies` with the same arguments leaves some out at its end.',
      args: listArgs,
      resolve: async (entry, args, context) => (await dependenciesOf(entry, args, context)).hasMore,
    }),
    dependents: t.field({
      type: [DependencyRef],
      description: 'The references from other entries to this one, sorted by source, then by path.',
      args: listArgs,
      resolve: async (entry, args, context) => [...(await dependentsOf(entry, args, context)).items],
    }),
    dependentsTruncated: t.boolean({
      description: 'Whether `dependents` with the same arguments leaves some out at its end.',
      args: listArgs,
      resolve: async (entry, args, context) => (await dependentsOf(entry, args, context)).hasMore,
    }),
    instances: t.field({
      type: [InstanceRef],
      description: 'The live instances of this entry (programs that use it), in the order of acquisition.',
      resolve: async ({ id }, _args, { loaders }) => [...(await loaders().instances.load(id))],
    }),
  }),
})

export const EntryConnection = entryConnectionType(EntryRef, 'entries')

builder.queryField('entry', (t) =>
  t.field({
    type: EntryRef,
    nullable: true,
    description: 'An entry at the head; null if it does not exist. The fastest way to read one entry.',
    args: { id: t.arg({ type: 'EntryID', required: true, description: 'The id of the entry.' }) },
    resolve(_root, { id: submitted }, { loaders }) {
      const id = storedEntryIdFrom(submitted)
      // Not in an async function: an entry that is cached is returned without a promise.
      const read = loaders().entry.load(id) as Promise<EntryRevision | null> | EntryRevision | null
      return read instanceof Promise ? read.then((found) => foundUnder(id, found)) : foundUnder(id, read)
    },
  }),
)
