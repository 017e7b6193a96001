import { and, eq, gt, isNotNull, type SQL, sql } from 'drizzle-orm'
import { LeaseLost, type SourceRecords } from '../../contract/source-records.js'
import { type DrizzleClient, isAnyOf, millisecondsFromNow } from '../base/drizzle-client.js'
import { headPointer, source } from '../base/tables.js'
import { notifySources } from './notify-sources.js'

type SourceLeases = Pick<
  SourceRecords,
  'acquireLeases' | 'beginWrites' | 'endWrites' | 'unsettledSince' | 'releaseLeases' | 'states' | 'saveState'
>

/** The rows of `source`: which gateway reads each source, and the state that clients see. */
export function sourceLeases(client: DrizzleClient, holder: string): SourceLeases {
  const isHeld = (name: string) =>
    and(eq(source.name, name), eq(source.holder, holder), gt(source.leaseUntil, sql`now()`))

  async function updateHeld(name: string, values: { writingSince?: SQL | null; state?: string }): Promise<void> {
    const rows = await client.run((database) =>
      database.update(source).set(values).where(isHeld(name)).returning({ name: source.name }),
    )
    if (rows.length === 0) throw new LeaseLost(name)
  }

  return {
    async acquireLeases(sources, leaseMs) {
      if (sources.length === 0) return new Map()
      const wanted = [...sources].sort().map((name) => ({ name, holder, leaseUntil: millisecondsFromNow(leaseMs) }))
      const rows = await client.run((database) =>
        database
          .insert(source)
          .values(wanted)
          .onConflictDoUpdate({
            target: source.name,
            set: {
              holder: sql`excluded.holder`,
              leaseUntil: sql`excluded.lease_until`,
              term: sql`${source.term} + CASE WHEN ${source.holder} = excluded.holder THEN 0 ELSE 1 END`,
            },
            setWhere: sql`${source.holder} = excluded.holder OR ${source.leaseUntil} < now()`,
          })
          .returning({ name: source.name, term: source.term }),
      )
      return new Map(rows.map(({ name, term }) => [name, term]))
    },
    beginWrites: (name) =>
      updateHeld(name, {
        writingSince: sql`coalesce(${source.writingSince}, (SELECT ${headPointer.revision} FROM ${headPointer}))`,
      }),
    endWrites: (name) => updateHeld(name, { writingSince: null }),
    async unsettledSince(name) {
      const [row] = await client.run((database) =>
        database.select({ since: source.writingSince }).from(source).where(eq(source.name, name)),
      )
      return row?.since ?? null
    },
    async releaseLeases(sources) {
      await client.run((database) =>
        database
          .update(source)
          .set({ leaseUntil: sql`'-infinity'` })
          .where(and(isAnyOf(source.name, sources), eq(source.holder, holder)))
          .returning({ notified: notifySources }),
      )
    },

    async states(sources) {
      const rows = await client.run((database) =>
        database
          .select({ name: source.name, state: sql<string>`${source.state}` })
          .from(source)
          .where(and(isAnyOf(source.name, sources), isNotNull(source.state))),
      )
      return new Map(rows.map(({ name, state }) => [name, state]))
    },
    saveState: (name, state) => updateHeld(name, { state }),
  }
}
