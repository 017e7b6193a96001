import { LONGEST_REASON } from '../../registry/participants/participant.js'
import { builder } from '../base/builder.js'

const AnswerProposalInputRef = builder.inputType('AnswerProposalInput', {
  description: "A participant's word on an operation.",
  fields: (t) => ({
    proposal: t.id({ required: true, description: "The proposal's id." }),
    accept: t.boolean({ required: true, description: 'False refuses the whole changeset.' }),
    reason: t.string({ description: `Why not, for whoever sent the changeset. ${LONGEST_REASON} bytes at most.` }),
  }),
})

const ProposalAnsweredRef = builder
  .objectRef<{ readonly proposal: string; readonly counted: boolean }>('ProposalAnswered')
  .implement({
    description: 'Whether an answer came in time.',
    fields: (t) => ({
      proposal: t.exposeID('proposal', { description: "The proposal's id." }),
      counted: t.exposeBoolean('counted', {
        description:
          'False where the answer came too late or was not the first, and where nobody awaits one by this id.',
      }),
    }),
  })

builder.mutationField('answerProposal', (t) =>
  t.field({
    type: ProposalAnsweredRef,
    description: 'Answer a proposal as a participant, at any gateway.',
    args: { input: t.arg({ type: AnswerProposalInputRef, required: true, description: 'The answer.' }) },
    async resolve(_root, { input: { proposal, accept, reason } }, { registry }) {
      return { proposal, counted: await registry.clients.answer(proposal, { accept, reason: reason ?? null }) }
    },
  }),
)
