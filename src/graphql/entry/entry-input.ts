import { builder } from '../base/builder.js'

export const EntryInputRef = builder.inputType('EntryInput', {
  description: 'An entry with its content.',
  fields: (t) => ({
    id: t.field({ type: 'EntryID', required: true, description: '"namespace:name" or {ns, name}.' }),
    kind: t.string({
      required: true,
      description: 'One or more segments of letters, digits, _ and -, joined by dots.',
    }),
    meta: t.field({ type: 'JSONObject', description: 'What can be searched for; {} where left out or null.' }),
    data: t.field({ type: 'JSON', description: 'Anything; null where left out.' }),
  }),
})
