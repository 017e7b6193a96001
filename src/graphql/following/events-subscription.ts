import type { EntryEvent, SourceEvent, TransactionEvent } from '../../core/events/bus-event.js'
import { BUS_LIMITS, type MissedEvents, type ReceivedEvent } from '../../registry/events/event-bus.js'
import { builder } from '../base/builder.js'
import { EntryContentRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'

const RegistryEventRef = builder.interfaceRef<ReceivedEvent>('RegistryEvent')

const TYPE_NAMES: Readonly<Record<ReceivedEvent['type'], string>> = {
  transaction: 'TransactionEvent',
  entry: 'EntryEvent',
  source: 'SourceEvent',
  missed: 'MissedEvents',
}

RegistryEventRef.implement({
  description: 'What happens on the event bus, as it happens. Live only: what nobody listens to is gone.',
  resolveType: ({ type }) => TYPE_NAMES[type],
  fields: (t) => ({
    system: t.exposeString('system', { description: '"registry" or "source".' }),
    kind: t.exposeString('kind', { description: 'E.g. "entry.create", "registry.commit".' }),
    path: t.exposeString('path', { description: "An entry's id, a transaction's or a source's name." }),
    at: t.field({
      type: 'DateTime',
      description: 'By the clock of the gateway where it happened.',
      resolve: ({ at }) => at,
    }),
  }),
})

builder.objectRef<TransactionEvent>('TransactionEvent').implement({
  description: 'A transaction begins ("registry.begin") or has ended ("registry.commit", "registry.discard").',
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    transaction: t.exposeID('transaction', { description: "The transaction's id; `path` has it too." }),
    operationCount: t.exposeInt('operationCount', { description: 'How many operations it has.' }),
    revision: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Of a commit: the transition it made; null where there was nothing to do.',
      resolve: ({ revision }) => revision,
    }),
    error: t.string({
      nullable: true,
      description: 'Of a discard: why; "dry run" for a dry run that went well.',
      resolve: ({ error }) => error,
    }),
  }),
})

builder.objectRef<EntryEvent>('EntryEvent').implement({
  description:
    'An operation is offered or taken back ("entry.create", "entry.update", "entry.delete"), or a participant has ' +
    'answered it ("entry.accept", "entry.reject").',
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    transaction: t.exposeID('transaction', { description: 'Of which transaction.' }),
    entryId: t.exposeID('entryId', { description: 'Of which entry; `path` has it too.' }),
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
    participant: t.string({
      nullable: true,
      description: 'Who has answered; null for the operation itself.',
      resolve: ({ participant }) => participant,
    }),
    reason: t.string({ nullable: true, description: 'Of a rejection.', resolve: ({ reason }) => reason }),
  }),
})

builder.objectRef<SourceEvent>('SourceEvent').implement({
  description:
    'A source was loaded anew ("source.reloaded"), or something of it failed that had not failed before ("source.failed"). ' +
    '`path` is its name.',
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    created: t.int({
      nullable: true,
      description: 'How many entries were created; null for a failure.',
      resolve: ({ created }) => created,
    }),
    updated: t.int({
      nullable: true,
      description: 'How many were updated; null for a failure.',
      resolve: ({ updated }) => updated,
    }),
    deleted: t.int({
      nullable: true,
      description: 'How many were deleted; null for a failure.',
      resolve: ({ deleted }) => deleted,
    }),
    failed: t.int({
      nullable: true,
      description: 'How many definitions have failed.',
      resolve: ({ failed }) => failed,
    }),
    error: t.string({
      nullable: true,
      description: 'Of a failure: the first one, with its place.',
      resolve: ({ error }) => error,
    }),
  }),
})

builder.objectRef<MissedEvents>('MissedEvents').implement({
  description:
    'Stands where events are missing from the stream ("registry.missed"), because it was read too slowly or a ' +
    'gateway could not be reached. It comes whatever the patterns are. What was missed is in `changes`.',
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    count: t.exposeInt('count', { description: "How many events; where another gateway's are missing, of any kind." }),
  }),
})

const pattern = (what: string) =>
  `${what}, a bus pattern: \`*\` is one dotted segment, \`**\` any number, \`(a|b)\` either. All where left out.`

builder.subscriptionField('events', (t) =>
  t.field({
    type: RegistryEventRef,
    description:
      'The event bus: what happens on any gateway, as it happens. Live only, and at most ' +
      `${BUS_LIMITS.waitingEvents} events wait for a slow reader, who is told how many it missed; the durable stream is \`changes\`.`,
    args: {
      system: t.arg.string({ description: pattern('Which systems') }),
      kind: t.arg.string({ description: pattern('Which kinds of event') }),
      path: t.arg.string({ description: pattern('Which entries, transactions or sources') }),
    },
    async subscribe(_root, { system, kind, path }, context) {
      const filter = { system: system ?? null, kind: kind ?? null, path: path ?? null }
      const events = await context.registry.bus.subscribe(filter, context.signal)
      return subscriptionStream(context, () => events)
    },
    resolve(event, _args, context) {
      context.renewLoaders()
      return event as ReceivedEvent
    },
  }),
)
