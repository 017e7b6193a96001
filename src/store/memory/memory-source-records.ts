import { randomUUID } from 'node:crypto'
import { compareEntryIds, type EntryId } from '../../core/entry/entry-id.js'
import {
  type EntryRecord,
  LeaseLost,
  type LocationRecord,
  type ReloadRequest,
  type SourceRecords,
} from '../contract/source-records.js'
import { pageOf } from './page-of.js'

interface SourceRecord {
  isHeld: boolean
  state: string | null
  writingSince: number | null
  readonly entries: Map<EntryId, EntryRecord>
  readonly locations: Map<string, LocationRecord>
}

/** The part of the registry that source records read. */
export interface RegistryView {
  revision(): number
  isAtHead(id: EntryId): boolean
  wasDeletedSince(id: EntryId, revision: number): boolean
}

/** Opens records that are lost with their registry. There is one gateway, so a lease lasts until it is released. */
export function openMemorySourceRecords(registry: RegistryView): SourceRecords {
  const sources = new Map<string, SourceRecord>()
  const requests = new Map<string, ReloadRequest & { report: string | null }>()
  const listeners = new Set<() => void>()
  const recordOf = (source: string): SourceRecord => {
    const found = sources.get(source) ?? {
      isHeld: false,
      state: null,
      writingSince: null,
      entries: new Map(),
      locations: new Map(),
    }
    sources.set(source, found)
    return found
  }
  const held = (source: string): SourceRecord => {
    const found = recordOf(source)
    if (!found.isHeld) throw new LeaseLost(source)
    return found
  }
  const owned = (source: string) =>
    [...recordOf(source).entries.values()].filter(({ id, revision }) => revision !== null && registry.isAtHead(id))
  const call = () => {
    for (const listener of [...listeners]) listener()
  }

  return {
    holder: randomUUID(),
    async acquireLeases(names) {
      for (const name of names) recordOf(name).isHeld = true
      return new Map(names.map((name) => [name, 1]))
    },
    async beginWrites(source) {
      held(source).writingSince ??= registry.revision()
    },
    async endWrites(source) {
      held(source).writingSince = null
    },
    unsettledSince: async (source) => recordOf(source).writingSince,
    async releaseLeases(names) {
      for (const name of names) recordOf(name).isHeld = false
      call()
    },
    async locations(source) {
      const { locations, entries } = recordOf(source)
      const strays = new Set(
        [...entries.values()].flatMap(({ location }) =>
          location === null || locations.has(location) ? [] : [location],
        ),
      )
      return [...locations.values(), ...[...strays].map((location) => ({ location, stamp: null, entries: 0 }))]
    },
    async entries(source, ids) {
      const { entries } = recordOf(source)
      return new Map(ids.flatMap((id) => (entries.has(id) ? [[id, entries.get(id)!] as const] : [])))
    },
    async entriesIn(source, locations) {
      const wanted = new Set(locations)
      return [...recordOf(source).entries.values()].filter(({ location }) => location !== null && wanted.has(location))
    },
    async owners(ids) {
      return new Map(
        ids.flatMap((id) => {
          const owner = [...sources].find(([, { entries }]) => (entries.get(id)?.revision ?? null) !== null)
          return owner === undefined ? [] : [[id, owner[0]] as const]
        }),
      )
    },
    deletedSince: async (written) =>
      new Set(written.filter(({ id, revision }) => registry.wasDeletedSince(id, revision)).map(({ id }) => id)),
    async save(source, { entries, removedEntries, locations, removedLocations }) {
      const own = held(source)
      for (const id of removedEntries) own.entries.delete(id)
      for (const location of removedLocations) own.locations.delete(location)
      for (const record of locations) own.locations.set(record.location, record)
      for (const record of entries) {
        own.entries.set(record.id, record)
        if (record.revision === null) continue
        for (const [name, other] of sources) {
          const theirs = other.entries.get(record.id)
          if (name !== source && theirs !== undefined) other.entries.set(record.id, { ...theirs, revision: null })
        }
      }
    },
    async ownedPage(source, page) {
      const ids = owned(source)
        .map(({ id }) => id)
        .sort(compareEntryIds)
      return pageOf(ids, page, compareEntryIds)
    },
    ownedCount: async (source) => owned(source).length,
    states: async (names) =>
      new Map(
        names.flatMap((name) => {
          const state = sources.get(name)?.state ?? null
          return state === null ? [] : [[name, state] as const]
        }),
      ),
    async saveState(source, state) {
      held(source).state = state
    },
    async requestReload(source, allowEmpty) {
      const request = { id: randomUUID(), source, allowEmpty, report: null }
      requests.set(request.id, request)
      call()
      return request
    },
    pendingReloads: async (names) =>
      [...requests.values()].flatMap(({ id, source, allowEmpty, report }) =>
        report === null && names.includes(source) ? [{ id, source, allowEmpty }] : [],
      ),
    async answerReloads(answered, report) {
      for (const { id } of answered) if (requests.has(id)) requests.get(id)!.report = report
      call()
    },
    async takeReloadReport({ id }) {
      const report = requests.get(id)?.report ?? null
      if (report !== null) requests.delete(id)
      return report
    },
    onSignal(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
