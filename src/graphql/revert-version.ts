import { LONGEST_TEXT } from '../registry/check-write.js'
import { ApplyResultRef, outcomeOf } from './apply-result.js'
import { builder } from './builder.js'

const RevertVersionInputRef = builder.inputType('RevertVersionInput', {
  description: 'Which version is to be taken back.',
  fields: (t) => ({
    version: t.field({ type: 'SafeInt', required: true, description: 'The version whose changeset is to be inverted, on any branch.' }),
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

builder.mutationField('revertVersion', (t) => t.field({
  type: ApplyResultRef,
  description: 'Take back what one version changed, as a new version on top of the head. '
    + 'A CONFLICT for each entry that no longer holds what that version left.',
  args: { input: t.arg({ type: RevertVersionInputRef, required: true, description: 'Which.' }) },
  resolve(_root, { input }, context) {
    const request = {
      version: input.version,
      expectedHead: input.expectedHead ?? null,
      message: input.message ?? null,
      dryRun: input.dryRun ?? false,
      idempotencyKey: input.idempotencyKey ?? null,
      force: input.force ?? false,
    }
    return outcomeOf(context.registry.revertVersion(request, { author: context.author }), context)
  },
}))
