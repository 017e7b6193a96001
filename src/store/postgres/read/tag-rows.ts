import { RegistryError } from '../../../core/errors/registry-error.js'
import type { Tag } from '../../../core/history/tag.js'
import type { HistoryTagger } from '../../contract/history.js'
import type { HistoryReader } from '../../contract/history-reader.js'
import { versionCompactedError } from '../../planning/compacted-errors.js'
import { movedTagSum, planTag, planTagRemoval, tagDigest } from '../../planning/plan-tag.js'
import type { RetryingClient, Transaction } from '../base/retrying-client.js'
import { cutPage } from './cut-page.js'

type Tags = Pick<HistoryReader, 'tags' | 'tagPage' | 'tagCount' | 'tagsOf'> & HistoryTagger

export interface TagColumns {
  readonly name: string
  readonly version: number
  readonly movable: boolean
  readonly created_at: Date
  readonly author: string | null
}

export function tagOfColumns({ name, version, movable, created_at: createdAt, author }: TagColumns): Tag {
  return { name, version, movable, createdAt, author }
}

/** A gateway that stops breathing while it sets a tag gives the writers' lock back after that long. */
const GIVE_LOCK_BACK = `SET LOCAL idle_in_transaction_session_timeout = 10000`

/** Reading and setting tags. Who sets one holds the writers' lock for three short statements. */
export function tagRows(client: RetryingClient): Tags {
  /** Looks at a tag under the lock and writes what it is to become. */
  function change(
    name: string,
    plan: (standing: Tag | undefined, now: Date, sql: Transaction) => Promise<Tag | undefined>,
  ): Promise<void> {
    return client.run((pool) =>
      pool.begin('ISOLATION LEVEL READ COMMITTED READ WRITE', async (sql) => {
        const [, pointers, found] = await Promise.all([
          sql.unsafe(GIVE_LOCK_BACK),
          sql<
            { tag_sum: string; now: Date }[]
          >`SELECT tag_sum, date_trunc('milliseconds', clock_timestamp()) AS now FROM head_pointer FOR UPDATE`,
          sql<TagColumns[]>`SELECT name, version, movable, created_at, author FROM tag WHERE name = ${name}`,
        ])
        const standing = found[0] === undefined ? undefined : tagOfColumns(found[0])
        const tag = await plan(standing, pointers[0]!.now, sql)
        if (tag === standing) return
        const sum = movedTagSum(pointers[0]!.tag_sum, standing, tag)
        await Promise.all([
          tag === undefined
            ? sql`DELETE FROM tag WHERE name = ${name}`
            : sql`
            INSERT INTO tag (name, version, movable, created_at, author, digest)
            VALUES (${name}, ${tag.version}, ${tag.movable}, ${tag.createdAt}, ${tag.author}, ${tagDigest(tag)})
            ON CONFLICT (name) DO UPDATE SET version = excluded.version, movable = excluded.movable,
              created_at = excluded.created_at, author = excluded.author, digest = excluded.digest`,
          sql`UPDATE head_pointer SET tag_sum = ${sum}`,
        ])
      }),
    )
  }

  return {
    async setTag(request) {
      let set: Tag | undefined
      await change(request.name, async (standing, now, sql) => {
        const [version] = await sql<{ number: number; revision: number; oldest: number }[]>`
          SELECT v.number, v.revision, p.oldest_revision AS oldest FROM version v, head_pointer p WHERE v.number = ${request.version}`
        if (version === undefined) throw versionNotFound(request.version)
        if (version.revision < version.oldest && version.number > 0)
          throw versionCompactedError(version.number, version.revision, version.oldest)
        set = planTag(request, standing, now)
        return set
      })
      return set!
    },

    async deleteTag(name, force) {
      // Tried again after a connection that broke, it may find its own work done.
      let removed: Tag | undefined
      await change(name, async (standing) => {
        if (standing === undefined && removed !== undefined) return undefined
        removed = planTagRemoval(name, standing, force)
        return undefined
      })
      return removed!
    },

    async tags(names) {
      if (names.length === 0) return new Map()
      const rows = await client.run(
        (sql) => sql<TagColumns[]>`
        SELECT name, version, movable, created_at, author FROM tag WHERE name = ANY(${[...names]}::text[])`,
      )
      return new Map(rows.map((row) => [row.name, tagOfColumns(row)]))
    },

    async tagPage(page) {
      const rows = await client.run(
        (sql) => sql<TagColumns[]>`
        SELECT name, version, movable, created_at, author FROM tag
        WHERE (${page.after}::text IS NULL OR name > ${page.after}::text) AND (${page.before}::text IS NULL OR name < ${page.before}::text)
        ORDER BY name ${page.fromEnd ? sql`DESC` : sql`ASC`} LIMIT ${page.limit + 1}`,
      )
      return cutPage(rows.map(tagOfColumns), page)
    },

    async tagCount() {
      const [row] = await client.run((sql) => sql<{ count: number }[]>`SELECT count(*) AS count FROM tag`)
      return row!.count
    },

    async tagsOf(versions) {
      const found = new Map<number, Tag[]>(versions.map((version) => [version, []]))
      if (versions.length === 0) return found
      const rows = await client.run(
        (sql) => sql<TagColumns[]>`
        SELECT name, version, movable, created_at, author FROM tag WHERE version = ANY(${[...versions]}::bigint[]) ORDER BY name`,
      )
      for (const row of rows) found.get(row.version)!.push(tagOfColumns(row))
      return found
    },
  }
}

function versionNotFound(version: number): RegistryError {
  return new RegistryError('VERSION_NOT_FOUND', `there is no version ${version}; \`versions\` lists those there are`, {
    version,
  })
}
