import { builder } from '../base/builder.js'

export const EntryOrderRef = builder.enumType('EntryOrder', {
  description: 'How a list of entries is ordered. Ids go by namespace, then name, each by code point.',
  values: {
    ID_ASC: { description: 'By id.' },
    ID_DESC: { description: 'By id, backwards.' },
    REVISION_ASC: { description: 'Oldest content first; of one revision by id.' },
    REVISION_DESC: { description: 'Newest content first.' },
  },
})
