import { LONGEST_TEXT } from '../../registry/writing/check-write.js'
import { builder } from '../base/builder.js'
import { ApplyResultRef, outcomeOf } from './apply-result-type.js'

interface Texts {
  readonly description: string
  readonly input: string
  readonly argument: string
  readonly version: string
}

/** The mutations that move the head by naming a version. They are asked alike; what becomes of the head differs. */
const MOVES: Readonly<Record<'applyVersion' | 'revertVersion', Texts>> = {
  applyVersion: {
    description:
      'Move the head to a version, back, forward or across branches. Makes no version; the next changeset goes on from there.',
    input: 'Where the head is to move.',
    argument: 'Where to.',
    version: 'The version to move to, on any branch; 0 empties the registry.',
  },
  revertVersion: {
    description:
      'Take back what one version changed, as a new version on top of the head. ' +
      'A CONFLICT for each entry that no longer holds what that version left.',
    input: 'Which version is to be taken back.',
    argument: 'Which.',
    version: 'The version whose changeset is to be inverted, on any branch.',
  },
}

function addMove(move: keyof typeof MOVES): void {
  const texts = MOVES[move]
  const InputRef = builder.inputType(`${move[0]!.toUpperCase()}${move.slice(1)}Input`, {
    description: texts.input,
    fields: (t) => ({
      version: t.field({ type: 'SafeInt', required: true, description: texts.version }),
      expectedHead: t.field({ type: 'SafeInt', description: 'Refuse unless this version is the head.' }),
      message: t.string({ description: `What it is for, ${LONGEST_TEXT.message} bytes at most.` }),
      dryRun: t.boolean({ description: 'Check everything, ask every participant, change nothing.' }),
      idempotencyKey: t.string({
        description:
          'The same key again, with the same content, returns the first answer and applies nothing. 255 bytes at most.',
      }),
      force: t.boolean({
        description: 'Even where it deletes entries with live instances. Matters to live instances only.',
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
        return outcomeOf(context.registry[move](request, { author: context.author }), context)
      },
    }),
  )
}

addMove('applyVersion')
addMove('revertVersion')
