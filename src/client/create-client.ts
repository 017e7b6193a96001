import { type ClientOptions, connectionOf } from './connecting/client-options.js'
import type { Batch } from './following/change-batch.js'
import { type FollowOptions, follow } from './following/follow-registry.js'
import { Replica, type ReplicaOptions } from './following/replica.js'
import { type AcquireOptions, acquire, type HeldInstance } from './writing/acquire.js'
import { type Applied, apply, type Refused } from './writing/apply.js'
import type { ApplyOptions, Operation } from './writing/changeset-input.js'

export { ClientError } from './connecting/client-error.js'

/** A client of one registry. It holds no connection between calls. */
export interface CadastreClient {
  /**
   * Follows changes, and resumes after every break. Iterate over it, or pass `onBatch`: then the promise resolves when
   * the signal aborts.
   */
  follow(options: FollowOptions & { readonly onBatch: (batch: Batch) => unknown }): Promise<void>
  follow(options?: FollowOptions): AsyncIterableIterator<Batch>
  /** Keeps a copy of the matching entries. */
  replica(options?: ReplicaOptions): Replica
  /** Applies a changeset exactly once. */
  apply(operations: readonly Operation[], options?: ApplyOptions): Promise<Applied | Refused>
  /** Acquires an instance of an entry and renews it. */
  acquire(entry: string, options: AcquireOptions): Promise<HeldInstance>
}

export function createClient(options: ClientOptions): CadastreClient {
  const connection = connectionOf(options)
  async function followAll({ onBatch, ...rest }: FollowOptions): Promise<void> {
    for await (const batch of follow(connection, rest)) await onBatch!(batch)
  }
  return {
    follow: ((given: FollowOptions = {}) =>
      given.onBatch === undefined ? follow(connection, given) : followAll(given)) as CadastreClient['follow'],
    replica: (given = {}) => new Replica(connection, given),
    apply: (operations, given) => apply(connection, operations, given),
    acquire: (entry, given) => acquire(connection, entry, given),
  }
}
