import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import { RegistryError } from '../../core/errors/registry-error.js'

/*
 * Who uses which entry, for how long. No part of history: an update leaves an entry's instances alone, and what has
 * gone leaves nothing behind but the id's count of tokens.
 *
 *   acquire ──▶ lives ──▶ expires                 all by the store's own clock, so that gateways need not agree
 *                ▲  │
 *                └──┘ renew                       a renewal that comes too late finds nothing
 *
 * Each call is one durable step. An instance lives or not, wherever one looks, by `expiresAt` alone: whether what has
 * expired was removed already makes no difference to anybody.
 */

export interface AcquireRequest {
  /** Of the instance to be made; a random UUID, so that a try whose answer was lost is known again. */
  readonly id: string
  readonly entryId: EntryId
  readonly name: string
  readonly ttlSeconds: number
  /** JSON; null for none. */
  readonly metadataText: string | null
}

/** Live instances as of one instant of the store's clock. */
export interface LiveInstances {
  readonly now: Date
  /** By token; ids without a live instance are left out. */
  readonly of: ReadonlyMap<EntryId, readonly Instance[]>
}

export interface Instances {
  /**
   * While the entry stands: an acquire that meets its delete either comes first, and is seen by it, or fails. Of
   * those that acquire one name at once, on whichever gateways, one succeeds.
   * @throws RegistryError ENTRY_NOT_FOUND, INSTANCE_EXISTS
   */
  acquire(request: AcquireRequest): Promise<Instance>
  /** From now for as long as before, or as told. @throws RegistryError INSTANCE_EXPIRED */
  renew(id: string, ttlSeconds: number | null): Promise<Instance>
  /** False where it had gone already. */
  release(id: string): Promise<boolean>

  /** One statement however many ids. */
  live(ids: readonly EntryId[]): Promise<LiveInstances>
  /** JSON texts of live instances' metadata; those that have gone, or have none, are left out. */
  metadata(ids: readonly string[]): Promise<Map<string, string>>

  /**
   * Removes all that has expired, in one statement, unless another gateway is about it. Milliseconds until the next
   * expiry, of whichever entry; null where nothing lives.
   */
  sweep(): Promise<number | null>
  /**
   * Calls back after instances of an entry may have come, been renewed or gone on any gateway; null where it may have
   * been any entry's. A hint to look, not sent for what merely expires.
   */
  onChange(listener: (entry: EntryId | null) => void): () => void
}

/** What a batch of writes needs to know of instances, and does to them. */
export interface BatchInstances {
  /** How many live; of entries that the batch deletes. */
  live(id: EntryId): number
  /** The entry is deleted, and what lived with it ends. */
  end(id: EntryId): void
}

export function noSuchEntry(id: EntryId): RegistryError {
  return new RegistryError('ENTRY_NOT_FOUND', `there is no entry ${id} whose instance could be acquired`, {
    entryId: id,
  })
}

export function instanceExists({ entryId, name }: AcquireRequest): RegistryError {
  const message = `${entryId} has a live instance named "${name}" already; wait until it has gone, or take another name`
  return new RegistryError('INSTANCE_EXISTS', message, { entryId })
}

export function instanceExpired(): RegistryError {
  return new RegistryError(
    'INSTANCE_EXPIRED',
    'there is no live instance with this id: it was not renewed in time, or has been released or ended; acquire anew',
  )
}
