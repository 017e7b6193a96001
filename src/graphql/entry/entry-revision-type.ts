import { entryRevisionKey } from '../../store/contract/history-reader.js'
import { EntryRef, EntryRevisionRef } from '../base/object-refs.js'
import { entryConnectionType } from '../relay/connection.js'
import { NodeRef } from '../relay/node-interface.js'
import { EntryStateRef } from './entry-state-interface.js'

EntryRevisionRef.implement({
  description: 'The content that a revision gave to an entry. It never changes, so clients can cache it forever.',
  interfaces: [NodeRef, EntryStateRef],
  fields: (t) => ({
    id: t.id({
      description: 'The id of this content: "r", the revision, "/" and the id of the entry, e.g. "r17/shop:cart".',
      resolve: entryRevisionKey,
    }),
    entry: t.field({
      type: EntryRef,
      nullable: true,
      description: 'The entry as it is now; null if it has been deleted.',
      resolve: (revision, _args, { loaders }) => loaders().entry.load(revision.id),
    }),
  }),
})

export const EntryRevisionConnection = entryConnectionType(EntryRevisionRef, 'entry revisions')
