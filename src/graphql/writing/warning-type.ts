import { WARNING_CODES, type Warning, type WarningCode } from '../../core/errors/warning.js'
import { builder } from '../base/builder.js'

const MEANINGS: Readonly<Record<WarningCode, string>> = {
  DEPENDENCY_CYCLE:
    'Entries depend on each other in a cycle, or an entry depends on itself. The order breaks the cycle at its smallest id.',
  DANGLING_DEPENDENTS:
    'Entries still refer to a deleted entry, or to a namespace or group whose last entry was deleted.',
  BREAKING_CHANGE:
    'A subgraph breaks clients of the supergraph. Only where `federation.compose.onBreaking` is `warn`, and when going back.',
  MORE_WARNINGS: 'There are more warnings than are listed.',
}

type DescribedCodes = Record<WarningCode, { description: string }>

const WarningCodeRef = builder.enumType('WarningCode', {
  description: 'The kind of a warning.',
  values: Object.fromEntries(WARNING_CODES.map((code) => [code, { description: MEANINGS[code] }])) as DescribedCodes,
})

export const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description: 'A possible mistake in a changeset. It does not prevent the write.',
  fields: (t) => ({
    code: t.expose('code', { type: WarningCodeRef, description: 'The kind of warning, for programs.' }),
    message: t.exposeString('message', { description: 'The warning, for people.' }),
    entryId: t.exposeID('entryId', {
      nullable: true,
      description:
        'The id of the deleted entry that others still refer to, or of the subgraph with a breaking change; null for other warnings.',
    }),
    entryIds: t.idList({
      description:
        'The ids of the entries on the cycle, or of those that still refer to the deleted entry. Sorted, at most 1,000; the message has the total.',
      resolve: ({ entryIds }) => [...entryIds],
    }),
  }),
})
