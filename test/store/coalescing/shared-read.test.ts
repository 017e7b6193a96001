import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { SharedRead } from '../../../src/store/coalescing/shared-read.js'
import { SharedReadWaiters } from '../../../src/store/coalescing/shared-read-waiters.js'

/** Numbers its reads; each stays in flight until it is finished. */
function heldReads() {
  const inFlight: ((error?: Error) => void)[] = []
  let started = 0
  const shared = new SharedRead(async () => {
    const number = ++started
    const error = await new Promise<Error | undefined>((resolve) => inFlight.push(resolve))
    if (error !== undefined) throw error
    return number
  })
  const finish = async (error?: Error) => {
    while (inFlight.length === 0) await nextTick()
    inFlight.shift()!(error)
  }
  return { shared, finish, started: () => started }
}

describe('a shared read', () => {
  it('answers all requests of one tick by one read', async () => {
    const { shared, finish, started } = heldReads()
    const requests = [shared.read(), shared.read(), shared.read()]
    await finish()
    expect(await Promise.all(requests)).toEqual([1, 1, 1])
    expect(started()).toBe(1)
  })

  it('never answers a request by a read that started before the request arrived', async () => {
    const { shared, finish, started } = heldReads()
    const first = shared.read()
    while (started() === 0) await nextTick()
    const late = [shared.read(), shared.read()]
    await finish()
    expect(await first).toBe(1)
    await finish()
    expect(await Promise.all(late)).toEqual([2, 2])
  })

  it('has one read in flight at a time', async () => {
    const { shared, finish, started } = heldReads()
    const first = shared.read()
    while (started() === 0) await nextTick()
    const second = shared.read()
    for (let tick = 0; tick < 5; tick++) await nextTick()
    expect(started()).toBe(1)
    await finish()
    await finish()
    expect([await first, await second]).toEqual([1, 2])
  })

  it('rejects only the requests of a read that fails', async () => {
    const { shared, finish, started } = heldReads()
    const failing = shared.read()
    while (started() === 0) await nextTick()
    const next = shared.read()
    await finish(new Error('the store is away'))
    await expect(failing).rejects.toThrow('the store is away')
    await finish()
    expect(await next).toBe(2)
  })
})

describe('waiters for a shared read', () => {
  it('are called back in order, each by the read that it waits for', async () => {
    const { shared, finish, started } = heldReads()
    const log: string[] = []
    const waiters = new SharedReadWaiters<string>(
      (name) => log.push(`${name} after ${started()}`),
      (name, error) => log.push(`${name}: ${(error as Error).message}`),
    )
    waiters.add(shared.read(), 'a')
    waiters.add(shared.read(), 'b')
    while (started() === 0) await nextTick()
    waiters.add(shared.read(), 'c')
    await finish()
    await nextTick()
    await finish(new Error('away'))
    await nextTick()
    expect(log).toEqual(['a after 1', 'b after 1', 'c: away'])
  })
})
