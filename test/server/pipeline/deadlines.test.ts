import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Deadlines } from '../../../src/server/pipeline/deadlines.js'

describe('deadlines', () => {
  it('pass in the order in which they began, except the cancelled ones', async () => {
    const deadlines = new Deadlines(30)
    const late: number[] = []
    const ends = [0, 1, 2, 3, 4].map((i) => deadlines.begin(() => late.push(i)))
    for (const i of [0, 2, 4]) ends[i]!()
    // Twice does no harm.
    ends[2]!()
    await expect.poll(() => late).toEqual([1, 3])
    ends[1]!()
    deadlines.begin(() => late.push(5))
    await expect.poll(() => late).toEqual([1, 3, 5])
  })

  it('may cancel one another and begin others', async () => {
    const deadlines = new Deadlines(10)
    const late: string[] = []
    deadlines.begin(() => {
      late.push('first')
      endSecond()
      deadlines.begin(() => late.push('third'))
    })
    const endSecond = deadlines.begin(() => late.push('second'))
    await expect.poll(() => late).toEqual(['first', 'third'])
  })

  // As elements of a `Set`, deadlines and their requests stayed alive until a full collection: 15 % of a busy gateway's time.
  it('leave no garbage that survives a minor collection', () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void
    const deadlines = new Deadlines(60_000)
    const running: (() => void)[] = []
    const some = () => {
      const held = new Array<number>(250).fill(0.5)
      running.push(deadlines.begin(() => held.length))
      if (running.length > 64) running.shift()!()
    }
    const used = () => {
      for (let i = 0; i < 5_000; i++) some()
      gc({ type: 'minor' })
      gc({ type: 'minor' })
      return process.memoryUsage().heapUsed / 1e6
    }
    gc()
    used()
    const before = used()
    // Each call allocates 10 MB. Half of it used to stay alive.
    const most = Math.max(...Array.from({ length: 6 }, used))
    expect(most - before).toBeLessThan(10)
  })
})
