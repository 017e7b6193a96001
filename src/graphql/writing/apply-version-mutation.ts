import { LONGEST_TEXT } from '../../registry/writing/check-write.js'
import { afterWrite } from '../base/after-write.js'
import { builder } from '../base/builder.js'
import { ApplyResultRef } from './apply-result-type.js'

interface Texts {
  readonly description: string
  readonly input: string
  readonly argument: string
  readonly version: string
}

/** The mutations that name a version. Their inputs are alike, but their effects on the head differ. */
const MOVES: Readonly<Record<'applyVersion' | 'revertVersion', Texts>> = {
  applyVersion: {
    description:
      'Moves the head to an existing version: back (a rollback), forward, or to another branch. Makes no new version. The next changeset continues from there.',
    input: 'The version to move the head to, and how.',
    argument: 'The version and how to apply it.',
    version: 'The number of the version, on any branch. 0 empties the registry.',
  },
  revertVersion: {
    description:
      'Undoes the changes of one version, as a new version on top of the head (like `git revert`). ' +
      'An entry that has changed since that version is a CONFLICT.',
    input: 'The version to undo, and how.',
    argument: 'The version and how to revert it.',
    version: 'The number of the version whose changeset is inverted, on any branch.',
  },
}

function addMove(move: keyof typeof MOVES): void {
  const texts = MOVES[move]
  const InputRef = builder.inputType(`${move[0]!.toUpperCase()}${move.slice(1)}Input`, {
    description: texts.input,
    fields: (t) => ({
      version: t.field({ type: 'SafeInt', required: true, description: texts.version }),
      expectedHead: t.field({
        type: 'SafeInt',
        description: 'A fence: the version that must be the head. Otherwise the request is refused with HEAD_MOVED.',
      }),
      message: t.string({ description: `A message that explains the change. At most ${LONGEST_TEXT.message} bytes.` }),
      dryRun: t.boolean({
        description: 'Whether to only check the request. Participants are asked too, but nothing changes.',
      }),
      idempotencyKey: t.string({
        description:
          'A key that makes retries safe. The same key with the same input returns the first result and applies nothing. At most 255 bytes.',
      }),
      force: t.boolean({
        description:
          'Whether to delete entries even if they have live instances, which ends them. Without it, that is ENTRY_IN_USE.',
      }),
    }),
  })
  builder.mutationField(move, (t) =>
    t.field({
      type: ApplyResultRef,
      description: texts.description,
      args: { input: t.arg({ type: InputRef, required: true, description: texts.argument }) },
      resolve(_root, { input }, context) {
        const request = {
          version: input.version,
          expectedHead: input.expectedHead ?? null,
          message: input.message ?? null,
          dryRun: input.dryRun ?? false,
          idempotencyKey: input.idempotencyKey ?? null,
          force: input.force ?? false,
        }
        return afterWrite(context, context.registry[move](request, { author: context.author }))
      },
    }),
  )
}

addMove('applyVersion')
addMove('revertVersion')
