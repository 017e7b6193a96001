import { WARNING_CODES, type Warning, type WarningCode } from '../../registry/writing/changeset-warnings.js'
import { builder } from '../base/builder.js'

const MEANINGS: Readonly<Record<WarningCode, string>> = {
  DEPENDENCY_CYCLE:
    'Entries depend on one another in a circle, or one on itself. The order was broken at the smallest id.',
  DANGLING_DEPENDENTS: 'Entries still refer to one that is deleted, or to a namespace or group whose last entry is.',
  MORE_WARNINGS: 'There are more than are listed.',
}

type DescribedCodes = Record<WarningCode, { description: string }>

const WarningCodeRef = builder.enumType('WarningCode', {
  description: 'What a warning is about.',
  values: Object.fromEntries(WARNING_CODES.map((code) => [code, { description: MEANINGS[code] }])) as DescribedCodes,
})

export const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description: 'Something about a changeset that could be applied, and that its author may not have meant.',
  fields: (t) => ({
    code: t.expose('code', { type: WarningCodeRef, description: 'What it is about, for machines.' }),
    message: t.exposeString('message', { description: 'What it is, for people.' }),
    entryId: t.exposeID('entryId', {
      nullable: true,
      description: 'The deleted entry that others still refer to; null of anything else.',
    }),
    entryIds: t.idList({
      description:
        'Those on the circle, or those that still refer to the deleted entry; by id, 1,000 at most: the message has their number.',
      resolve: ({ entryIds }) => [...entryIds],
    }),
  }),
})
