import { randomUUID } from 'node:crypto'
import type { EntryId } from '../../core/entry/entry-id.js'
import type { Instance } from '../../core/entry/instance.js'
import type { ValueLimits } from '../../core/entry/value-faults.js'
import { type Instances, instanceExpired } from '../../store/contract/instances.js'
import type { AcquireInstanceInput } from './check-acquire.js'
import { checkAcquire, checkTtl } from './check-acquire.js'
import { followInstances, type InstanceBatch } from './follow-instances.js'
import { InstanceSweeper } from './instance-sweeper.js'
import { InstanceWatch } from './instance-watch.js'

/** Who uses an entry, for as long as they renew. */
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

  /** @throws RegistryError ENTRY_NOT_FOUND, INSTANCE_EXISTS, BAD_USER_INPUT, TOO_LARGE */
  async acquire(input: AcquireInstanceInput): Promise<Instance> {
    const { entry: entryId, name, ttlSeconds } = input
    const metadataText = checkAcquire(input, this.limits)
    return this.#due(
      await this.instances.acquire({ id: randomUUID(), entryId, name, ttlSeconds, metadataText }),
      ttlSeconds,
    )
  }

  /** From now for as long as before, or as told. @throws RegistryError INSTANCE_EXPIRED, BAD_USER_INPUT */
  async renew(id: string, ttlSeconds: number | null): Promise<Instance> {
    if (ttlSeconds !== null) checkTtl(ttlSeconds)
    if (!IS_ID.test(id)) throw instanceExpired()
    return this.#due(await this.instances.renew(id, ttlSeconds), ttlSeconds)
  }

  /** False where it had gone already. */
  async release(id: string): Promise<boolean> {
    return IS_ID.test(id) && this.instances.release(id)
  }

  /** Those that live, then what comes, is renewed and goes, on any gateway. Nothing is buffered for who reads slowly. */
  follow(entry: EntryId, signal: AbortSignal): AsyncIterableIterator<InstanceBatch> {
    return followInstances(this.#watch, entry, signal)
  }

  async close(): Promise<void> {
    this.#watch.close()
    await this.#sweeper.close()
  }

  /** Whoever writes knows when to look, whatever the clocks say. */
  #due(instance: Instance, ttlSeconds: number | null): Instance {
    if (ttlSeconds !== null) this.#sweeper.within(ttlSeconds * 1_000)
    return instance
  }
}

const IS_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
