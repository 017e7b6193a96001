import { randomUUID } from 'node:crypto'
import { and, eq, isNull, lt, sql } from 'drizzle-orm'
import type { SourceRecords } from '../../contract/source-records.js'
import { type DrizzleClient, isAnyOf } from '../base/drizzle-client.js'
import { sourceRequest } from '../base/tables.js'
import { notifySources } from './notify-sources.js'

type ReloadRequests = Pick<SourceRecords, 'requestReload' | 'pendingReloads' | 'answerReloads' | 'takeReloadReport'>

/** Requests to load a source again, and the reports on them, in the rows of `source_request`. */
export function reloadRequests(client: DrizzleClient): ReloadRequests {
  return {
    async requestReload(source, allowEmpty) {
      const request = { id: randomUUID(), source, allowEmpty }
      await client.run((database) => {
        // Their clients have left without reading the report.
        const old = database
          .$with('old')
          .as(database.delete(sourceRequest).where(lt(sourceRequest.askedAt, sql`now() - interval '1 hour'`)))
        return database
          .with(old)
          .insert(sourceRequest)
          .values(request)
          .onConflictDoNothing()
          .returning({ notified: notifySources })
      })
      return request
    },
    pendingReloads: (sources) =>
      client.run((database) =>
        database
          .select({ id: sourceRequest.id, source: sourceRequest.source, allowEmpty: sourceRequest.allowEmpty })
          .from(sourceRequest)
          .where(and(isNull(sourceRequest.report), isAnyOf(sourceRequest.source, sources))),
      ),
    async answerReloads(requests, report) {
      if (requests.length === 0) return
      const ids = requests.map(({ id }) => id)
      await client.run((database) =>
        database
          .update(sourceRequest)
          .set({ report })
          .where(isAnyOf(sourceRequest.id, ids))
          .returning({ notified: notifySources }),
      )
    },
    async takeReloadReport({ id }) {
      const [row] = await client.run((database) =>
        database.select({ report: sourceRequest.report }).from(sourceRequest).where(eq(sourceRequest.id, id)),
      )
      if (row === undefined || row.report === null) return null
      await client.run((database) => database.delete(sourceRequest).where(eq(sourceRequest.id, id)))
      return row.report
    },
  }
}
