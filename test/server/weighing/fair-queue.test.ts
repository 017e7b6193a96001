import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairQueue, LeftQueue, QueueFull } from '../../../src/server/weighing/fair-queue.js'

const NEVER = new AbortController().signal
/** Lets all promises that can settle do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A queue whose work ends only when the test says so. */
function steppedQueue(limits: Partial<ConstructorParameters<typeof FairQueue>[0]> = {}) {
  const queue = new FairQueue({ slots: 1, waiting: 100, waitingOfGroup: 50, ...limits })
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const connections = new Map<string, object>()
  const end = async (name: string) => {
    ends.get(name)!()
    ends.delete(name)
    await settled()
  }
  return {
    queue,
    begun,
    /** @param name - `group/connection/number` */
    ask(name: string, signal: AbortSignal = NEVER) {
      const [group, connection] = name.split('/') as [string, string]
      const key = `${group}/${connection}`
      if (!connections.has(key)) connections.set(key, {})
      return queue.run({ group, connection: connections.get(key)! }, signal, () => {
        begun.push(name)
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
      })
    },
    end,
    /** Ends whatever runs, until nothing does. */
    async endAll() {
      while (ends.size > 0) await end([...ends.keys()][0]!)
    },
  }
}

describe('the fair queue', () => {
  it('begins work at once while a slot is free', async () => {
    const { ask, begun, end } = steppedQueue()
    const answer = ask('a/1/1')
    expect(begun).toEqual(['a/1/1'])
    await end('a/1/1')
    expect(await answer).toBe('a/1/1')
  })

  it('lets a client with one request wait for one other, however many another client has sent', async () => {
    const { ask, begun, end } = steppedQueue()
    for (let i = 0; i < 40; i++) void ask(`greedy/1/${i}`)
    void ask('modest/1/0')
    await end('greedy/1/0')
    expect(begun).toEqual(['greedy/1/0', 'modest/1/0'])
    await end('modest/1/0')
    expect(begun.at(-1)).toBe('greedy/1/1')
  })

  it('takes turns between the connections of one client', async () => {
    const { ask, begun, endAll } = steppedQueue()
    for (let i = 0; i < 3; i++) void ask(`a/1/${i}`)
    for (let i = 0; i < 2; i++) void ask(`a/2/${i}`)
    await endAll()
    expect(begun).toEqual(['a/1/0', 'a/1/1', 'a/2/0', 'a/1/2', 'a/2/1'])
  })

  it('gives no client two slots, so that one is left for another', async () => {
    const { ask, begun } = steppedQueue({ slots: 2 })
    for (const name of ['a/1/0', 'a/2/0', 'b/1/0', 'c/1/0']) void ask(name)
    await settled()
    expect(begun).toEqual(['a/1/0', 'b/1/0'])
  })

  it('never begins work whose client has gone, and serves the next', async () => {
    const { queue, ask, begun, end } = steppedQueue()
    void ask('a/1/0')
    const gone = new AbortController()
    const left = ask('b/1/0', gone.signal)
    void ask('c/1/0')
    gone.abort('the client is gone')
    await expect(left).rejects.toThrow(LeftQueue)
    expect(queue.waiting).toBe(1)
    await end('a/1/0')
    expect(begun).toEqual(['a/1/0', 'c/1/0'])
    await expect(ask('d/1/0', gone.signal)).rejects.toThrow(LeftQueue)
  })

  it('keeps the slot of work that nobody awaits any more until it has ended', async () => {
    // Otherwise clients that come and go would pile up work.
    const { ask, begun, end } = steppedQueue()
    const gone = new AbortController()
    void ask('a/1/0', gone.signal)
    void ask('b/1/0')
    gone.abort()
    await settled()
    expect(begun).toEqual(['a/1/0'])
    await end('a/1/0')
    expect(begun).toEqual(['a/1/0', 'b/1/0'])
  })

  it('refuses what exceeds its bounds, and says whose', async () => {
    const { ask } = steppedQueue({ waiting: 3, waitingOfGroup: 2 })
    for (const name of ['a/1/0', 'a/1/1', 'a/1/2', 'b/1/0']) void ask(name)
    await expect(ask('a/1/3')).rejects.toMatchObject({ isOwnGroup: true })
    await expect(ask('b/1/1')).rejects.toMatchObject({ isOwnGroup: false })
    await expect(ask('b/1/1')).rejects.toThrow(QueueFull)
  })

  it('frees the slot of work that fails', async () => {
    const queue = new FairQueue({ slots: 1, waiting: 1, waitingOfGroup: 1 })
    const client = { group: 'a', connection: {} }
    for (const fail of [
      () => Promise.reject(new Error('broken')),
      () => {
        throw new Error('broken')
      },
    ])
      await expect(queue.run(client, NEVER, fail)).rejects.toThrow('broken')
    await settled()
    expect([queue.running, queue.waiting]).toEqual([0, 0])
  })

  it('runs everything that stays, once, and lets no client wait for more than one turn of each other', async () => {
    const arrivals = fc.array(
      fc.record({ group: fc.constantFrom('a', 'b', 'c'), connection: fc.constantFrom('1', '2'), leaves: fc.boolean() }),
      { maxLength: 40 },
    )
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 3 }), async (asked, slots) => {
        const { queue, ask, begun, endAll } = steppedQueue({ slots })
        const names = asked.map(({ group, connection }, i) => `${group}/${connection}/${i}`)
        const gone = names.map(() => new AbortController())
        const answers = names.map((name, i) => ask(name, gone[i]!.signal).catch(() => null))
        const atOnce = new Set(begun)
        asked.forEach(({ leaves }, i) => {
          if (leaves) gone[i]!.abort()
        })
        await endAll()
        await Promise.all(answers)
        expect([queue.running, queue.waiting]).toEqual([0, 0])
        const staying = names.filter((name, i) => !asked[i]!.leaves || atOnce.has(name))
        expect([...begun].sort()).toEqual([...staying].sort())
        // While two groups wait, neither begins twice before the other begins once.
        const later = begun.slice(atOnce.size)
        const groupOf = (name: string) => name.split('/')[0]!
        later.forEach((name, i) => {
          const next = later.findIndex((other, j) => j > i && groupOf(other) === groupOf(name))
          if (next === -1) return
          const between = new Set(later.slice(i + 1, next).map(groupOf))
          const remaining = new Set(
            later
              .slice(next)
              .map(groupOf)
              .filter((group) => group !== groupOf(name)),
          )
          for (const group of remaining) expect([between.has(group), slots > 1]).not.toEqual([false, false])
        })
      }),
      { numRuns: 60 },
    )
  })
})
