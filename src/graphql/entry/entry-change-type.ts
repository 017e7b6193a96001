import { EntryChangeRef, EntryRevisionRef } from '../base/object-refs.js'
import { OperationKindRef } from '../base/operation-kind-enum.js'
import { connectionType } from '../relay/connection.js'

EntryChangeRef.implement({
  description: 'What a movement of the head did to one entry.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OperationKindRef, description: 'What happened to it.' }),
    entryId: t.exposeID('id', { description: 'Which entry.' }),
    revision: t.expose('revision', { type: 'SafeInt', description: 'The movement of the head that did it.' }),
    entry: t.expose('entry', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'What it holds afterwards; null for a delete.',
    }),
    previous: t.expose('previous', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'What it held before; null for a create.',
    }),
  }),
})

export const EntryChangeConnection = connectionType(EntryChangeRef, 'changes')
