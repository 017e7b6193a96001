import { codesOf, type ProblemCode } from '../../core/errors/codes.js'
import type { Problem } from '../../core/errors/problem.js'
import { builder } from '../base/builder.js'
import { EntryRef } from '../base/object-refs.js'

const ProblemCodeRef = builder.enumType('ProblemCode', {
  description: 'The reason why a write was refused.',
  values: Object.fromEntries(codesOf('problem').map(({ code, meaning }) => [code, { description: meaning }])) as Record<
    ProblemCode,
    { description: string }
  >,
})

export const ProblemRef = builder.objectRef<Problem>('Problem').implement({
  description: 'One reason why a write was refused.',
  fields: (t) => ({
    code: t.expose('code', { type: ProblemCodeRef, description: 'The reason, for programs.' }),
    message: t.exposeString('message', {
      description: 'The reason, for people: what is wrong, where, and what to do.',
    }),
    entryId: t.id({
      nullable: true,
      description:
        'The id of the affected entry; null if there is no single one. An invalid id is returned as it was sent.',
      resolve: ({ entryId }) => entryId ?? null,
    }),
    operation: t.int({
      nullable: true,
      description: 'The index of the affected operation in the input, from 0; null if there is no single one.',
      resolve: ({ operation }) => operation ?? null,
    }),
    participant: t.string({
      nullable: true,
      description: 'The name of the participant that rejected, timed out or failed; null for other problems.',
      resolve: ({ participant }) => participant ?? null,
    }),
    current: t.field({
      type: EntryRef,
      nullable: true,
      description: 'The affected entry as it is now, e.g. for a CONFLICT; null if it would not explain the problem.',
      resolve: ({ current }) => current ?? null,
    }),
  }),
})
