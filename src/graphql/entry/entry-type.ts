import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'
import { EntryRef, InstanceRef } from '../base/object-refs.js'
import { connectionOf, entryConnectionType } from '../relay/connection.js'
import { numberCursors } from '../relay/cursor-codec.js'
import { NodeRef } from '../relay/node-interface.js'
import { pageArgs, pageFrom } from '../relay/page-args.js'
import { DependencyRef, dependenciesOf, dependentsOf } from './dependency-type.js'
import { EntryRevisionConnection } from './entry-revision-type.js'
import { EntryStateRef } from './entry-state-interface.js'

EntryRef.implement({
  description: 'An entry as it stands at the head.',
  interfaces: [NodeRef, EntryStateRef],
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Equal to entryId.' }),
    history: t.field({
      type: EntryRevisionConnection,
      description: 'Every content this entry has had, under this id and at any time, newest first.',
      args: pageArgs,
      async resolve({ id }, args, { registry, loaders }) {
        const cursors = numberCursors(registry.history.registryId, `history ${id}`)
        const page = pageFrom(args, cursors)
        // Before the page, so that the page is at least as new as the revision it names.
        const { revision } = await loaders().head()
        const found = await loaders().history.load({ of: id, page })
        const totalCount = () => loaders().historyCount.load(id)
        return { ...connectionOf(page, found, cursors, (entry) => entry.revision, totalCount), revision }
      },
    }),
    dependencies: t.field({
      type: [DependencyRef],
      description: 'Which entries this one refers to, and where; a reference to nothing has no target.',
      resolve: (entry, _args, context) => dependenciesOf(entry, context),
    }),
    dependents: t.field({
      type: [DependencyRef],
      description: 'Which entries refer to this one, and where.',
      resolve: (entry, _args, context) => dependentsOf(entry, context),
    }),
    instances: t.field({
      type: [InstanceRef],
      description: 'Live users of this entry, in the order in which they came.',
      resolve: async ({ id }, _args, { loaders }) => [...(await loaders().instances.load(id))],
    }),
  }),
})

export const EntryConnection = entryConnectionType(EntryRef, 'entries')

builder.queryField('entry', (t) =>
  t.field({
    type: EntryRef,
    nullable: true,
    description: 'One entry at the head; null where there is none. Cheaper than a snapshot.',
    args: { id: t.arg({ type: 'EntryID', required: true, description: 'Whose entry.' }) },
    resolve: (_root, { id }, { loaders }) => loaders().entry.load(entryIdFrom(id)),
  }),
)
