import type { EntryId } from '../../core/entry-id.js'
import type { Instance } from '../../core/instance.js'
import { utf8Length } from '../../core/text.js'
import { instanceExists, instanceExpired, noSuchEntry, type AcquireRequest, type Instances } from '../instances.js'
import { BUSY, GroupedRequests } from './grouped-requests.js'
import {
  acquireInstances, instanceOfColumns, readLive, readMetadata, releaseInstances, renewInstances, sweepInstances,
  type Acquired, type Renewed,
} from './instance-sql.js'
import type { Notifications } from './notifications.js'
import type { ReadClient } from './read-client.js'

type Renewal = { readonly id: string; readonly ttlSeconds: number | null }

/** Instances over Postgres. 50,000 that renew every 20 seconds are 2,500 writes a second: they go in groups. */
export function openPostgresInstances(client: ReadClient, notifications: Notifications): Instances {
  const listeners = new Set<(entry: EntryId | null) => void>()
  notifications.onInstances((entry) => {
    for (const listener of [...listeners]) listener(entry as EntryId | null)
  })

  const acquires = new GroupedRequests<AcquireRequest, Instance | Error>(
    async (requests) => {
      const rows = await client.read((sql) => acquireInstances(sql, requests))
      return requests.map((request, i) => acquired(request, rows[i]!))
    },
    ({ entryId, name }) => `${entryId} ${name}`,
  )
  const renewals = new GroupedRequests<Renewal, Instance | Error>(
    async (requests) => (await client.read((sql) => renewInstances(sql, requests))).map(renewed),
    ({ id }) => id,
  )
  const releases = new GroupedRequests<string, boolean>(
    async (ids) => {
      const rows = await client.read((sql) => releaseInstances(sql, ids))
      return rows.map(({ was_there, is_gone }) => (was_there && !is_gone ? BUSY : is_gone))
    },
    (id) => id,
  )

  return {
    acquire: async (request) => thrown(await acquires.ask(request, utf8Length(request.metadataText ?? ''))),
    renew: async (id, ttlSeconds) => thrown(await renewals.ask({ id, ttlSeconds })),
    release: (id) => releases.ask(id),
    async live(ids) {
      const rows = await client.read((sql) => readLive(sql, ids))
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
    metadata: async (ids) => new Map((await client.read((sql) => readMetadata(sql, ids))).map(({ id, metadata }) => [id, metadata])),
    sweep: () => client.read(sweepInstances),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function acquired(request: AcquireRequest, { was_there, stands, acquired_at, expires_at, token }: Acquired): Instance | Error | typeof BUSY {
  if (acquired_at !== null && expires_at !== null && token !== null) {
    const { id, entryId, name, metadataText } = request
    const metadataBytes = utf8Length(metadataText ?? '')
    return { id, entryId, name, acquiredAt: acquired_at, expiresAt: expires_at, fencingToken: token, metadataBytes }
  }
  if (stands) return instanceExists(request)
  // The entry is being written at this moment: it may be there afterwards.
  return was_there ? BUSY : noSuchEntry(request.entryId)
}

function renewed({ was_there, ...row }: Renewed): Instance | Error | typeof BUSY {
  if (row.id !== null) return instanceOfColumns(row as Parameters<typeof instanceOfColumns>[0])
  return was_there ? BUSY : instanceExpired()
}

function thrown(outcome: Instance | Error): Instance {
  if (outcome instanceof Error) throw outcome
  return outcome
}
