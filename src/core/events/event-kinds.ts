/** An event's type determines its fields. Each type is an object type of the GraphQL schema. */
export interface EventTypeRow {
  /** Where events of this type come from. */
  readonly system: 'registry' | 'source'
  readonly graphqlType: string
  readonly meaning: string
  /** The fields that hold an entry's content. The codec sends its JSON texts unchanged. */
  readonly contents: readonly string[]
}

export const EVENT_TYPES = {
  transaction: {
    system: 'registry',
    graphqlType: 'TransactionEvent',
    meaning: 'The beginning or end of a transaction.',
    contents: [],
  },
  entry: {
    system: 'registry',
    graphqlType: 'EntryEvent',
    meaning: 'An operation that is offered or undone, or the answer of a participant to it.',
    contents: ['entry', 'original'],
  },
  source: {
    system: 'source',
    graphqlType: 'SourceEvent',
    meaning: 'A reload or failure of a source. `path` is the name of the source.',
    contents: [],
  },
  missed: {
    system: 'registry',
    graphqlType: 'MissedEvents',
    meaning:
      'A gap in the stream, because it was read too slowly or another gateway was unreachable. It is sent whatever ' +
      'the patterns are. Use `changes` to get the missed changes.',
    contents: [],
  },
} as const satisfies Readonly<Record<string, EventTypeRow>>

export type EventType = keyof typeof EVENT_TYPES

export interface EventKindRow {
  readonly type: EventType
  readonly meaning: string
  /** Whether participants receive it as a proposal, too. */
  readonly isProposed?: true
  /** Whether it is an operation on an entry, and not an answer to one. */
  readonly isOperation?: true
}

/** All kinds of bus event. Types, publishing, the codec, the GraphQL schema and the docs follow from this table. */
export const EVENT_KINDS = {
  'registry.begin': { type: 'transaction', isProposed: true, meaning: 'A transaction begins.' },
  'entry.create': { type: 'entry', isProposed: true, isOperation: true, meaning: 'An entry is to be created.' },
  'entry.update': { type: 'entry', isProposed: true, isOperation: true, meaning: 'An entry is to be updated.' },
  'entry.delete': { type: 'entry', isProposed: true, isOperation: true, meaning: 'An entry is to be deleted.' },
  'entry.accept': { type: 'entry', meaning: 'A participant accepts an operation.' },
  'entry.reject': { type: 'entry', meaning: 'A participant rejects an operation.' },
  'registry.commit': { type: 'transaction', isProposed: true, meaning: 'A transaction is committed.' },
  'registry.discard': { type: 'transaction', isProposed: true, meaning: 'A transaction ends without a commit.' },
  'source.reloaded': { type: 'source', meaning: 'A source is loaded again.' },
  'source.failed': { type: 'source', meaning: 'A source has a failure that it did not have before.' },
  'registry.missed': { type: 'missed', meaning: 'Events are missing from the stream.' },
} as const satisfies Readonly<Record<string, EventKindRow>>

type Kinds = typeof EVENT_KINDS
export type EventKind = keyof Kinds
/** The kinds whose rows have these members. */
type KindsWith<Row> = { [Kind in EventKind]: Kinds[Kind] extends Row ? Kind : never }[EventKind]

export type EventKindOf<Type extends EventType> = KindsWith<{ readonly type: Type }>
export type TransactionEventKind = EventKindOf<'transaction'>
export type OperationEventKind = KindsWith<{ readonly isOperation: true }>
export type ProposedEventKind = KindsWith<{ readonly isProposed: true }>

/** The kinds of a type, in the order of the table. */
export function kindsOf(type: EventType): readonly EventKind[] {
  return (Object.keys(EVENT_KINDS) as EventKind[]).filter((kind) => EVENT_KINDS[kind].type === type)
}

/** The kinds that participants receive, in the order of the table. */
export const PROPOSED_EVENT_KINDS = (Object.keys(EVENT_KINDS) as EventKind[]).filter(
  (kind) => 'isProposed' in EVENT_KINDS[kind],
)
