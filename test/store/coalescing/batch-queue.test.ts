import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { BatchQueue, type BatchQueueOptions } from '../../../src/store/coalescing/batch-queue.js'

const NO_LIMITS = {
  requests: Infinity,
  items: Infinity,
  bytes: Infinity,
  waitingRequests: Infinity,
  waitingBytes: Infinity,
  waitMs: Infinity,
}

/** Records its batches; each stays in flight until it is finished. Requests whose names are in `busy` are retried. */
function heldQueue({
  limits = {},
  ...options
}: Partial<Omit<BatchQueueOptions<string, string>, 'limits'>> & { limits?: object }) {
  const batches: string[][] = []
  const inFlight: (() => void)[] = []
  const busy = new Set<string>()
  const queue = new BatchQueue<string, string>({
    async send(batch, retry) {
      batches.push(batch.map(({ request }) => request))
      await new Promise<void>((resolve) => inFlight.push(resolve))
      for (const pending of batch) {
        if (busy.has(pending.request)) retry(pending)
        else pending.onResult(pending.request.toUpperCase())
      }
    },
    refusal: 'Nothing was done',
    ...options,
    limits: { ...NO_LIMITS, ...limits },
  })
  const finish = async () => {
    while (inFlight.length === 0) await nextTick()
    inFlight.shift()!()
  }
  return { queue, batches, busy, finish }
}

describe('a batch queue', () => {
  it('sends requests of one task together, and those that arrive meanwhile in the next batch', async () => {
    const { queue, batches, finish } = heldQueue({})
    const first = [queue.request('a'), queue.request('b')]
    await nextTick()
    const second = [queue.request('c'), queue.request('d')]
    await finish()
    await finish()
    expect(await Promise.all([...first, ...second])).toEqual(['A', 'B', 'C', 'D'])
    expect(batches).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ])
  })

  it('bounds a batch by requests, items and bytes, and sends a larger request alone', async () => {
    const { queue, batches, finish } = heldQueue({ limits: { requests: 3, items: 10, bytes: 100 } })
    const all = [
      queue.request('a', 4),
      queue.request('b', 6),
      queue.request('c', 20),
      queue.request('d', 1, 100),
      queue.request('e', 1, 1),
      queue.request('f'),
      queue.request('g'),
      queue.request('h'),
    ]
    for (let i = 0; i < 5; i++) await finish()
    await Promise.all(all)
    expect(batches).toEqual([['a', 'b'], ['c'], ['d'], ['e', 'f', 'g'], ['h']])
  })

  it('never puts two requests with one key into a batch, and keeps their order', async () => {
    const { queue, batches, finish } = heldQueue({ keyOf: (request) => request[0]! })
    const all = ['a1', 'a2', 'b1', 'a3', 'c1'].map((request) => queue.request(request))
    for (let i = 0; i < 3; i++) await finish()
    await Promise.all(all)
    expect(batches).toEqual([['a1', 'b1', 'c1'], ['a2'], ['a3']])
  })

  it('sends a request that is retried in a later batch', async () => {
    const { queue, batches, busy, finish } = heldQueue({})
    busy.add('b')
    const all = ['a', 'b'].map((request) => queue.request(request))
    await finish()
    expect(await all[0]).toBe('A')
    busy.clear()
    await finish()
    expect(await all[1]).toBe('B')
    expect(batches).toEqual([['a', 'b'], ['b']])
  })

  it('has as many batches in flight as it may', async () => {
    const { queue, batches, finish } = heldQueue({
      limits: { requests: 1 },
      mayStart: ({ batches }) => batches < 2,
    })
    const all = ['a', 'b', 'c'].map((request) => queue.request(request))
    await nextTick()
    expect(batches).toEqual([['a'], ['b']])
    for (let i = 0; i < 3; i++) await finish()
    await Promise.all(all)
  })

  it('refuses a request that waited too long without sending it, and frees its room', async () => {
    const { queue, batches, finish } = heldQueue({ limits: { waitMs: 20, waitingBytes: 10 } })
    const first = queue.request('a', 1, 10)
    await nextTick()
    const late = queue.request('b', 1, 10)
    const caught = late.catch((error: unknown) => error)
    await expect(queue.request('c', 1, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await new Promise((resolve) => setTimeout(resolve, 40))
    await finish()
    await first
    expect(await caught).toMatchObject({ code: 'UNAVAILABLE' })
    const next = queue.request('d', 1, 10)
    await finish()
    await next
    expect(batches).toEqual([['a'], ['d']])
  })

  it('fails all requests of a batch whose sending fails, and continues', async () => {
    let fails = true
    const queue = new BatchQueue<string, string>({
      async send(batch) {
        if (fails) throw new Error('the store is away')
        for (const { request, onResult } of batch) onResult(request)
      },
      limits: NO_LIMITS,
      refusal: 'Nothing was done',
    })
    for (const result of await Promise.allSettled([queue.request('a'), queue.request('b')]))
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'the store is away' } })
    fails = false
    expect(await queue.request('c')).toBe('c')
  })

  it('settles what waits when it closes, and refuses later requests', async () => {
    const { queue, finish } = heldQueue({ limits: { requests: 1 } })
    const all = ['a', 'b'].map((request) => queue.request(request))
    const closed = queue.close()
    await expect(queue.request('c')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await finish()
    await finish()
    await closed
    expect(await Promise.all(all)).toEqual(['A', 'B'])
    await queue.close()
  })
})
