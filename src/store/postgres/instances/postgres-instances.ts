import type { EntryId } from '../../../core/entry/entry-id.js'
import type { Instance } from '../../../core/entry/instance.js'
import { utf8Length } from '../../../core/entry/text.js'
import { RegistryError } from '../../../core/errors/registry-error.js'
import {
  type AcquireRequest,
  type Instances,
  instanceExists,
  instanceExpired,
  noSuchEntry,
} from '../../contract/instances.js'
import type { DrizzleClient } from '../base/drizzle-client.js'
import type { Notifications } from '../base/notifications.js'
import type { RetryingClient } from '../base/retrying-client.js'
import { instanceOfColumns } from './instance-row.js'
import { readById, readLive, readMetadata, sweepInstances } from './read-instances.js'
import { BUSY, requestBatcher } from './request-batcher.js'
import { acquireInstances, type RequestRow, releaseInstances, renewInstances } from './write-instances.js'

type Renewal = { readonly id: string; readonly ttlSeconds: number | null }

/**
 * Opens instances over Postgres. Requests share statements: 50,000 instances that renew every 20 seconds are 2,500
 * writes a second.
 */
export function openPostgresInstances(
  client: RetryingClient,
  drizzleClient: DrizzleClient,
  notifications: Notifications,
): Instances {
  const listeners = new Set<(entry: EntryId | null) => void>()
  notifications.onInstances((entry) => {
    for (const listener of [...listeners]) listener(entry as EntryId | null)
  })

  const acquires = requestBatcher<AcquireRequest, Instance | RegistryError>(
    async (requests) =>
      resultsOf(await client.run((sql) => acquireInstances(sql, requests)), (i, { wasFound, isHeld }) => {
        const request = requests[i]!
        if (!wasFound) return noSuchEntry(request.entryId)
        // If it is not held, another transaction is writing the entry now or has just acquired the name.
        return isHeld ? instanceExists(request) : BUSY
      }),
    ({ entryId, name }) => `${entryId} ${name}`,
  )
  const renewals = requestBatcher<Renewal, Instance | RegistryError>(
    async (requests) =>
      resultsOf(await client.run((sql) => renewInstances(sql, requests)), (_, { wasFound }) =>
        wasFound ? BUSY : instanceExpired(),
      ),
    ({ id }) => id,
  )
  const releases = requestBatcher<string, Instance | false>(
    async (ids) =>
      resultsOf(await client.run((sql) => releaseInstances(sql, ids)), (_, { wasFound }) => (wasFound ? BUSY : false)),
    (id) => id,
  )

  return {
    acquire: async (request) => instanceOf(await acquires.request(request, 1, utf8Length(request.metadataText ?? ''))),
    renew: async (id, ttlSeconds) => instanceOf(await renewals.request({ id, ttlSeconds })),
    release: async (id) => (await releases.request(id)) !== false,
    async live(ids) {
      const rows = await client.run((sql) => readLive(sql, ids))
      const of = new Map<EntryId, Instance[]>()
      for (const row of rows) {
        if (row.id === null) continue
        const instance = instanceOfColumns(row)
        const others = of.get(instance.entryId)
        if (others === undefined) of.set(instance.entryId, [instance])
        else others.push(instance)
      }
      return { now: rows[0]!.now, of }
    },
    byId: async (ids) => {
      const rows = await client.run((sql) => readById(sql, ids))
      return new Map(rows.map((row) => [row.id, instanceOfColumns(row)]))
    },
    metadata: (ids) => drizzleClient.run((database) => readMetadata(database, ids)),
    sweep: () => client.run(sweepInstances),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

type FoundRequest = Extract<RequestRow, { readonly wasFound: boolean }>

/**
 * Returns, for each request, the instance that was changed. Requests that were not executed get the result of
 * `otherwise`.
 */
function resultsOf<Otherwise>(
  rows: readonly RequestRow[],
  otherwise: (i: number, found: FoundRequest) => Otherwise,
): (Instance | Otherwise)[] {
  const done = new Map(rows.flatMap((row) => (row.place === null ? [[row.id, instanceOfColumns(row)] as const] : [])))
  return rows.flatMap((row, i) => (row.place === null ? [] : [done.get(row.id) ?? otherwise(i, row)]))
}

function instanceOf(result: Instance | RegistryError): Instance {
  if (result instanceof RegistryError) throw result
  return result
}
