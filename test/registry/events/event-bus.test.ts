import { describe, expect, it } from 'vitest'
import type { BusEvent, ReceivedEvent } from '../../../src/core/events/bus-event.js'
import { EventBus } from '../../../src/registry/events/event-bus.js'
import { openMemoryExchange } from '../../../src/store/memory/memory-exchange.js'
import { nextOf } from '../registry-fixture.js'

const event = (
  n: number,
  kind: 'registry.begin' | 'registry.commit' = 'registry.begin',
  error: string | null = null,
): BusEvent => ({
  type: 'transaction',
  system: 'registry',
  kind,
  path: `t.${n}`,
  at: new Date(0),
  transaction: `t.${n}`,
  operationCount: n,
  revision: null,
  error,
})
const EVERYTHING = { system: null, kind: null, path: null }
const story = (received: ReceivedEvent) => (received.type === 'missed' ? `missed ${received.count}` : received.path)

describe('EventBus', () => {
  it('counts the events that a slow subscriber missed, in their place, and delays no other subscriber', async () => {
    const bus = new EventBus(openMemoryExchange(), { waitingEvents: 10, waitingBytes: 1 << 20 })
    const { signal } = new AbortController()
    const slow = await bus.subscribe(EVERYTHING, signal)
    const quick = await bus.subscribe({ ...EVERYTHING, kind: 'registry.commit' }, signal)
    for (let n = 0; n < 1_000; n++) bus.publish(event(n))
    bus.publish(event(1_000, 'registry.commit'))
    expect(story(await nextOf(quick))).toBe('t.1000')
    const received: string[] = []
    for (let i = 0; i < 11; i++) received.push(story(await nextOf(slow)))
    expect(received).toEqual([...Array.from({ length: 10 }, (_, n) => `t.${n}`), 'missed 991'])
    bus.publish(event(7))
    expect(story(await nextOf(slow))).toBe('t.7')
  })

  it('counts missed events until a slow subscriber has read half of what it may hold', async () => {
    const bus = new EventBus(openMemoryExchange(), { waitingEvents: 10, waitingBytes: 1 << 20 })
    const slow = await bus.subscribe(EVERYTHING, new AbortController().signal)
    const read = async (count: number) => {
      const stories: string[] = []
      while (stories.length < count) stories.push(story(await nextOf(slow)))
      return stories
    }
    for (let n = 0; n < 11; n++) bus.publish(event(n))
    // Six wait, the count of missed events among them: that is still more than half.
    await read(5)
    bus.publish(event(20))
    await read(2)
    bus.publish(event(21))
    expect(await read(5)).toEqual(['t.7', 't.8', 't.9', 'missed 2', 't.21'])
  })

  it('counts missed events until a slow subscriber has read half of the bytes that it may hold', async () => {
    const bus = new EventBus(openMemoryExchange(), { waitingEvents: 1_000, waitingBytes: 10_000 })
    const slow = await bus.subscribe(EVERYTHING, new AbortController().signal)
    const large = 'x'.repeat(8_000)
    bus.publish(event(0, 'registry.begin', large))
    bus.publish(event(1, 'registry.begin', large))
    bus.publish(event(2))
    const stories = [story(await nextOf(slow))]
    bus.publish(event(3))
    while (stories.length < 3) stories.push(story(await nextOf(slow)))
    expect(stories).toEqual(['t.0', 'missed 2', 't.3'])
  })

  it('buffers no more bytes for a subscriber than the limit, but always one event', async () => {
    const bus = new EventBus(openMemoryExchange(), { waitingEvents: 1_000, waitingBytes: 10_000 })
    const stream = await bus.subscribe(EVERYTHING, new AbortController().signal)
    bus.publish(event(0, 'registry.begin', 'x'.repeat(50_000)))
    bus.publish(event(1))
    bus.publish(event(2))
    expect(story(await nextOf(stream))).toBe('t.0')
    expect(story(await nextOf(stream))).toBe('missed 2')
  })

  it('has no listeners once all subscribers have left, however they left', async () => {
    const bus = new EventBus(openMemoryExchange())
    const abort = new AbortController()
    const one = await bus.subscribe(EVERYTHING, abort.signal)
    const two = await bus.subscribe(EVERYTHING, new AbortController().signal)
    const waiting = one.next()
    expect(bus.hasListeners()).toBe(true)
    abort.abort()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(bus.hasListeners()).toBe(true)
    await two.return!()
    expect(bus.hasListeners()).toBe(false)
    // A subscription that was aborted before it was active.
    await bus.subscribe(EVERYTHING, abort.signal)
    expect(bus.hasListeners()).toBe(false)
  })

  it('refuses a pattern that does not parse', async () => {
    const bus = new EventBus(openMemoryExchange())
    await expect(bus.subscribe({ ...EVERYTHING, path: '(a' }, new AbortController().signal)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    })
    expect(bus.hasListeners()).toBe(false)
  })
})
