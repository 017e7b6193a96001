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
import type { Notifications } from '../base/notifications.js'
import type { RetryingClient } from '../base/retrying-client.js'
import {
  acquireInstances,
  type FoundRow,
  instanceOfColumns,
  readLive,
  readMetadata,
  releaseInstances,
  renewInstances,
  sweepInstances,
} from './instance-sql.js'
import { BUSY, requestBatcher } from './request-batcher.js'

type Renewal = { readonly id: string; readonly ttlSeconds: number | null }

/** Instances over Postgres. 50,000 that renew every 20 seconds are 2,500 writes a second: they go in groups. */
export function openPostgresInstances(client: RetryingClient, notifications: Notifications): Instances {
  const listeners = new Set<(entry: EntryId | null) => void>()
  notifications.onInstances((entry) => {
    for (const listener of [...listeners]) listener(entry as EntryId | null)
  })

  const acquires = requestBatcher<AcquireRequest, Instance | RegistryError>(
    async (requests) =>
      answers(await client.run((sql) => acquireInstances(sql, requests)), (i, { was_there, is_held }) => {
        const request = requests[i]!
        if (!was_there) return noSuchEntry(request.entryId)
        // Otherwise the entry is being written at this moment, or the name has just been taken.
        return is_held ? instanceExists(request) : BUSY
      }),
    ({ entryId, name }) => `${entryId} ${name}`,
  )
  const renewals = requestBatcher<Renewal, Instance | RegistryError>(
    async (requests) =>
      answers(await client.run((sql) => renewInstances(sql, requests)), (_, { was_there }) =>
        was_there ? BUSY : instanceExpired(),
      ),
    ({ id }) => id,
  )
  const releases = requestBatcher<string, Instance | false>(
    async (ids) =>
      answers(await client.run((sql) => releaseInstances(sql, ids)), (_, { was_there }) => (was_there ? BUSY : false)),
    (id) => id,
  )

  return {
    acquire: async (request) => thrown(await acquires.request(request, 1, utf8Length(request.metadataText ?? ''))),
    renew: async (id, ttlSeconds) => thrown(await renewals.request({ id, ttlSeconds })),
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
    metadata: async (ids) =>
      new Map((await client.run((sql) => readMetadata(sql, ids))).map(({ id, metadata }) => [id, metadata])),
    sweep: () => client.run(sweepInstances),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

type Asked = Extract<FoundRow, { readonly was_there: boolean }>

/** For each request the instance that it is about, or why it was not done. */
function answers<Otherwise>(
  rows: readonly FoundRow[],
  otherwise: (i: number, asked: Asked) => Otherwise,
): (Instance | Otherwise)[] {
  const done = new Map(rows.flatMap((row) => (row.place === null ? [[row.id, instanceOfColumns(row)] as const] : [])))
  return rows.flatMap((row, i) => (row.place === null ? [] : [done.get(row.id) ?? otherwise(i, row)]))
}

function thrown(outcome: Instance | RegistryError): Instance {
  if (outcome instanceof RegistryError) throw outcome
  return outcome
}
