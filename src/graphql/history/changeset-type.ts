import { ChangesetRef, EntryRevisionRef, OperationRef } from '../base/object-refs.js'
import { OperationKindRef } from '../base/operation-kind-enum.js'
import { connectionType } from '../relay/connection.js'
import { forwardArgs } from '../relay/page-args.js'
import { changesPage } from './changes-page.js'

OperationRef.implement({
  description: 'One step of a changeset.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OperationKindRef, description: 'What it did.' }),
    entryId: t.exposeID('id', { description: 'To which entry.' }),
    entry: t.expose('entry', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'The new content; null for a delete.',
    }),
    original: t.expose('previous', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'The content before; null for a create.',
    }),
  }),
})

const OperationConnection = connectionType(OperationRef, 'operations')

ChangesetRef.implement({
  description: 'What a version changed, as operations in the order in which they apply: each after what it depends on.',
  fields: (t) => ({
    operations: t.field({
      type: OperationConnection,
      description: "Its operations. The root's changeset has none.",
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
    created: t.exposeInt('created', { description: 'How many entries it created.' }),
    updated: t.exposeInt('updated', { description: 'How many entries it updated.' }),
    deleted: t.exposeInt('deleted', { description: 'How many entries it deleted.' }),
  }),
})
