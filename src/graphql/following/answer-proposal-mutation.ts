import { LONGEST_REASON } from '../../registry/participants/participant.js'
import { builder } from '../base/builder.js'

const AnswerProposalInputRef = builder.inputType('AnswerProposalInput', {
  description: 'The answer of a participant to a proposal.',
  fields: (t) => ({
    proposal: t.id({ required: true, description: 'The id of the proposal.' }),
    accept: t.boolean({
      required: true,
      description: 'Whether the participant accepts the operation. false refuses the whole changeset.',
    }),
    reason: t.string({
      description: `The reason for a rejection, which the author of the changeset gets. At most ${LONGEST_REASON} bytes.`,
    }),
  }),
})

const ProposalAnsweredRef = builder
  .objectRef<{ readonly proposal: string; readonly counted: boolean }>('ProposalAnswered')
  .implement({
    description: 'Whether an answer to a proposal counted.',
    fields: (t) => ({
      proposal: t.exposeID('proposal', { description: 'The id of the proposal.' }),
      counted: t.exposeBoolean('counted', {
        description:
          'Whether the answer counted. false if it was late, was not the first, or the proposal does not await an answer.',
      }),
    }),
  })

builder.mutationField('answerProposal', (t) =>
  t.field({
    type: ProposalAnsweredRef,
    description:
      'Answers a proposal as a participant. It works at any gateway, not only at the one that sent the proposal.',
    args: {
      input: t.arg({ type: AnswerProposalInputRef, required: true, description: 'The proposal and the answer to it.' }),
    },
    async resolve(_root, { input: { proposal, accept, reason } }, { registry }) {
      return { proposal, counted: await registry.clients.answer(proposal, { accept, reason: reason ?? null }) }
    },
  }),
)
