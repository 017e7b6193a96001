import { builder } from '../base/builder.js'

export const EntryOrderRef = builder.enumType('EntryOrder', {
  description:
    'The order of a list of entries. Ids are sorted by namespace, then by name, each by Unicode code points.',
  values: {
    ID_ASC: { description: 'By id, ascending.' },
    ID_DESC: { description: 'By id, descending.' },
    REVISION_ASC: { description: 'By revision, least recently changed first. Within a revision by id.' },
    REVISION_DESC: { description: 'By revision, most recently changed first.' },
  },
})
