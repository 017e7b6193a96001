import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Debounce } from '../../../src/sources/running/debounce.js'

describe('a debounce', () => {
  // A listener of an earlier burst removed the current one, so a stopping gateway never released its sources.
  it('ends when it is aborted, after any number of bursts', async () => {
    const debounce = new Debounce()
    const stop = new AbortController()
    for (let burst = 0; burst < 3; burst++) {
      debounce.touch()
      await debounce.due(stop.signal)
    }
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
    const waiting = debounce.due(stop.signal).then(() => 'ended')
    stop.abort()
    expect(await waiting).toBe('ended')
  })

  describe('with fake timers', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
    afterEach(() => void vi.useRealTimers())

    const follow = (debounce: Debounce) => {
      const stop = new AbortController()
      const state = { isDue: false, stop: () => stop.abort() }
      void debounce.due(stop.signal).then(() => {
        state.isDue = true
      })
      return state
    }

    it('waits until a burst is over', async () => {
      const debounce = new Debounce()
      const state = follow(debounce)
      for (let n = 0; n < 12; n++) {
        debounce.touch()
        await vi.advanceTimersByTimeAsync(50)
      }
      await vi.advanceTimersByTimeAsync(449)
      expect(state.isDue).toBe(false)
      await vi.advanceTimersByTimeAsync(2)
      expect(state.isDue).toBe(true)
    })

    it('is due at once when it is flushed', async () => {
      const debounce = new Debounce()
      debounce.touch()
      debounce.flush()
      const state = follow(debounce)
      await vi.advanceTimersByTimeAsync(0)
      expect(state.isDue).toBe(true)
    })

    it('discards earlier calls when it is reset', async () => {
      const debounce = new Debounce()
      debounce.touch()
      debounce.flush()
      debounce.reset()
      const state = follow(debounce)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(state.isDue).toBe(false)
      state.stop()
    })
  })
})
