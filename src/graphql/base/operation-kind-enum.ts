import { builder } from './builder.js'

export const OperationKindRef = builder.enumType('OperationKind', {
  description: 'What an operation does to an entry.',
  values: {
    CREATE: { description: 'Makes an entry where there was none.' },
    UPDATE: { description: "Replaces an entry's meta and data whole; its kind stays." },
    DELETE: { description: 'Removes an entry; its history stays.' },
  },
})
