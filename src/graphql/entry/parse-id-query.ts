import { type EntryIdParts, entryIdParts } from '../../core/entry/entry-id.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'

const EntryIdPartsRef = builder.objectRef<EntryIdParts>('EntryIdParts').implement({
  description: 'The two parts of an entry id, normalized to NFC as the registry stores them.',
  fields: (t) => ({
    ns: t.exposeString('ns', { description: 'The namespace: the part before the first colon.' }),
    name: t.exposeString('name', { description: 'The name: the part after the first colon. It may contain colons.' }),
  }),
})

builder.queryField('parseId', (t) =>
  t.field({
    type: EntryIdPartsRef,
    description:
      'Splits an entry id at its first colon. An invalid id is an error with code BAD_USER_INPUT that names the broken rule.',
    args: { id: t.arg.string({ required: true, description: 'The id, as "namespace:name".' }) },
    resolve: (_root, { id }) => entryIdParts(entryIdFrom(id)),
  }),
)
