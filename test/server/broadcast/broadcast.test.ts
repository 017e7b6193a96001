import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ExecutionResult } from 'graphql'
import { describe, expect, it } from 'vitest'
import type { PositionTracker, StreamPosition } from '../../../src/registry/following/stream-position.js'
import { Broadcast } from '../../../src/server/broadcast/broadcast.js'
import { FairDelivery } from '../../../src/server/broadcast/fair-delivery.js'
import { FrameCache } from '../../../src/server/broadcast/result-batch.js'
import { ResultBufferBudget } from '../../../src/server/broadcast/result-buffer-budget.js'
import type { FeedSource } from '../../../src/server/broadcast/result-feed.js'

const RESULTS = 200

/** A stream whose n-th result has revision n. */
function source(after: number): FeedSource {
  let revision = after
  const placeAt = (at: number): StreamPosition =>
    ({ position: { revision: at, position: Infinity }, target: 0, version: at }) as StreamPosition
  const place: PositionTracker = { from: placeAt(after), at: null, scanned: null }
  const results: AsyncIterator<ExecutionResult> = {
    async next() {
      await nextTurn()
      if (revision === RESULTS) return { done: true, value: undefined }
      revision += 1
      Object.assign(place, { at: placeAt(revision) })
      return { done: false, value: { data: { revision } } }
    },
    async return() {
      return { done: true, value: undefined }
    },
  }
  return { results, place }
}

describe('a broadcast with many queued subscribers', () => {
  // With a small buffer and late time slices, each result used to be evicted before any subscriber received it. So they kept starting feeds of their own.
  it('delivers results that are evicted before their subscribers have a time slice', async () => {
    let opened = 0
    const delivery = new FairDelivery(0)
    const operation = new Broadcast({
      isLogOnly: true,
      memory: { budget: new ResultBufferBudget(1), frames: new FrameCache() },
      delivery,
      onEmpty: () => undefined,
      open(from) {
        opened += 1
        return source(from.position.revision)
      },
    })
    // These recipients never leave the queue.
    const busy = { takeSlice: () => delivery.enqueue(busy) }
    for (let i = 0; i < 50; i++) delivery.enqueue(busy)
    const received: number[][] = []
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => {
        const mine: number[] = (received[i] = [])
        return operation.subscribe(
          source(0),
          {
            send(results, taken) {
              for (const { text } of results)
                mine.push((JSON.parse(text.toString()) as { data: { revision: number } }).data.revision)
              setImmediate(taken)
            },
          },
          performance.now(),
        ).ended
      }),
    )
    for (const mine of received) expect(mine).toEqual(Array.from({ length: RESULTS }, (_, n) => n + 1))
    expect(opened).toBeLessThan(RESULTS)
  })
})
