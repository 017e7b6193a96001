import { entryRevisionKey } from '../../store/contract/history-reader.js'
import { EntryRef, EntryRevisionRef } from '../base/object-refs.js'
import { entryConnectionType } from '../relay/connection.js'
import { NodeRef } from '../relay/node-interface.js'
import { EntryStateRef } from './entry-state-interface.js'

EntryRevisionRef.implement({
  description: "An entry's content as some revision left it. It never changes: a client may keep it for good.",
  interfaces: [NodeRef, EntryStateRef],
  fields: (t) => ({
    id: t.id({ description: '"r", the revision, "/" and the entry\'s id.', resolve: entryRevisionKey }),
    entry: t.field({
      type: EntryRef,
      nullable: true,
      description: 'The entry as it stands now; null where it has been deleted.',
      resolve: (revision, _args, { loaders }) => loaders().entry.load(revision.id),
    }),
  }),
})

export const EntryRevisionConnection = entryConnectionType(EntryRevisionRef, 'contents that entries have or had')
