import { getEventListeners } from 'node:events'
import { GraphQLError } from 'graphql'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import type { RequestContext } from '../../../src/graphql/base/request-context.js'
import { subscriptionStream } from '../../../src/graphql/base/subscription-stream.js'

function open(events: (signal: AbortSignal) => AsyncIterableIterator<number>) {
  const abort = new AbortController()
  return { abort, events: subscriptionStream({ signal: abort.signal } as RequestContext, events) }
}

/** Yields one number, then waits until the signal aborts. */
async function* patient(signal: AbortSignal) {
  yield 1
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

describe('the source of a subscription', () => {
  it('ends when the client leaves, even while it waits for the next event', async () => {
    const { events, abort } = open(patient)
    expect(await events.next()).toEqual({ done: false, value: 1 })
    const waiting = events.next()
    expect(await events.return!()).toMatchObject({ done: true })
    expect(await waiting).toMatchObject({ done: true })
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
  })

  it('ends when the request is aborted, before or while it runs', async () => {
    const { events, abort } = open(patient)
    await events.next()
    const waiting = events.next()
    abort.abort()
    expect(await waiting).toMatchObject({ done: true })

    const late = new AbortController()
    late.abort()
    const never = subscriptionStream({ signal: late.signal } as RequestContext, patient)
    await never.next()
    expect(await never.next()).toMatchObject({ done: true })
  })

  it('adds the code to an error of the caller, and passes on any other error', async () => {
    const failing = (error: Error) =>
      // biome-ignore lint/correctness/useYield: it fails before it yields
      open(async function* () {
        throw error
      }).events.next()
    await expect(failing(new RegistryError('COMPACTED', 'too old', { oldestRevision: 3 }))).rejects.toMatchObject({
      message: 'too old',
      extensions: { code: 'COMPACTED', oldestRevision: 3 },
    })
    await expect(failing(new RegistryError('COMPACTED', 'too old'))).rejects.toBeInstanceOf(GraphQLError)
    await expect(failing(new TypeError('a secret'))).rejects.toBeInstanceOf(TypeError)
  })

  it('removes its listener when it ends by itself', async () => {
    const { events, abort } = open(async function* () {
      yield 1
    })
    expect(await events.next()).toMatchObject({ value: 1 })
    expect(await events.next()).toMatchObject({ done: true })
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
  })
})
