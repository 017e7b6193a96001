import { describe, expect, it } from 'vitest'
import type { Steps } from '../../../src/core/algorithms/steps.js'
import { type Clock, TimeSlices } from '../../../src/store/coalescing/time-slices.js'

/** A clock that moves by the time that steps say they take. Turns run when the test says so. */
class TestClock implements Clock {
  time = 0
  readonly ticks: (() => void)[] = []

  now(): number {
    return this.time
  }

  nextTurn(callback: () => void): void {
    this.ticks.push(callback)
  }

  afterPromises(callback: () => void): void {
    queueMicrotask(() => process.nextTick(callback))
  }

  /** Runs one turn of the event loop and returns the time that it took. */
  async turn(): Promise<number> {
    const before = this.time
    for (const callback of this.ticks.splice(0)) callback()
    await new Promise((resolve) => setImmediate(resolve))
    return this.time - before
  }
}

function* work(clock: TestClock, steps: number, msEach: number, log: string[], name = ''): Steps<string> {
  for (let i = 0; i < steps; i++) {
    clock.time += msEach
    log.push(`${name}${i}`)
    yield
  }
  return name
}

describe('TimeSlices', () => {
  it('returns the result of short work at once', () => {
    const clock = new TestClock()
    expect(new TimeSlices(clock).run(work(clock, 3, 1, [], 'short'))).toBe('short')
  })

  it('lets other work run after 5 ms, in every turn', async () => {
    const clock = new TestClock()
    const log: string[] = []
    const result = new TimeSlices(clock).run(work(clock, 40, 1, log, 'a'))
    expect(result).toBeInstanceOf(Promise)
    const ticks: number[] = []
    while (log.length < 40) ticks.push(await clock.turn())
    expect(await result).toBe('a')
    expect(Math.max(...ticks)).toBeLessThanOrEqual(6)
    expect(ticks.length).toBeGreaterThanOrEqual(6)
  })

  it('gives all work of the process one slice in each turn, in the order in which it paused', async () => {
    // With a slice for each, a hundred changesets would hold the thread for 500 ms.
    const clock = new TestClock()
    const slices = new TimeSlices(clock)
    const log: string[] = []
    const results = ['a', 'b', 'c'].map((name) => slices.run(work(clock, 12, 1, log, name)))
    const ticks: number[] = []
    while (log.length < 36) ticks.push(await clock.turn())
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c'])
    expect(Math.max(...ticks)).toBeLessThanOrEqual(6)
    // None waits until another one is done.
    expect(log.indexOf('c0')).toBeLessThan(log.indexOf('a11'))
  })

  it('fills a slice with the work of many that need little of it', async () => {
    const clock = new TestClock()
    const slices = new TimeSlices(clock)
    clock.time = 0
    slices.pauseIfDue()
    clock.time = 10
    const done: number[] = []
    for (let i = 0; i < 50; i++) {
      void slices.pauseIfDue()!.then(() => {
        clock.time += 0.1
        done.push(i)
      })
    }
    await clock.turn()
    expect(done.length).toBeGreaterThan(40)
    await clock.turn()
    expect(done).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  it('stops at a pause once the signal aborts, and does nothing more', async () => {
    const clock = new TestClock()
    const log: string[] = []
    const ending = new AbortController()
    const result = new TimeSlices(clock).run(work(clock, 40, 1, log), ending.signal)
    await clock.turn()
    const before = log.length
    ending.abort(new Error('nobody waits'))
    const refused = expect(result).rejects.toThrow('nobody waits')
    for (let i = 0; i < 3; i++) await clock.turn()
    await refused
    expect(log).toHaveLength(before)
  })
})
