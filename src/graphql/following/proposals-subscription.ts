import type { OnFailure, Proposal } from '../../registry/participants/participant.js'
import { builder } from '../base/builder.js'
import { EntryContentRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'

const OnFailureRef = builder.enumType('OnFailure', {
  description: "Whether a participant's silence or failure refuses the changeset (the default) or lets it pass.",
  values: {
    REFUSE: { value: 'refuse' as OnFailure, description: 'The changeset is refused.' },
    PASS: { value: 'pass' as OnFailure, description: 'The operation passes as if it had been accepted.' },
  },
})

const ProposalRef = builder.objectRef<Proposal>('Proposal').implement({
  description: "An operation that waits for a participant's word, or something that a participant is told.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'By it `answerProposal` answers, at any gateway.' }),
    transaction: t.exposeID('transaction', { description: 'Of which transaction.' }),
    kind: t.exposeString('kind', {
      description:
        '"registry.begin", "entry.create", "entry.update", "entry.delete", "registry.commit" or "registry.discard".',
    }),
    entryId: t.id({
      nullable: true,
      description: "Which entry; null for the transaction's own.",
      resolve: ({ entry, original }) => (entry ?? original)?.id ?? null,
    }),
    entry: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'What the entry is to hold; null for a delete.',
      resolve: ({ entry }) => entry,
    }),
    original: t.field({
      type: EntryContentRef,
      nullable: true,
      description: 'What it holds; null for a create.',
      resolve: ({ original }) => original,
    }),
    awaitsAnswer: t.exposeBoolean('awaitsAnswer', {
      description: 'False for those that only tell (begin, commit, discard, and inverse operations).',
    }),
    deadline: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when an answer counts; null for those that only tell.',
      resolve: ({ deadline }) => deadline,
    }),
  }),
})

builder.subscriptionField('proposals', (t) =>
  t.field({
    type: ProposalRef,
    description:
      "Take part in transactions: while this runs, operations on entries of these kinds wait for this participant's answer. " +
      'When it ends with proposals open, the participant has failed. Subscriptions of one name are members of one participant, on any ' +
      "gateway: each is asked, and the first answer of any is the participant's; it has failed when none is left.",
    args: {
      participant: t.arg.string({ required: true, description: "The participant's name, which refusals tell." }),
      kinds: t.arg.stringList({
        description: 'Bus patterns of kinds of entry, e.g. "service.**". All kinds where left out.',
      }),
      onFailure: t.arg({ type: OnFailureRef, description: 'REFUSE unless told.' }),
    },
    async subscribe(_root, { participant, kinds, onFailure }, context) {
      const input = { participant, kinds: kinds ?? null, onFailure: onFailure ?? 'refuse' }
      const proposals = await context.registry.clients.join(input, context.signal)
      return subscriptionStream(context, () => proposals)
    },
    resolve: (proposal) => proposal as Proposal,
  }),
)
