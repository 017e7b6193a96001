import type {
  EntryEvent,
  MissedEvents,
  ReceivedEvent,
  SourceEvent,
  TransactionEvent,
} from '../../core/events/bus-event.js'
import { EVENT_KINDS, EVENT_TYPES, type EventType, kindsOf } from '../../core/events/event-kinds.js'
import { BUS_LIMITS } from '../../registry/events/event-bus.js'
import { builder } from '../base/builder.js'
import { EntryContentRef } from '../base/object-refs.js'
import { subscriptionStream } from '../base/subscription-stream.js'

const RegistryEventRef = builder.interfaceRef<ReceivedEvent>('RegistryEvent')

/** Describes a type of events and its kinds. */
function describe(type: EventType): string {
  const kinds = kindsOf(type).map((kind) => `- "${kind}": ${EVENT_KINDS[kind].meaning}`)
  return [EVENT_TYPES[type].meaning, ...kinds].join('\n')
}

RegistryEventRef.implement({
  description: 'An event on the event bus. Events are live only and not stored.',
  resolveType: ({ type }) => EVENT_TYPES[type].graphqlType,
  fields: (t) => ({
    system: t.exposeString('system', {
      description: 'The part of the gateway that sent the event: "registry" or "source".',
    }),
    kind: t.exposeString('kind', { description: 'The kind of event, e.g. "entry.create" or "registry.commit".' }),
    path: t.exposeString('path', {
      description: 'The subject of the event: the id of an entry or transaction, or the name of a source.',
    }),
    at: t.field({
      type: 'DateTime',
      description: 'The time of the event, by the clock of the gateway where it happened.',
      resolve: ({ at }) => at,
    }),
  }),
})

builder.objectRef<TransactionEvent>(EVENT_TYPES.transaction.graphqlType).implement({
  description: describe('transaction'),
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    transaction: t.exposeID('transaction', { description: 'The id of the transaction. Equal to `path`.' }),
    operationCount: t.exposeInt('operationCount', { description: 'The number of operations in the transaction.' }),
    revision: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'For a commit: the revision that it made; null if there was nothing to change.',
      resolve: ({ revision }) => revision,
    }),
    error: t.string({
      nullable: true,
      description: 'For a discard: the reason. "dry run" for a successful dry run.',
      resolve: ({ error }) => error,
    }),
  }),
})

builder.objectRef<EntryEvent>(EVENT_TYPES.entry.graphqlType).implement({
  description: describe('entry'),
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    transaction: t.exposeID('transaction', { description: 'The id of the transaction.' }),
    entryId: t.exposeID('entryId', { description: 'The id of the entry. Equal to `path`.' }),
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
    participant: t.string({
      nullable: true,
      description: 'The name of the participant that answered; null for the operation itself.',
      resolve: ({ participant }) => participant,
    }),
    reason: t.string({
      nullable: true,
      description: 'For a rejection: the reason that the participant gave.',
      resolve: ({ reason }) => reason,
    }),
  }),
})

builder.objectRef<SourceEvent>(EVENT_TYPES.source.graphqlType).implement({
  description: describe('source'),
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    created: t.int({
      nullable: true,
      description: 'The number of entries created; null for a failure.',
      resolve: ({ created }) => created,
    }),
    updated: t.int({
      nullable: true,
      description: 'The number of entries updated; null for a failure.',
      resolve: ({ updated }) => updated,
    }),
    deleted: t.int({
      nullable: true,
      description: 'The number of entries deleted; null for a failure.',
      resolve: ({ deleted }) => deleted,
    }),
    failed: t.int({
      nullable: true,
      description: 'The number of definitions that failed.',
      resolve: ({ failed }) => failed,
    }),
    error: t.string({
      nullable: true,
      description: 'For a failure: the first error, with its location.',
      resolve: ({ error }) => error,
    }),
  }),
})

builder.objectRef<MissedEvents>(EVENT_TYPES.missed.graphqlType).implement({
  description: describe('missed'),
  interfaces: [RegistryEventRef],
  fields: (t) => ({
    count: t.exposeInt('count', {
      description:
        'The number of missed events. Events of another gateway are counted whether or not they match the patterns.',
    }),
  }),
})

const pattern = (what: string) =>
  `A bus pattern that selects ${what}: segments end at dots and colons, \`*\` is one segment, \`**\` is any number of segments, \`(a|b)\` is either. All by default.`

builder.subscriptionField('events', (t) =>
  t.field({
    type: RegistryEventRef,
    description:
      'The event bus of all gateways: transactions, answers of participants, and sources, as they happen. Live only. At most ' +
      `${BUS_LIMITS.waitingEvents} events are buffered for a slow reader, which then gets MissedEvents. The durable stream is \`changes\`.`,
    args: {
      system: t.arg.string({ description: pattern('systems') }),
      kind: t.arg.string({ description: pattern('kinds of events') }),
      path: t.arg.string({ description: pattern('entries, transactions or sources') }),
    },
    async subscribe(_root, { system, kind, path }, context) {
      const filter = { system: system ?? null, kind: kind ?? null, path: path ?? null }
      const events = await context.registry.bus.subscribe(filter, context.signal)
      return subscriptionStream(context, () => events)
    },
    resolve(event, _args, context) {
      context.beginResult()
      return event as ReceivedEvent
    },
  }),
)
