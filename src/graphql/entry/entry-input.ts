import { builder } from '../base/builder.js'

export const EntryInputRef = builder.inputType('EntryInput', {
  description: 'An entry: its id and content.',
  fields: (t) => ({
    id: t.field({ type: 'EntryID', required: true, description: 'The id, as "namespace:name" or {ns, name}.' }),
    kind: t.string({
      required: true,
      description: 'The type of the entry, e.g. "function.lua": segments of letters, digits, _ and -, joined by dots.',
    }),
    meta: t.field({ type: 'JSONObject', description: 'Searchable attributes of the entry. {} by default.' }),
    data: t.field({ type: 'JSON', description: 'The payload of the entry, which is not searchable. null by default.' }),
  }),
})
