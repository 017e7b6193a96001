import { EntryChangeRef, EntryRevisionRef } from '../base/object-refs.js'
import { OperationKindRef } from '../base/operation-kind-enum.js'
import { connectionType } from '../relay/connection.js'

EntryChangeRef.implement({
  description: 'A change that a transition made to one entry.',
  fields: (t) => ({
    kind: t.expose('kind', { type: OperationKindRef, description: 'The kind of change.' }),
    entryId: t.exposeID('id', { description: 'The id of the entry.' }),
    revision: t.expose('revision', { type: 'SafeInt', description: 'The revision that made the change.' }),
    entry: t.expose('entry', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'The content after the change; null for a DELETE.',
    }),
    previous: t.expose('previous', {
      type: EntryRevisionRef,
      nullable: true,
      description: 'The content before the change; null for a CREATE.',
    }),
  }),
})

export const EntryChangeConnection = connectionType(EntryChangeRef, 'changes')
