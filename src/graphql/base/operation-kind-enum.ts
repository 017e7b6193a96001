import { builder } from './builder.js'

export const OperationKindRef = builder.enumType('OperationKind', {
  description: 'The kind of change that an operation makes to an entry.',
  values: {
    CREATE: { description: 'Creates an entry.' },
    UPDATE: { description: "Replaces an entry's `meta` and `data` completely. Its `kind` cannot change." },
    DELETE: { description: 'Deletes an entry. Its history stays readable.' },
  },
})
