import type { SubmittedId } from '../../core/entry/entry-id.js'
import { RegistryError } from '../../core/errors/registry-error.js'
import { LONGEST_TEXT } from '../../registry/writing/check-write.js'
import type { RawOperation } from '../../registry/writing/write-input.js'
import { afterWrite } from '../base/after-write.js'
import { builder } from '../base/builder.js'
import { EntryInputRef } from '../entry/entry-input.js'
import { ApplyResultRef } from './apply-result-type.js'

const IF_REVISION = "A fence: refuses the operation with CONFLICT unless the entry's `revision` equals this."

const UpdateInputRef = builder.inputType('UpdateInput', {
  description: 'New content for an existing entry. It replaces all of the old content.',
  fields: (t) => ({
    id: t.field({
      type: 'EntryID',
      required: true,
      description: 'The id of the entry, as "namespace:name" or {ns, name}.',
    }),
    kind: t.string({
      required: true,
      description:
        'The kind of the entry. An update cannot change it; to change it, delete and create the entry in one changeset.',
    }),
    meta: t.field({
      type: 'JSONObject',
      description: 'The new `meta`, which replaces the old one completely. {} by default.',
    }),
    data: t.field({
      type: 'JSON',
      description: 'The new `data`, which replaces the old one completely. null by default.',
    }),
    ifRevision: t.field({ type: 'SafeInt', description: IF_REVISION }),
  }),
})

const DeleteInputRef = builder.inputType('DeleteInput', {
  description: 'An entry to delete.',
  fields: (t) => ({
    id: t.field({
      type: 'EntryID',
      required: true,
      description: 'The id of the entry, as "namespace:name" or {ns, name}.',
    }),
    ifRevision: t.field({ type: 'SafeInt', description: IF_REVISION }),
    force: t.boolean({
      description:
        'Whether to delete the entry, or replace it by another kind, even if it has live instances, which ends them. Without it, that is ENTRY_IN_USE.',
    }),
  }),
})

const OperationInputRef = builder.inputType('OperationInput', {
  description: 'One operation of a changeset. Set exactly one field.',
  isOneOf: true,
  fields: (t) => ({
    create: t.field({ type: EntryInputRef, description: 'Creates an entry. It must not exist yet.' }),
    update: t.field({ type: UpdateInputRef, description: 'Replaces the content of an existing entry.' }),
    delete: t.field({ type: DeleteInputRef, description: 'Deletes an existing entry.' }),
  }),
})

const ApplyChangesetInputRef = builder.inputType('ApplyChangesetInput', {
  description: 'A changeset: operations that are applied all together or not at all.',
  fields: (t) => ({
    operations: t.field({
      type: [OperationInputRef],
      required: true,
      description:
        'The operations, in any order: the gateway sorts them by dependency. At most one for each entry, except a delete with a create.',
    }),
    base: t.field({
      type: 'SafeInt',
      description:
        'A fence: the revision you read. An operation is refused with CONFLICT if its entry has changed since then.',
    }),
    expectedHead: t.field({
      type: 'SafeInt',
      description: 'A fence: the version that must be the head. Otherwise the changeset is refused with HEAD_MOVED.',
    }),
    message: t.string({
      description: `A message for the new version, like a commit message. At most ${LONGEST_TEXT.message} bytes.`,
    }),
    dryRun: t.boolean({
      description: 'Whether to only check the changeset. Participants are asked too, but nothing changes.',
    }),
    idempotencyKey: t.string({
      description:
        'A key that makes retries safe. The same key with the same input returns the first result and applies nothing. At most 255 bytes.',
    }),
  }),
})

builder.mutationField('applyChangeset', (t) =>
  t.field({
    type: ApplyResultRef,
    description: 'Applies a changeset to the head: all operations or none. Makes one new version.',
    args: {
      input: t.arg({ type: ApplyChangesetInputRef, required: true, description: 'The changeset and how to apply it.' }),
    },
    resolve(_root, { input }, context) {
      const request = {
        operations: input.operations.map(rawOperation),
        base: input.base ?? null,
        expectedHead: input.expectedHead ?? null,
        message: input.message ?? null,
        dryRun: input.dryRun ?? false,
        idempotencyKey: input.idempotencyKey ?? null,
      }
      return afterWrite(context, context.registry.applyChangeset(request, { author: context.author }))
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
  throw new RegistryError('BAD_USER_INPUT', `operations[${index}]: set exactly one of create, update and delete`)
}

function withContent(
  kind: 'CREATE' | 'UPDATE',
  { id, kind: entryKind, meta, data, ifRevision }: ContentInput,
): RawOperation {
  return { kind, id, entryKind, meta, data, ifRevision: ifRevision ?? null }
}
