import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { FairDelivery } from '../../../src/server/broadcast/fair-delivery.js'

/** Behaves like a socket that accepts everything at once. It requests the next batch as soon as it has the previous one. */
class Eager {
  taken = 0
  waits = false

  constructor(
    private readonly delivery: FairDelivery,
    private readonly cost: () => void,
    private readonly wanted: number,
  ) {}

  ask(): void {
    if (this.taken === this.wanted) return
    if (this.delivery.maySend()) return this.takeSlice()
    this.waits = true
    this.delivery.enqueue(this)
  }

  takeSlice(): void {
    this.waits = false
    this.taken += 1
    this.cost()
    process.nextTick(() => this.ask())
  }
}

describe('fair delivery', () => {
  // A thousand reconnecting clients received everything in one tick of the event loop, which took seconds on a busy
  // machine. A client that connected meanwhile was closed with 4408, because its connection_init had not been read.
  it('pauses after each time slice and continues in the order of the queue', async () => {
    let clock = 0
    const delivery = new FairDelivery(10, () => clock)
    const all = Array.from(
      { length: 50 },
      () =>
        new Eager(
          delivery,
          () => {
            clock += 1
          },
          20,
        ),
    )
    for (const recipient of all) recipient.ask()
    let loops = 0
    for (; all.some(({ taken }) => taken < 20); loops++) {
      await nextTurn()
      const counts = all.map(({ taken }) => taken)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(18)
      expect(loops).toBeLessThan(1_000)
    }
    // 1,000 steps of 1 ms, with 10 to 18 in each tick.
    expect(loops).toBeGreaterThan(40)
    expect(all.every(({ waits }) => !waits)).toBe(true)
  })

  it('reaches every recipient even if each takes longer than a time slice', async () => {
    let clock = 0
    const delivery = new FairDelivery(10, () => clock)
    const all = Array.from(
      { length: 20 },
      () =>
        new Eager(
          delivery,
          () => {
            clock += 100
          },
          3,
        ),
    )
    for (const recipient of all) recipient.ask()
    for (let loops = 0; all.some(({ taken }) => taken < 3); loops++) {
      expect(loops).toBeLessThan(1_000)
      await nextTurn()
    }
  })

  it('lets the caller send at once if nobody waits and the slice has just begun', () => {
    const delivery = new FairDelivery(10, () => 0)
    for (let i = 0; i < 10_000; i++) expect(delivery.maySend()).toBe(true)
  })
})
