import type { SubmittedId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { LONGEST_TEXT } from '../../registry/writing/check-write.js'
import type { RawOperation } from '../../registry/writing/write-input.js'
import { builder } from '../base/builder.js'
import { EntryInputRef } from '../entry/entry-input.js'
import { ApplyResultRef, outcomeOf } from './apply-result-type.js'

const IF_REVISION = "Refuse unless the entry's content is still of this revision."

const UpdateInputRef = builder.inputType('UpdateInput', {
  description: 'New content for an entry, in place of all of the old.',
  fields: (t) => ({
    id: t.field({ type: 'EntryID', required: true, description: '"namespace:name" or {ns, name}.' }),
    kind: t.string({ required: true, description: "Must equal the entry's kind." }),
    meta: t.field({ type: 'JSONObject', description: 'Replaces meta whole; {} where left out or null.' }),
    data: t.field({ type: 'JSON', description: 'Replaces data whole; null where left out.' }),
    ifRevision: t.field({ type: 'SafeInt', description: IF_REVISION }),
  }),
})

const DeleteInputRef = builder.inputType('DeleteInput', {
  description: 'An entry to be removed.',
  fields: (t) => ({
    id: t.field({ type: 'EntryID', required: true, description: '"namespace:name" or {ns, name}.' }),
    ifRevision: t.field({ type: 'SafeInt', description: IF_REVISION }),
    force: t.boolean({ description: 'Delete it even while instances of it live. Matters to live instances only.' }),
  }),
})

const OperationInputRef = builder.inputType('OperationInput', {
  description: 'One operation.',
  isOneOf: true,
  fields: (t) => ({
    create: t.field({ type: EntryInputRef, description: 'Make an entry that is not there.' }),
    update: t.field({ type: UpdateInputRef, description: 'Replace the content of an entry that is there.' }),
    delete: t.field({ type: DeleteInputRef, description: 'Remove an entry that is there.' }),
  }),
})

const ApplyChangesetInputRef = builder.inputType('ApplyChangesetInput', {
  description: 'A changeset: operations that are applied together or not at all.',
  fields: (t) => ({
    operations: t.field({
      type: [OperationInputRef],
      required: true,
      description:
        'In any order: they are put in order by what depends on what. One for each entry, save a delete with a create.',
    }),
    base: t.field({
      type: 'SafeInt',
      description:
        'The revision that the operations were prepared against: any entry they touch that has changed since is a CONFLICT.',
    }),
    expectedHead: t.field({ type: 'SafeInt', description: 'Refuse unless this version is the head.' }),
    message: t.string({ description: `What it is for, ${LONGEST_TEXT.message} bytes at most.` }),
    dryRun: t.boolean({ description: 'Check everything, ask every participant, change nothing.' }),
    idempotencyKey: t.string({
      description:
        'The same key again, with the same content, returns the first answer and applies nothing. 255 bytes at most.',
    }),
  }),
})

builder.mutationField('applyChangeset', (t) =>
  t.field({
    type: ApplyResultRef,
    description: 'Apply a changeset to the head: all operations or none, and one new version.',
    args: { input: t.arg({ type: ApplyChangesetInputRef, required: true, description: 'The changeset.' }) },
    resolve(_root, { input }, context) {
      const request = {
        operations: input.operations.map(rawOperation),
        base: input.base ?? null,
        expectedHead: input.expectedHead ?? null,
        message: input.message ?? null,
        dryRun: input.dryRun ?? false,
        idempotencyKey: input.idempotencyKey ?? null,
      }
      return outcomeOf(context.registry.applyChangeset(request, { author: context.author }), context)
    },
  }),
)

interface ContentInput {
  readonly id: SubmittedId
  readonly kind: string
  readonly meta?: unknown
  readonly data?: unknown
  readonly ifRevision?: number | null | undefined
}

interface OperationInput {
  readonly create?: ContentInput | null | undefined
  readonly update?: ContentInput | null | undefined
  readonly delete?:
    | (Pick<ContentInput, 'id' | 'ifRevision'> & { readonly force?: boolean | null | undefined })
    | null
    | undefined
}

function rawOperation(input: OperationInput, index: number): RawOperation {
  if (input.create != null) return withContent('CREATE', input.create)
  if (input.update != null) return withContent('UPDATE', input.update)
  if (input.delete != null) {
    const { id, ifRevision, force } = input.delete
    return { kind: 'DELETE', id, ifRevision: ifRevision ?? null, force: force ?? false }
  }
  throw new RegistryError('BAD_USER_INPUT', `operations[${index}]: give one of create, update and delete`)
}

function withContent(
  kind: 'CREATE' | 'UPDATE',
  { id, kind: entryKind, meta, data, ifRevision }: ContentInput,
): RawOperation {
  return { kind, id, entryKind, meta, data, ifRevision: ifRevision ?? null }
}
