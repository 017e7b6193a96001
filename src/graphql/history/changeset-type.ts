import { ChangesetRef, EntryRevisionRef, OperationRef } from '../base/object-refs.js'
import { OperationKindRef } from '../base/operation-kind-enum.js'
import { connectionType } from '../relay/connection.js'
import { forwardArgs } from '../relay/page-args.js'
import { changesPage } from './changes-page.js'

OperationRef.implement({
  description: 'An operation of a changeset that was applied.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OperationKindRef, description: 'The kind of change.' }),
    entryId: t.exposeID('id', { description: 'The id of the entry.' }),
    entry: t.expose('entry', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'The content after the operation; null for a DELETE.',
    }),
    original: t.expose('previous', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'The content before the operation; null for a CREATE.',
    }),
  }),
})

const OperationConnection = connectionType(OperationRef, 'operations')

ChangesetRef.implement({
  description: 'The operations that made a version from its parent.',
  fields: (t) => ({
    operations: t.field({
      type: OperationConnection,
      description:
        'The operations, in the order in which they were applied: each after those that it depends on. v0 has none.',
      args: forwardArgs,
      resolve: (version, args, context) =>
        changesPage(
          'operations',
          version.revision,
          args,
          () => version.created + version.updated + version.deleted,
          context,
        ),
    }),
    created: t.exposeInt('created', { description: 'The number of entries that it created.' }),
    updated: t.exposeInt('updated', { description: 'The number of entries that it updated.' }),
    deleted: t.exposeInt('deleted', { description: 'The number of entries that it deleted.' }),
  }),
})
