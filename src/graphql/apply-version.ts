import { LONGEST_TEXT } from '../registry/check-write.js'
import { ApplyResultRef, outcomeOf } from './apply-result.js'
import { builder } from './builder.js'

const ApplyVersionInputRef = builder.inputType('ApplyVersionInput', {
  description: 'Where the head is to move.',
  fields: (t) => ({
    version: t.field({
      type: 'SafeInt',
      required: true,
      description: 'The version to move to, on any branch; 0 empties the registry.',
    }),
    expectedHead: t.field({ type: 'SafeInt', description: 'Refuse unless this version is the head.' }),
    message: t.string({ description: `What it is for, ${LONGEST_TEXT.message} bytes at most.` }),
    dryRun: t.boolean({ description: 'Check everything, ask every participant, change nothing.' }),
    idempotencyKey: t.string({
      description: 'The same key again, with the same content, returns the first answer and applies nothing. 255 bytes at most.',
    }),
    force: t.boolean({
      description: 'Even where it deletes entries with live instances. Matters to live instances only.',
    }),
  }),
})

builder.mutationField('applyVersion', (t) => t.field({
  type: ApplyResultRef,
  description: 'Move the head to a version, back, forward or across branches. Makes no version; '
    + 'the next changeset goes on from there.',
  args: { input: t.arg({ type: ApplyVersionInputRef, required: true, description: 'Where to.' }) },
  resolve(_root, { input }, context) {
    const request = {
      version: input.version,
      expectedHead: input.expectedHead ?? null,
      message: input.message ?? null,
      dryRun: input.dryRun ?? false,
      idempotencyKey: input.idempotencyKey ?? null,
      force: input.force ?? false,
    }
    return outcomeOf(context.registry.applyVersion(request, { author: context.author }), context)
  },
}))
