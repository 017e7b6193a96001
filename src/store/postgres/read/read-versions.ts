import { and, asc, count, desc, gt, inArray, lt, lte, type SQL } from 'drizzle-orm'
import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type { Transition, Version } from '../../../core/history/version.js'
import type { HistoryReader, Page } from '../../contract/history-reader.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { transition, version } from '../base/tables.js'
import { cutPage } from './cut-page.js'

type VersionReads = Pick<
  HistoryReader,
  | 'versions'
  | 'versionPage'
  | 'versionCount'
  | 'children'
  | 'lineage'
  | 'transitions'
  | 'transitionPage'
  | 'transitionCount'
  | 'revisionAtTime'
>

/** All of a version but its changeset, which may be 64 MiB. */
const VERSION_COLUMNS = {
  number: version.number,
  parent: version.parent,
  revision: version.revision,
  author: version.author,
  message: version.message,
  createdAt: version.createdAt,
  digest: version.digest,
  created: version.created,
  updated: version.updated,
  deleted: version.deleted,
}

const TRANSITION_COLUMNS = {
  revision: transition.revision,
  kind: transition.kind,
  from: transition.fromVersion,
  to: transition.toVersion,
  author: transition.author,
  message: transition.message,
  createdAt: transition.createdAt,
  changeCount: transition.changeCount,
}

/** Runs a drizzle query with the deadline of every read. */
export type DrizzleRead = <T>(query: (database: PostgresJsDatabase) => Promise<T>) => Promise<T>

/** Reading the version tree and the line of transitions. */
export function readVersions(drizzle: DrizzleRead, client: RetryingClient): VersionReads {
  return {
    async versions(numbers) {
      if (numbers.length === 0) return new Map()
      const rows: Version[] = await drizzle((database) =>
        database
          .select(VERSION_COLUMNS)
          .from(version)
          .where(inArray(version.number, [...numbers])),
      )
      return new Map(rows.map((row) => [row.number, row]))
    },

    async versionPage(page) {
      const rows: Version[] = await drizzle((database) =>
        database
          .select(VERSION_COLUMNS)
          .from(version)
          .where(windowOf(page, version.number))
          .orderBy(page.fromEnd ? desc(version.number) : asc(version.number))
          .limit(page.limit + 1),
      )
      return cutPage(rows, page)
    },

    async versionCount() {
      const [row] = await drizzle((database) => database.select({ count: count() }).from(version))
      return row!.count
    },

    async children(numbers) {
      const found = new Map<number, Version[]>(numbers.map((number) => [number, []]))
      if (numbers.length === 0) return found
      const rows: Version[] = await drizzle((database) =>
        database
          .select(VERSION_COLUMNS)
          .from(version)
          .where(inArray(version.parent, [...numbers]))
          .orderBy(asc(version.number)),
      )
      for (const row of rows) found.get(row.parent!)!.push(row)
      return found
    },

    async lineage(number) {
      const rows = await client.run(
        (sql) => sql<{ number: number }[]>`
        WITH RECURSIVE lineage AS (
          SELECT number, parent FROM version WHERE number = ${number}
          UNION ALL
          SELECT v.number, v.parent FROM lineage l JOIN version v ON v.number = l.parent
        )
        SELECT number FROM lineage ORDER BY number DESC`,
      )
      if (rows.length === 0)
        throw new RegistryError('VERSION_NOT_FOUND', `there is no version ${number}`, { version: number })
      return rows.map((row) => row.number)
    },

    async transitions(revisions) {
      if (revisions.length === 0) return new Map()
      const rows: Transition[] = await drizzle((database) =>
        database
          .select(TRANSITION_COLUMNS)
          .from(transition)
          .where(inArray(transition.revision, [...revisions])),
      )
      return new Map(rows.map((row) => [row.revision, row]))
    },

    async transitionPage(page) {
      const rows: Transition[] = await drizzle((database) =>
        database
          .select(TRANSITION_COLUMNS)
          .from(transition)
          .where(windowOf(page, transition.revision))
          .orderBy(page.fromEnd ? desc(transition.revision) : asc(transition.revision))
          .limit(page.limit + 1),
      )
      return cutPage(rows, page)
    },

    async transitionCount() {
      // Revisions have no gaps, so the head's is their number.
      const [row] = await client.run((sql) => sql<{ revision: number }[]>`SELECT revision FROM head_pointer`)
      return row!.revision
    },

    async revisionAtTime(time) {
      const [row] = await drizzle((database) =>
        database
          .select({ revision: transition.revision })
          .from(transition)
          .where(lte(transition.createdAt, time))
          .orderBy(desc(transition.createdAt), desc(transition.revision))
          .limit(1),
      )
      return row?.revision ?? 0
    },
  }
}

function windowOf(page: Page<number>, column: typeof version.number | typeof transition.revision): SQL | undefined {
  return and(
    page.after === null ? undefined : gt(column, page.after),
    page.before === null ? undefined : lt(column, page.before),
  )
}
