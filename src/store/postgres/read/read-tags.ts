import { and, asc, count, desc, getColumns, gt, lt } from 'drizzle-orm'
import type { Tag } from '../../../core/history/tag.js'
import type { HistoryReader } from '../../contract/history-reader.js'
import { type DrizzleClient, isAnyOf } from '../base/drizzle-client.js'
import { tag } from '../base/tables.js'
import { cutPage } from './cut-page.js'

type TagReads = Pick<HistoryReader, 'tags' | 'tagPage' | 'tagCount' | 'tagsOf'>

/** The columns of `tag` that make up a `Tag`. */
const { digest: _digest, ...columns } = getColumns(tag)
export const TAG_COLUMNS = columns

/** Reads tags, each with one statement however many names or versions. */
export function readTags(client: DrizzleClient): TagReads {
  return {
    async tags(names) {
      if (names.length === 0) return new Map()
      const rows: Tag[] = await client.run((database) =>
        database.select(TAG_COLUMNS).from(tag).where(isAnyOf(tag.name, names)),
      )
      return new Map(rows.map((row) => [row.name, row]))
    },

    async tagPage(page) {
      const rows: Tag[] = await client.run((database) =>
        database
          .select(TAG_COLUMNS)
          .from(tag)
          .where(
            and(
              page.after === null ? undefined : gt(tag.name, page.after),
              page.before === null ? undefined : lt(tag.name, page.before),
            ),
          )
          .orderBy(page.fromEnd ? desc(tag.name) : asc(tag.name))
          .limit(page.limit + 1),
      )
      return cutPage(rows, page)
    },

    async tagCount() {
      const [row] = await client.run((database) => database.select({ count: count() }).from(tag))
      return row!.count
    },

    async tagsOf(versions) {
      const found = new Map<number, Tag[]>(versions.map((version) => [version, []]))
      if (versions.length === 0) return found
      const rows: Tag[] = await client.run((database) =>
        database.select(TAG_COLUMNS).from(tag).where(isAnyOf(tag.version, versions)).orderBy(asc(tag.name)),
      )
      for (const row of rows) found.get(row.version)!.push(row)
      return found
    },
  }
}
