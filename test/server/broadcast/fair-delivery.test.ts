import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { FairDelivery } from '../../../src/server/broadcast/fair-delivery.js'

/** Takes delivery as a socket does that takes all it is given at once: it asks for the next as soon as it has the last. */
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

describe('turns at being handed results', () => {
  // A thousand who came back at once were sent all that had been read in one turn of the event loop, seconds on a busy
  // machine; a client that connected meanwhile was closed with 4408, since its connection_init had not been looked at.
  it('end when the time is up, so that others are heard, and go on in the order in which they were asked for', async () => {
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
    for (const one of all) one.ask()
    let loops = 0
    for (; all.some(({ taken }) => taken < 20); loops++) {
      await nextTurn()
      const counts = all.map(({ taken }) => taken)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(18)
      expect(loops).toBeLessThan(1_000)
    }
    // 1,000 steps of 1 ms by some 10 to 18 in each turn of the loop.
    expect(loops).toBeGreaterThan(40)
    expect(all.every(({ waits }) => !waits)).toBe(true)
  })

  it('come to everybody even where each takes longer than there is time', async () => {
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
    for (const one of all) one.ask()
    for (let loops = 0; all.some(({ taken }) => taken < 3); loops++) {
      expect(loops).toBeLessThan(1_000)
      await nextTurn()
    }
  })

  it('are free at once where nobody waits and little has been handed out', () => {
    const delivery = new FairDelivery(10, () => 0)
    for (let i = 0; i < 10_000; i++) expect(delivery.maySend()).toBe(true)
  })
})
