import { sql } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'

/*
 *                       version ◀── transition ──▶ change ◀╌╌ the log: one row for each entry a revision touched
 *                          ▲            ▲             ╎
 *                          └─ head_pointer ─┘         ╎ latest row of each id
 *                        (one row, locked by          ▼
 *                         the committer)            head ──▶ reference     derived from head: references between entries
 *                                                   entry_name             every id that ever existed
 *
 * Text that is compared is COLLATE "C": it is ordered by code point, and a plain btree serves prefixes.
 */

/** Ordered by code point, whatever the database's own collation is. */
const codePointText = customType<{ data: string }>({ dataType: () => 'text collate "C"' })
const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const count = (name: string) => bigint(name, { mode: 'number' })
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

/**
 * GIN defers work in a pending list that every search reads completely. With the default 4 MB, a find took 50 to 90 ms
 * after 100,000 entries were created. Without a list, indexing them took 1.9 s instead of 0.7. With 256 kB it took 0.9
 * s, and a find 0.4 ms.
 */
const SHORT_PENDING_LIST = { gin_pending_list_limit: 256 }

/** The head, and the state that the next batch needs. Its one row is the lock of all writers. */
export const headPointer = pgTable(
  'head_pointer',
  {
    id: smallint().primaryKey().default(1),
    /** Random and constant. Cursors contain it. */
    registryId: uuid('registry_id').notNull().defaultRandom(),
    revision: count('revision').notNull(),
    version: count('version').notNull(),
    lastVersion: count('last_version').notNull(),
    /** The digest of the version at the head. The next version's digest is chained over it. */
    versionDigest: text('version_digest').notNull(),
    transitionDigest: text('transition_digest').notNull(),
    entryCount: count('entry_count').notNull(),
    /** The time of the last transition, or a little later: see commit/head-stamp.ts. */
    movedAt: instant('moved_at').notNull().defaultNow(),
    /** The fingerprint of the dependency patterns with which `reference` was filled. */
    referencesFingerprint: text('references_fingerprint').notNull().default(''),
    /** The sum of all tags' digests, modulo 2^256. A missing tag changes it. */
    tagSum: text('tag_sum').notNull().default('0'.repeat(64)),
    /** The lowest revision that can be read. Earlier ones have been compacted. */
    oldestRevision: count('oldest_revision').notNull().default(0),
  },
  (table) => [check('head_pointer_one_row', sql`${table.id} = 1`)],
)

export const version = pgTable(
  'version',
  {
    number: count('number').primaryKey(),
    parent: count('parent'),
    /** The first revision at which it was the head. */
    revision: count('revision').notNull(),
    author: text('author'),
    message: text('message'),
    createdAt: instant('created_at').notNull(),
    /** MessagePack; null for v0 and for compacted versions. */
    changeset: bytes('changeset'),
    digest: text('digest').notNull(),
    created: integer('created').notNull(),
    updated: integer('updated').notNull(),
    deleted: integer('deleted').notNull(),
    /** The sum of a compacted version's state, if later versions are built on it or the head was moved to it since. */
    state: text('state'),
  },
  (table) => [
    index('version_parent').on(table.parent),
    index('version_state').on(table.number).where(sql`${table.state} is not null`),
  ],
)

export const transition = pgTable(
  'transition',
  {
    revision: count('revision').primaryKey(),
    kind: text('kind', { enum: ['CHANGESET', 'VERSION'] }).notNull(),
    fromVersion: count('from_version').notNull(),
    toVersion: count('to_version').notNull(),
    author: text('author'),
    message: text('message'),
    createdAt: instant('created_at').notNull(),
    changeCount: integer('change_count').notNull(),
    /** Number of entries after the transition, from which the size of a snapshot is known without counting. */
    entryCount: count('entry_count').notNull(),
    digest: text('digest').notNull(),
    /** The id of the request that made it, by which a lost outcome is found. */
    requestId: uuid('request_id').notNull(),
  },
  (table) => [unique('transition_request').on(table.requestId), index('transition_created_at').on(table.createdAt)],
)

export const change = pgTable(
  'change',
  {
    ns: codePointText('ns').notNull(),
    name: codePointText('name').notNull(),
    revision: count('revision').notNull(),
    operation: text('operation', { enum: ['create', 'update', 'delete', 'replace'] }).notNull(),
    position: integer('position').notNull(),
    deletePosition: integer('delete_position'),
    kind: codePointText('kind'),
    /** JSON texts, because jsonb would reorder keys and rewrite numbers. */
    meta: text('meta'),
    data: text('data'),
    digest: text('digest'),
    version: count('version'),
    previousRevision: count('previous_revision'),
    /** The copy of `meta` that `find` searches. It is never returned. */
    metaIndex: jsonb('meta_index'),
  },
  (table) => [
    primaryKey({ columns: [table.ns, table.name, table.revision] }),
    index('change_revision').on(table.revision, table.position),
    index('change_ns').on(table.ns, table.revision, table.position),
    index('change_ns_delete_position')
      .on(table.ns, table.revision, table.deletePosition)
      .where(sql`${table.deletePosition} is not null`),
    index('change_delete_position')
      .on(table.revision, table.deletePosition)
      .where(sql`${table.deletePosition} is not null`),
    index('change_kind').on(table.kind, table.ns, table.name),
    index('change_meta').using('gin', table.metaIndex.op('jsonb_path_ops')).with(SHORT_PENDING_LIST),
  ],
)

export const head = pgTable(
  'head',
  {
    ns: codePointText('ns').notNull(),
    name: codePointText('name').notNull(),
    revision: count('revision').notNull(),
    version: count('version').notNull(),
    kind: codePointText('kind').notNull(),
    meta: text('meta').notNull(),
    data: text('data').notNull(),
    digest: text('digest').notNull(),
    metaIndex: jsonb('meta_index').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.ns, table.name] }),
    index('head_kind').on(table.kind, table.ns, table.name),
    index('head_revision').on(table.revision, table.ns, table.name),
    index('head_meta').using('gin', table.metaIndex.op('jsonb_path_ops')).with(SHORT_PENDING_LIST),
  ],
)

/** Every id that ever existed. It lists the ids of an old state without reading the many rows of each in the log. */
export const entryName = pgTable(
  'entry_name',
  {
    ns: codePointText('ns').notNull(),
    name: codePointText('name').notNull(),
  },
  (table) => [primaryKey({ columns: [table.ns, table.name] })],
)

/** References between entries at the head. The target is an id in two columns, or only the name of a namespace or group. */
export const reference = pgTable(
  'reference',
  {
    ns: codePointText('ns').notNull(),
    name: codePointText('name').notNull(),
    /** The position among the entry's references, because paths and texts are too long for a key. */
    ordinal: integer('ordinal').notNull(),
    path: text('path').notNull(),
    reference: text('reference').notNull(),
    targetType: text('target_type', { enum: ['entry', 'namespace', 'group'] }).notNull(),
    targetNs: codePointText('target_ns').notNull(),
    targetName: codePointText('target_name').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.ns, table.name, table.ordinal] }),
    index('reference_target').on(table.targetType, table.targetNs, table.targetName),
  ],
)

/** Names for versions. */
export const tag = pgTable(
  'tag',
  {
    name: codePointText('name').primaryKey(),
    version: count('version').notNull(),
    movable: boolean('movable').notNull(),
    createdAt: instant('created_at').notNull(),
    author: text('author'),
    /** The digest of all fields. */
    digest: text('digest').notNull(),
  },
  (table) => [index('tag_version').on(table.version)],
)

/** Replaces the compacted history, so that the rest can be verified. One row, or none. */
export const baseline = pgTable(
  'baseline',
  {
    id: smallint().primaryKey().default(1),
    revision: count('revision').notNull(),
    versionsDigest: text('versions_digest').notNull(),
    transitionsDigest: text('transitions_digest').notNull(),
    rows: text('rows').notNull(),
    /** False while some compacted rows have not been removed. */
    removed: boolean('removed').notNull(),
  },
  (table) => [check('baseline_one_row', sql`${table.id} = 1`)],
)
/** Leases of entries by clients. Expired rows may stay for a while. */
export const instance = pgTable(
  'instance',
  {
    id: uuid('id').primaryKey(),
    ns: codePointText('ns').notNull(),
    name: codePointText('name').notNull(),
    /** The instance's name. */
    holder: codePointText('holder').notNull(),
    acquiredAt: instant('acquired_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    /** The duration of the lease, from the acquisition or last renewal. */
    ttlSeconds: integer('ttl_seconds').notNull(),
    token: count('token').notNull(),
    /** JSON text. */
    metadata: text('metadata'),
    metadataBytes: integer('metadata_bytes').notNull(),
  },
  (table) => [
    unique('instance_holder').on(table.ns, table.name, table.holder),
    index('instance_expires_at').on(table.expiresAt),
  ],
)

/** The last token of each id. It stays when the entry is deleted. */
export const fencing = pgTable(
  'fencing',
  {
    ns: codePointText('ns').notNull(),
    name: codePointText('name').notNull(),
    token: count('token').notNull(),
  },
  (table) => [primaryKey({ columns: [table.ns, table.name] })],
)

/** Replies stored under idempotency keys. */
export const reply = pgTable(
  'reply',
  {
    author: text('author').notNull(),
    key: text('key').notNull(),
    digest: text('digest').notNull(),
    revision: count('revision'),
    version: count('version').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.author, table.key] }), index('reply_created_at').on(table.createdAt)],
)

/** A gateway that others can send messages to, until its lease expires. */
export const gateway = pgTable(
  'gateway',
  {
    id: uuid('id').primaryKey(),
    leaseUntil: instant('lease_until').notNull(),
    /** Whether events of the bus are sent to it. */
    listens: boolean('listens').notNull().default(false),
  },
  (table) => [index('gateway_lease').on(table.leaseUntil)],
)

const ofGateway = () =>
  uuid('gateway')
    .notNull()
    .references(() => gateway.id, { onDelete: 'cascade' })

/** A client that takes part in transactions, and the gateway it is connected to. */
export const participation = pgTable(
  'participation',
  {
    id: uuid('id').primaryKey(),
    gateway: ofGateway(),
    name: text('name').notNull(),
    kinds: text('kinds').array().notNull(),
    onFailure: text('on_failure', { enum: ['refuse', 'pass'] }).notNull(),
    /** Orders participations by age. Of those of one name, the oldest is asked. */
    joined: bigint('joined', { mode: 'number' }).generatedAlwaysAsIdentity(),
  },
  (table) => [index('participation_gateway').on(table.gateway)],
)

/** A proposal for which a gateway awaits an answer. This row decides which answer is the first. */
export const proposal = pgTable(
  'proposal',
  {
    id: uuid('id').primaryKey(),
    gateway: ofGateway(),
    expiresAt: instant('expires_at').notNull(),
    /** The id of the first answer. */
    answer: uuid('answer'),
  },
  (table) => [index('proposal_gateway').on(table.gateway)],
)

/** Messages sent to a gateway and not received yet. */
export const mailbox = pgTable(
  'mailbox',
  {
    gateway: ofGateway(),
    seq: bigserial('seq', { mode: 'number' }).notNull(),
    topic: text('topic', { enum: ['proposal', 'answer', 'event'] }).notNull(),
    header: text('header').notNull(),
    body: text('body').notNull(),
    bytes: integer('bytes').notNull(),
  },
  (table) => [primaryKey({ columns: [table.gateway, table.seq] })],
)

/** A transaction that participants were notified of. If its gateway dies, another one ends it. */
export const openTransaction = pgTable(
  'open_transaction',
  {
    /** The id of its commit request, and of the transition that it makes. */
    id: uuid('id').primaryKey(),
    /** The gateway that runs it. No other gateway may commit it. */
    owner: uuid('owner').notNull(),
    leaseUntil: instant('lease_until').notNull(),
    /** MessagePack. */
    operations: bytes('operations').notNull(),
    /** Participants that have to be notified of its end. */
    notified: text('told').array().notNull(),
  },
  (table) => [index('open_transaction_lease').on(table.leaseUntil)],
)

/** Acceptances of its operations. These participants receive the inverse if it is discarded. */
export const acceptance = pgTable(
  'acceptance',
  {
    transaction: uuid('transaction')
      .notNull()
      .references(() => openTransaction.id, { onDelete: 'cascade' }),
    operation: integer('operation').notNull(),
    participant: text('participant').notNull(),
  },
  (table) => [primaryKey({ columns: [table.transaction, table.operation, table.participant] })],
)

/** A source of entries, and the gateway that reads it. */
export const source = pgTable('source', {
  name: codePointText('name').primaryKey(),
  holder: uuid('holder').notNull(),
  leaseUntil: instant('lease_until').notNull(),
  /** Grows when the holder changes. */
  term: count('term').notNull().default(1),
  /** After this revision there may be writes without records. */
  writingSince: count('writing_since'),
  /** JSON text with the state that clients see. */
  state: text('state'),
})

/** The content that a source provided for an entry. */
export const sourceEntry = pgTable(
  'source_entry',
  {
    source: codePointText('source').notNull(),
    ns: codePointText('ns').notNull(),
    name: codePointText('name').notNull(),
    /** Null if no location defines the entry any more. */
    location: text('location'),
    digest: text('digest').notNull(),
    /** The revision by which it wrote the entry; null if it does not own it. */
    revision: count('revision'),
  },
  (table) => [
    primaryKey({ columns: [table.source, table.ns, table.name] }),
    index('source_entry_owned').on(table.ns, table.name).where(sql`${table.revision} is not null`),
    // A location may be longer than an index allows.
    index('source_entry_location').on(table.source, sql`md5(${table.location})`),
  ],
)

/** A location of a source, and the stamp under which it was applied completely. */
export const sourceLocation = pgTable(
  'source_location',
  {
    source: codePointText('source').notNull(),
    /** md5 of the location, which may be longer than an index allows. */
    key: text('key').notNull(),
    location: text('location').notNull(),
    stamp: text('stamp'),
    entries: integer('entries').notNull(),
  },
  (table) => [primaryKey({ columns: [table.source, table.key] })],
)

/** A request to reload a source, and its report. */
export const sourceRequest = pgTable('source_request', {
  id: uuid('id').primaryKey(),
  source: codePointText('source').notNull(),
  askedAt: instant('asked_at').notNull().defaultNow(),
  allowEmpty: boolean('allow_empty').notNull().default(false),
  /** JSON; null until it is answered. */
  report: text('report'),
})
