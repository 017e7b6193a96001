import { randomUUID } from 'node:crypto'
import type { EntryId } from '../../core/entry/entry-id.js'
import { type AcquiredInstance, INSTANCE_ID, type Instance } from '../../core/entry/instance.js'
import type { ValueLimits } from '../../core/entry/value-faults.js'
import { type Instances, instanceExpired } from '../../store/contract/instances.js'
import type { AcquireInstanceInput } from './check-acquire.js'
import { checkAcquire, checkTtl } from './check-acquire.js'
import { followInstances, type InstanceBatch } from './follow-instances.js'
import { InstanceSweeper } from './instance-sweeper.js'
import { InstanceWatch } from './instance-watch.js'

/** Instances of entries: acquire, renew, release and follow them. An instance lives as long as it is renewed. */
export class EntryInstances {
  readonly #sweeper: InstanceSweeper
  readonly #watch: InstanceWatch

  constructor(
    private readonly instances: Instances,
    private readonly limits: ValueLimits,
  ) {
    this.#sweeper = new InstanceSweeper(instances)
    this.#watch = new InstanceWatch(instances)
  }

  /**
   * Acquires an instance of an entry.
   * @throws RegistryError ENTRY_NOT_FOUND, INSTANCE_EXISTS, BAD_USER_INPUT, TOO_LARGE
   */
  async acquire(input: AcquireInstanceInput): Promise<AcquiredInstance> {
    const { entry: entryId, name, ttlSeconds } = input
    const metadataText = checkAcquire(input, this.limits)
    const instance = await this.instances.acquire({ id: randomUUID(), entryId, name, ttlSeconds, metadataText })
    return { ...this.#scheduleSweep(instance, ttlSeconds), metadataText }
  }

  /**
   * Renews an instance from now.
   * @param ttlSeconds - null renews it for its previous duration
   * @throws RegistryError INSTANCE_EXPIRED, BAD_USER_INPUT
   */
  async renew(id: string, ttlSeconds: number | null): Promise<Instance> {
    if (ttlSeconds !== null) checkTtl(ttlSeconds)
    if (!INSTANCE_ID.test(id)) throw instanceExpired()
    return this.#scheduleSweep(await this.instances.renew(id, ttlSeconds), ttlSeconds)
  }

  /** Releases an instance. Returns false if it had ended already. */
  async release(id: string): Promise<boolean> {
    return INSTANCE_ID.test(id) && this.instances.release(id)
  }

  /** Yields the live instances of an entry, then what any gateway acquires, renews or ends. Nothing is buffered for slow readers. */
  follow(entry: EntryId, signal: AbortSignal): AsyncIterableIterator<InstanceBatch> {
    return followInstances(this.#watch, entry, signal)
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#sweeper.close()
  }

  /** Schedules a sweep for when the instance is due, independent of clocks. */
  #scheduleSweep(instance: Instance, ttlSeconds: number | null): Instance {
    if (ttlSeconds !== null) this.#sweeper.within(ttlSeconds * 1_000)
    return instance
  }
}
