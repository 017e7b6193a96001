import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/*
 * Instances are leases of entries by clients. They are not part of history. An update does not affect an entry's
 * instances, and an instance that has ended leaves only the id's token counter.
 *
 *   acquire ──▶ live ──▶ expired                  by the store's own clock, so that gateways need not agree
 *                ▲  │
 *                └──┘ renew                       a renewal that arrives too late finds nothing
 *
 * Each call is one durable step. `expiresAt` alone decides whether an instance is live, not whether its row was removed.
 */

export interface AcquireRequest {
  /** The instance's id: a random UUID, so that a retry after a lost answer is recognized. */
  readonly id: string
  readonly entryId: EntryId
  readonly name: string
  readonly ttlSeconds: number
  /** JSON text; null for none. */
  readonly metadataText: string | null
}

/** Live instances at one instant of the store's clock. */
export interface LiveInstances {
  readonly now: Date
  /** Sorted by token; ids without a live instance are left out. */
  readonly of: ReadonlyMap<EntryId, readonly Instance[]>
}

export interface Instances {
  /**
   * Acquires an instance of an entry at the head. If the entry is deleted at the same time, either the delete sees the
   * instance or this fails. Of several concurrent calls for one name, at any gateways, one succeeds.
   * @throws RegistryError ENTRY_NOT_FOUND, INSTANCE_EXISTS
   */
  acquire(request: AcquireRequest): Promise<Instance>
  /** Renews the lease from now, for its previous duration or `ttlSeconds`. @throws RegistryError INSTANCE_EXPIRED */
  renew(id: string, ttlSeconds: number | null): Promise<Instance>
  /** Ends an instance; false if it had ended already. */
  release(id: string): Promise<boolean>

  /** The live instances of these entries. One statement for any number of ids. */
  live(ids: readonly EntryId[]): Promise<LiveInstances>
  /** Live instances by their ids; others are left out. One statement for any number of ids. */
  byId(ids: readonly string[]): Promise<Map<string, Instance>>
  /** The metadata of live instances as JSON texts; instances without any are left out. */
  metadata(ids: readonly string[]): Promise<Map<string, string>>

  /**
   * Removes expired instances, in one statement, unless another gateway is doing so.
   * @returns milliseconds until the next instance expires; null if none is live
   */
  sweep(): Promise<number | null>
  /**
   * Calls back when instances of an entry may have been acquired, renewed or released at any gateway; with null if it
   * may be any entry. The call is a hint to read; expiry causes none.
   */
  onChange(listener: (entry: EntryId | null) => void): () => void
}

/** Instances of the entries that a batch of writes deletes. */
export interface BatchInstances {
  /** The number of live instances. */
  live(id: EntryId): number
  /** Ends the instances of a deleted entry. */
  end(id: EntryId): void
}

export function noSuchEntry(id: EntryId): RegistryError {
  return new RegistryError('ENTRY_NOT_FOUND', `There is no entry ${id} to acquire an instance of.`, {
    entryId: id,
  })
}

export function instanceExists({ entryId, name }: AcquireRequest): RegistryError {
  const message = `${entryId} already has a live instance named "${name}". Wait until it ends, or use another name.`
  return new RegistryError('INSTANCE_EXISTS', message, { entryId })
}

export function instanceExpired(): RegistryError {
  return new RegistryError(
    'INSTANCE_EXPIRED',
    'There is no live instance with this id: it was not renewed in time, or was released or ended. Acquire a new one.',
  )
}
