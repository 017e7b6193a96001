import { PROBLEM_CODES, type ProblemCode } from '../../core/errors/codes.js'
import type { Problem } from '../../core/errors/problem.js'
import { builder } from '../base/builder.js'
import { EntryRef } from '../base/object-refs.js'

const MEANINGS: Readonly<Record<ProblemCode, string>> = {
  EMPTY_CHANGESET: 'There are no operations.',
  DUPLICATE_OPERATION: 'A second operation for the same entry, other than a delete and a create.',
  INVALID_ENTRY: 'An id, kind or content that breaks the rules or cannot be kept as it is.',
  ENTRY_EXISTS: 'A create of an entry that is there.',
  ENTRY_NOT_FOUND: 'An update or delete of an entry that is not there.',
  KIND_MISMATCH: "An update with another kind than the entry's.",
  CONFLICT: 'The entry has changed since the state that the caller went by.',
  HEAD_MOVED: 'The version expected to be the head is not.',
  VERSION_NOT_FOUND: 'There is no such version.',
  REVISION_NOT_FOUND: 'There is no such revision yet.',
  COMPACTED: 'That version or revision has been compacted away.',
  REJECTED: 'A participant said no.',
  PARTICIPANT_TIMEOUT: 'A participant did not answer in time.',
  PARTICIPANT_FAILED: 'A participant could not be asked, or did not answer as it should.',
  ENTRY_IN_USE: 'The entry has live instances.',
  FORBIDDEN: 'The author may not do this.',
  TOO_LARGE: "More than the registry's limits allow.",
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key stands for another request.',
}

type DescribedCodes = Record<ProblemCode, { description: string }>

const ProblemCodeRef = builder.enumType('ProblemCode', {
  description: 'Why a write was refused.',
  values: Object.fromEntries(PROBLEM_CODES.map((code) => [code, { description: MEANINGS[code] }])) as DescribedCodes,
})

export const ProblemRef = builder.objectRef<Problem>('Problem').implement({
  description: 'One reason why a write was refused.',
  fields: (t) => ({
    code: t.expose('code', { type: ProblemCodeRef, description: 'The reason, for machines.' }),
    message: t.exposeString('message', { description: 'What was wrong with which input, and what to do.' }),
    entryId: t.id({
      nullable: true,
      description: 'The entry in question; an id that is none stands as it was sent.',
      resolve: ({ entryId }) => entryId ?? null,
    }),
    operation: t.int({
      nullable: true,
      description: 'Index into the operations sent.',
      resolve: ({ operation }) => operation ?? null,
    }),
    participant: t.string({
      nullable: true,
      description: 'The participant in question.',
      resolve: ({ participant }) => participant ?? null,
    }),
    current: t.field({
      type: EntryRef,
      nullable: true,
      description: 'The entry as it stands, where that explains the problem.',
      resolve: ({ current }) => current ?? null,
    }),
  }),
})
