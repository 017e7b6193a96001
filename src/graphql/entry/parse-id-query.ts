import { type EntryIdParts, entryIdParts } from '../../core/entry/entry-id.js'
import { builder } from '../base/builder.js'
import { entryIdFrom } from '../base/entry-id-from.js'

const EntryIdPartsRef = builder.objectRef<EntryIdParts>('EntryIdParts').implement({
  description: 'An id in its two parts, as the registry keeps them.',
  fields: (t) => ({
    ns: t.exposeString('ns', { description: 'What stands before the first colon.' }),
    name: t.exposeString('name', { description: 'What stands behind the first colon; may hold further ones.' }),
  }),
})

builder.queryField('parseId', (t) =>
  t.field({
    type: EntryIdPartsRef,
    description: 'Splits an id at its first colon. BAD_USER_INPUT, with the rule that is broken, where it is none.',
    args: { id: t.arg.string({ required: true, description: '"namespace:name"' }) },
    resolve: (_root, { id }) => entryIdParts(entryIdFrom(id)),
  }),
)
