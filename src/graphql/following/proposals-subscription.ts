import { PROPOSED_EVENT_KINDS } from '../../core/events/event-kinds.js'
import type { OnFailure, Proposal } from '../../registry/participants/participant.js'
import { builder } from '../base/builder.js'
import { EntryContentRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'

const OnFailureRef = builder.enumType('OnFailure', {
  description: 'What happens if a participant does not answer in time or fails.',
  values: {
    REFUSE: { value: 'refuse' as OnFailure, description: 'The changeset is refused.' },
    PASS: { value: 'pass' as OnFailure, description: 'The operation passes as if the participant had accepted it.' },
  },
})

const ProposalRef = builder.objectRef<Proposal>('Proposal').implement({
  description: 'An operation that waits for the answer of a participant, or a notification about a transaction.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The id to pass to `answerProposal`.' }),
    transaction: t.exposeID('transaction', { description: 'The id of the transaction.' }),
    kind: t.exposeString('kind', {
      description: `The kind: one of ${PROPOSED_EVENT_KINDS.map((kind) => `"${kind}"`).join(', ')}.`,
    }),
    entryId: t.id({
      nullable: true,
      description: 'The id of the entry; null for notifications about the whole transaction.',
      resolve: ({ entry, original }) => (entry ?? original)?.id ?? null,
    }),
    entry: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'The content after the operation; null for a delete.',
      resolve: ({ entry }) => entry,
    }),
    original: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'The content before the operation; null for a create.',
      resolve: ({ original }) => original,
    }),
    awaitsAnswer: t.exposeBoolean('awaitsAnswer', {
      description:
        'Whether the proposal needs an answer. false for notifications: begin, commit, discard and inverse operations.',
    }),
    deadline: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The time until which an answer counts; null for notifications.',
      resolve: ({ deadline }) => deadline,
    }),
  }),
})

builder.subscriptionField('proposals', (t) =>
  t.field({
    type: ProposalRef,
    description:
      'Registers a participant. While the subscription is open, operations on entries of these kinds wait for its answer. ' +
      'Subscriptions with the same name, at any gateway, are members of one participant. The oldest that names the kind gets ' +
      'the proposals, and the others stand by. When it ends, the next one becomes active and gets its open proposals. If none is ' +
      'left, the participant has failed.',
    args: {
      participant: t.arg.string({ required: true, description: 'The name of the participant, which problems report.' }),
      kinds: t.arg.stringList({
        description: 'Bus patterns of kinds of entries, e.g. "service.**". All kinds by default.',
      }),
      onFailure: t.arg({
        type: OnFailureRef,
        description: 'What happens if the participant does not answer in time or fails. REFUSE by default.',
      }),
    },
    async subscribe(_root, { participant, kinds, onFailure }, context) {
      const input = { participant, kinds: kinds ?? null, onFailure: onFailure ?? 'refuse' }
      const proposals = await context.registry.clients.join(input, context.signal)
      return subscriptionStream(context, () => proposals)
    },
    resolve: (proposal) => proposal as Proposal,
  }),
)
