import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Debounce } from '../../../src/sources/running/debounce.js'

describe('a debounce', () => {
  // A listener of a burst long over took the present one with it: a gateway that stopped never let go of its sources.
  it('ends when it is aborted, however many bursts have been', async () => {
    const debounce = new Debounce()
    const stop = new AbortController()
    for (let burst = 0; burst < 3; burst++) {
      debounce.touch()
      await debounce.due(stop.signal)
    }
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
    const waiting = debounce.due(stop.signal).then(() => 'ended')
    stop.abort()
    expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 2_000))])).toBe('ended')
  })

  it('waits until a burst is over, and not for who is in a hurry', async () => {
    const debounce = new Debounce()
    const { signal } = new AbortController()
    const begun = performance.now()
    const touching = setInterval(() => debounce.touch(), 50)
    setTimeout(() => clearInterval(touching), 600)
    await debounce.due(signal)
    expect(performance.now() - begun).toBeGreaterThan(1_000)
    debounce.touch()
    debounce.flush()
    const hurried = performance.now()
    await debounce.due(signal)
    expect(performance.now() - hurried).toBeLessThan(400)
  })

  it('takes what was called until now for done when it is calmed', async () => {
    const debounce = new Debounce()
    const stop = new AbortController()
    debounce.touch()
    debounce.flush()
    debounce.reset()
    const due = debounce.due(stop.signal).then(() => 'due')
    expect(await Promise.race([due, new Promise((resolve) => setTimeout(resolve, 800, 'calm'))])).toBe('calm')
    stop.abort()
    await due
  })
})
