import type { Head } from '../../core/history/version.js'
import type { Backend, History, HistoryOptions } from '../contract/history.js'
import type { CommitOutcome } from '../contract/history-writer.js'
import { verifyHistory } from '../verify/verify-history.js'
import { DrizzleClient } from './base/drizzle-client.js'
import { migrateDatabase } from './base/migrate.js'
import { Notifications } from './base/notifications.js'
import { withClient } from './base/open-pool.js'
import { RetryingClient } from './base/retrying-client.js'
import { Committer } from './commit/committer.js'
import { indexReferences } from './commit/index-references.js'
import { openPostgresJournal } from './commit/postgres-journal.js'
import { removeOldReplies } from './commit/remove-old-replies.js'
import { StatisticsRefresher } from './commit/statistics-refresher.js'
import { tagWriter } from './commit/tag-writer.js'
import { Compactor } from './compaction/compactor.js'
import { withStoredHistory } from './compaction/postgres-stored-history.js'
import { openPostgresExchange } from './exchange/postgres-exchange.js'
import { CommonCriteria } from './find/common-criteria.js'
import { findEntries } from './find/find-entries.js'
import { LOOKED_UP } from './find/find-query.js'
import { openPostgresInstances } from './instances/postgres-instances.js'
import { type HistoryRows, historyRows } from './read/immutable-rows.js'
import { readEntries } from './read/read-entries.js'
import { PLANNED_ONCE, readHead } from './read/read-head.js'
import { readLog } from './read/read-log.js'
import { readReferences } from './read/read-references.js'
import { PLANNED_IN_ORDER } from './read/read-snapshot-page.js'
import { readTags } from './read/read-tags.js'
import { readVersions } from './read/read-versions.js'
import { openPostgresSourceRecords } from './sources/postgres-source-records.js'

export interface PostgresHistoryOptions extends HistoryOptions {
  readonly databaseUrl: string
  readonly backend: Extract<Backend, 'postgres' | 'embedded'>
  /**
   * Most connections for general reads, and as many for entries by id and their pages. Besides these there are two for
   * writes, one for notifications, four for versions, tags and the journal, two for the exchange, two for sources and
   * five for the head. Each is opened when it is first needed.
   */
  readonly connections?: number
}

/** @bound Time for the store to answer a readiness check. */
const READY_TIMEOUT_MS = 1_000
/** @bound Time for one read or write of a source's records. A write of 10,000 records takes about 1 s. */
const SOURCE_TIMEOUT_MS = 30_000
/**
 * @bound Connections for reads of the head. One runs read-index queries while the others read entries that are not
 * cached.
 */
const HEAD_CONNECTIONS = 5
/** @bound Connections for versions, tags and the journal. A tag that waits for the writers' lock holds one of them. */
const DRIZZLE_CONNECTIONS = 4
/** @bound Connections for finds by the index of meta. */
const LOOKUP_CONNECTIONS = 4
const REPLY_CHECK_MS = 60 * 60 * 1_000

/** Opens a registry in a Postgres database, after bringing its tables up to date. */
export async function openPostgresHistory(options: PostgresHistoryOptions): Promise<History> {
  const { databaseUrl, backend, connections = 8, compileRegex, readTimeoutMs } = options
  await migrateDatabase(databaseUrl)
  const registryId = await withClient(databaseUrl, async (client) => {
    await indexReferences(client, options)
    await removeOldReplies(client)
    const [pointer] = await client<{ registry_id: string }[]>`SELECT registry_id FROM head_pointer`
    return pointer!.registry_id
  })

  const rows = historyRows()
  const lossListeners = new Set<() => void>()
  const onConnectionLost = () => {
    rows.versions.clear()
    rows.transitions.clear()
    for (const listener of lossListeners) listener()
  }
  const database = { databaseUrl, timeoutMs: readTimeoutMs, onConnectionLost }
  const client = new RetryingClient({ ...database, connections })
  const drizzleClient = new DrizzleClient({ ...database, connections: DRIZZLE_CONNECTIONS })
  const log = readLog(client, options)
  const journal = openPostgresJournal(drizzleClient)
  const committer = new Committer(databaseUrl, options, log.changesOf, journal.owner)
  const statistics = new StatisticsRefresher(client)
  const notifications = new Notifications(databaseUrl, onConnectionLost)
  // Messages of the exchange need not survive a crash of the server, so they do not wait for its disk.
  const exchangeClient = new DrizzleClient({
    databaseUrl,
    connections: 2,
    timeoutMs: readTimeoutMs,
    settings: { synchronous_commit: 'off' },
  })
  const exchange = openPostgresExchange(exchangeClient, notifications)
  const compactor = new Compactor(client, databaseUrl, options)
  compactor.continueRemoval()
  const instances = openPostgresInstances(client, drizzleClient, notifications)
  // A source reads thousands of entries, which are joined with all its records. One index lookup for each can be much
  // slower.
  const sourceClient = new DrizzleClient({
    databaseUrl,
    connections: 2,
    timeoutMs: SOURCE_TIMEOUT_MS,
    settings: { enable_hashjoin: 'on', enable_mergejoin: 'on' },
  })
  const headClient = new RetryingClient({ ...database, connections: HEAD_CONNECTIONS, settings: PLANNED_ONCE })
  const pageClient = new RetryingClient({ ...database, connections, settings: PLANNED_IN_ORDER })
  const lookupClient = new RetryingClient({ ...database, connections: LOOKUP_CONNECTIONS, settings: LOOKED_UP })
  const replyTimer = setInterval(() => {
    client
      .run((sql) => removeOldReplies(sql))
      .catch(() => {
        // The store is unavailable. The next run also removes these rows.
      })
    compactor.continueRemoval()
  }, REPLY_CHECK_MS)
  replyTimer.unref()

  return {
    backend,
    journal,
    sources: openPostgresSourceRecords(sourceClient, notifications),
    registryId,
    hasHistory: true,
    exchange,
    instances,
    headReader: readHead(headClient),
    async head() {
      const [pointer] = await client.run((sql) => sql<Head[]>`SELECT revision, version FROM head_pointer`)
      return { revision: pointer!.revision, version: pointer!.version }
    },
    oldestRevision: () => compactor.oldestRevision(),
    ...readEntries(client, pageClient),
    ...findEntries(
      { client, pages: pageClient, lookups: lookupClient, common: new CommonCriteria() },
      compileRegex,
      readTimeoutMs,
    ),
    ...readVersions(drizzleClient, rows),
    ...log,
    ...readReferences(client),
    ...readTags(drizzleClient),
    ...tagWriter(drizzleClient, rows),
    async commit(requests) {
      const outcomes = await committer.commit(requests)
      addMade(rows, outcomes)
      notifications.wake()
      statistics.after(outcomes)
      return outcomes
    },
    compact: (request) => compactor.compact(request),
    onAdvance: (listener) => notifications.onAdvance(listener),
    onConnectionLost(listener) {
      lossListeners.add(listener)
      return () => lossListeners.delete(listener)
    },
    verify: (progress) =>
      withStoredHistory(databaseUrl, options.references, (stored) => verifyHistory(stored, progress)),
    isReady: () =>
      client
        .run((sql) => sql`SELECT 1 FROM head_pointer`, READY_TIMEOUT_MS)
        .then(
          () => true,
          () => false,
        ),
    async close() {
      clearInterval(replyTimer)
      await compactor.close()
      await committer.close()
      await statistics.close()
      await exchange.close()
      await Promise.all([
        notifications.close(),
        client.close(),
        headClient.close(),
        pageClient.close(),
        lookupClient.close(),
        drizzleClient.close(),
        exchangeClient.close(),
        sourceClient.close(),
      ])
    },
  }
}

/** Caches the rows that a batch wrote, because its answers and followers read them next. */
function addMade({ versions, transitions }: HistoryRows, outcomes: readonly CommitOutcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.type !== 'applied' || outcome.made === undefined) continue
    const { version, transition } = outcome.made
    versions.add(version.number, version)
    transitions.add(transition.revision, transition)
  }
}
