import { PROBLEM_CODES, type ProblemCode } from '../../core/errors/codes.js'
import type { Problem } from '../../core/errors/problem.js'
import { builder } from '../base/builder.js'
import { EntryRef } from '../base/object-refs.js'

const MEANINGS: Readonly<Record<ProblemCode, string>> = {
  EMPTY_CHANGESET: 'The changeset has no operations.',
  DUPLICATE_OPERATION:
    'The changeset has another operation for the same entry. Only a delete with a create is allowed.',
  INVALID_ENTRY: 'The id, kind or content breaks a rule or cannot be stored unchanged.',
  ENTRY_EXISTS: 'A create names an entry that already exists.',
  ENTRY_NOT_FOUND: 'An update or delete names an entry that does not exist.',
  KIND_MISMATCH: 'An update has another kind than the entry.',
  CONFLICT:
    'The entry has changed since the revision that the caller read, or keeps changing while participants are asked.',
  HEAD_MOVED: 'The head is not the expected version.',
  VERSION_NOT_FOUND: 'The version does not exist.',
  REVISION_NOT_FOUND: 'The revision does not exist yet.',
  COMPACTED: 'The version or revision was removed by compaction.',
  REJECTED: 'A participant rejected the operation.',
  PARTICIPANT_TIMEOUT: 'A participant did not answer in time.',
  PARTICIPANT_FAILED: 'A participant could not be reached, or its answer was invalid.',
  ENTRY_IN_USE: 'The entry has live instances.',
  FORBIDDEN: 'The author is not allowed to do this.',
  TOO_LARGE: 'The entry or changeset exceeds a limit.',
  IDEMPOTENCY_KEY_REUSED: 'The idempotency key was already used for another input.',
}

type DescribedCodes = Record<ProblemCode, { description: string }>

const ProblemCodeRef = builder.enumType('ProblemCode', {
  description: 'The reason why a write was refused.',
  values: Object.fromEntries(PROBLEM_CODES.map((code) => [code, { description: MEANINGS[code] }])) as DescribedCodes,
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
      description: 'The id of the affected entry. An invalid id is returned as it was sent.',
      resolve: ({ entryId }) => entryId ?? null,
    }),
    operation: t.int({
      nullable: true,
      description: 'The index of the affected operation in the input, from 0.',
      resolve: ({ operation }) => operation ?? null,
    }),
    participant: t.string({
      nullable: true,
      description: 'The name of the participant that rejected, timed out or failed.',
      resolve: ({ participant }) => participant ?? null,
    }),
    current: t.field({
      type: EntryRef,
      nullable: true,
      description: 'The affected entry as it is now, for example what a CONFLICT is with.',
      resolve: ({ current }) => current ?? null,
    }),
  }),
})
