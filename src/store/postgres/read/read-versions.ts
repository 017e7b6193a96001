import { and, asc, count, desc, getColumns, gt, lt, lte, type SQL } from 'drizzle-orm'
import { RegistryError } from '../../../core/errors/registry-error.js'
import type { Transition, Version } from '../../../core/history/version.js'
import type { HistoryReader, Page } from '../../contract/history-reader.js'
import { type DrizzleClient, isAnyOf } from '../base/drizzle-client.js'
import { headPointer, transition, version } from '../base/tables.js'
import { cutPage } from './cut-page.js'
import type { HistoryRows } from './immutable-rows.js'

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

/** All of a version except its changeset, which may have 64 MiB. */
const { changeset: _changeset, state: _state, ...versionColumns } = getColumns(version)
export const READ_VERSION_COLUMNS = versionColumns

const {
  fromVersion: from,
  toVersion: to,
  entryCount: _entryCount,
  digest: _digest,
  requestId: _requestId,
  ...SAME_NAMED
} = getColumns(transition)
const TRANSITION_COLUMNS = { ...SAME_NAMED, from, to }

/** Reads the version tree and the line of transitions. Versions and transitions by number come from the cache `rows`. */
export function readVersions(client: DrizzleClient, rows: HistoryRows): VersionReads {
  async function versions(numbers: readonly number[]): Promise<Map<number, Version>> {
    const found: Version[] = await client.run((database) =>
      database.select(READ_VERSION_COLUMNS).from(version).where(isAnyOf(version.number, numbers)),
    )
    return new Map(found.map((row) => [row.number, row]))
  }

  async function transitions(revisions: readonly number[]): Promise<Map<number, Transition>> {
    const found: Transition[] = await client.run((database) =>
      database.select(TRANSITION_COLUMNS).from(transition).where(isAnyOf(transition.revision, revisions)),
    )
    return new Map(found.map((row) => [row.revision, row]))
  }

  return {
    versions: (numbers) => rows.versions.rows(numbers, versions),

    async versionPage(page) {
      const rows: Version[] = await client.run((database) =>
        database
          .select(READ_VERSION_COLUMNS)
          .from(version)
          .where(windowOf(page, version.number))
          .orderBy(page.fromEnd ? desc(version.number) : asc(version.number))
          .limit(page.limit + 1),
      )
      return cutPage(rows, page)
    },

    async versionCount() {
      const [row] = await client.run((database) => database.select({ count: count() }).from(version))
      return row!.count
    },

    async children(numbers) {
      const found = new Map<number, Version[]>(numbers.map((number) => [number, []]))
      if (numbers.length === 0) return found
      const rows: Version[] = await client.run((database) =>
        database
          .select(READ_VERSION_COLUMNS)
          .from(version)
          .where(isAnyOf(version.parent, numbers))
          .orderBy(asc(version.number)),
      )
      for (const row of rows) found.get(row.parent!)!.push(row)
      return found
    },

    async lineage(number) {
      // Drizzle has no recursive queries.
      const rows = await client.run(
        (_, sql) => sql<{ number: number }[]>`
        WITH RECURSIVE lineage AS (
          SELECT number, parent FROM version WHERE number = ${number}
          UNION ALL
          SELECT v.number, v.parent FROM lineage l JOIN version v ON v.number = l.parent
        )
        SELECT number FROM lineage ORDER BY number DESC`,
      )
      if (rows.length === 0)
        throw new RegistryError('VERSION_NOT_FOUND', `Version ${number} does not exist`, { version: number })
      return rows.map((row) => row.number)
    },

    transitions: (revisions) => rows.transitions.rows(revisions, transitions),

    async transitionPage(page) {
      const rows: Transition[] = await client.run((database) =>
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
      // Revisions have no gaps, so the revision of the head is the number of transitions.
      const [row] = await client.run((database) =>
        database.select({ revision: headPointer.revision }).from(headPointer),
      )
      return row!.revision
    },

    async revisionAtTime(time) {
      const [row] = await client.run((database) =>
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
