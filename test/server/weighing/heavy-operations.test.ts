import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type App, createApp } from '../../../src/server/app.js'
import { loadConfig } from '../../../src/server/config/config.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { apply, create, HISTORY_OPTIONS, historyWith, registryOver } from '../../registry/registry-fixture.js'
import { type Answer, post, SocketClient } from '../server-fixture.js'

const REVISIONS = 12
/** An operation that reads the delta from revision 0 to `to`, which no other operation of a test reads. */
const delta = (to: number, alias = 'delta') => `${alias}: delta(from: {revision: 0}, to: {revision: ${to}}) { created }`
/** Too long to be compiled, so that graphql-js executes it. */
const UNCOMPILED = `#${'x'.repeat(17_000)}\n`

describe.each([
  ['compiled', ''],
  ['executed by graphql-js', UNCOMPILED],
])('a heavy operation, %s', (_, prefix) => {
  let app: App
  let endpoint: string
  /** Deltas that were begun, by their `to`, and functions that let them end. */
  let begun: number[]
  let ends: Map<number, () => void>
  const logged: { level: number }[] = []
  const clients: SocketClient[] = []

  beforeEach(async () => {
    begun = []
    ends = new Map()
    const memory = openMemoryHistory(HISTORY_OPTIONS)
    const history = historyWith(memory, {
      async delta(from, to) {
        begun.push(to)
        await new Promise<void>((resolve) => ends.set(to, resolve))
        return memory.delta(from, to)
      },
    })
    const registry = registryOver(history)
    for (let i = 0; i < REVISIONS; i++) await apply(registry, create(`a:${i}`))
    const lines = new PassThrough()
    lines.on('data', (line: Buffer) => logged.push(JSON.parse(line.toString()) as { level: number }))
    app = createApp({ config: loadConfig({ CADASTRE_STORE: 'memory' }, tmpdir()), registry, log: pino({}, lines) })
    app.server.listen(0, '127.0.0.1')
    await once(app.server, 'listening')
    endpoint = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/graphql`
  })
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.terminate()
    for (const end of ends.values()) end()
    await app.stop(100)
    expect(logged.filter(({ level }) => level >= 50)).toEqual([])
  })

  const ask = (query: string, author?: string, signal?: AbortSignal): Promise<Answer['body']> =>
    fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(author && { 'x-cadastre-author': author }) },
      body: JSON.stringify({ query: prefix + query }),
      ...(signal && { signal }),
    }).then((response) => response.json() as Promise<Answer['body']>)
  const end = (to: number) => {
    ends.get(to)!()
    ends.delete(to)
  }
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  /** Resolves when a light request, sent now, was answered. Whatever could begin by then has begun. */
  const light = async () => {
    expect((await post({ endpoint }, '{ entry(id: "a:1") { id } }')).body.data).toEqual({ entry: { id: 'a:1' } })
    expect((await post({ endpoint }, `${prefix}{ versions(first: 1) { totalCount } }`)).body.errors).toBeUndefined()
  }

  it('runs one at a time for each client, while light ones are answered', async () => {
    const answers = [1, 2, 3].map((to) => ask(`{ ${delta(to)} }`))
    await until(() => begun.length > 0)
    await light()
    expect(begun).toHaveLength(1)
    for (let i = 1; i <= 3; i++) {
      await until(() => begun.length === i)
      await light()
      expect(begun).toHaveLength(i)
      end(begun.at(-1)!)
    }
    const created = (await Promise.all(answers)).map(({ data }) => data!['delta'].created as number)
    expect(created.sort()).toEqual([1, 2, 3])
  })

  it('does not wait for the others of a client that sends many', async () => {
    const greedy = Array.from({ length: 6 }, (_, i) => ask(`{ ${delta(i + 1)} }`, 'greedy'))
    await until(() => begun.length === 1)
    const modest = ask(`{ ${delta(9)} }`, 'modest')
    await until(() => begun.includes(9))
    end(9)
    expect((await modest).data).toEqual({ delta: { created: 9 } })
    while (begun.length < 7) {
      const { length } = begun
      end(begun.findLast((to) => ends.has(to))!)
      await until(() => begun.length > length)
    }
    end(begun.at(-1)!)
    await Promise.all(greedy)
  })

  it('reads one delta of its aliases after another, and none after its caller has left', async () => {
    // A request with many deltas used to take all connections to the store.
    const leaving = new AbortController()
    const answer = ask(`{ ${[1, 2, 3].map((to) => delta(to, `d${to}`)).join(' ')} }`, undefined, leaving.signal)
    await until(() => begun.length === 1)
    await light()
    expect(begun).toEqual([1])
    end(1)
    await until(() => begun.length === 2)
    leaving.abort()
    await expect(answer).rejects.toThrow()
    const next = ask(`{ ${delta(7)} }`)
    // The slot is taken until the read has ended.
    await light()
    expect(begun).toEqual([1, 2])
    end(2)
    await until(() => begun.length === 3)
    expect(begun).toEqual([1, 2, 7])
    end(7)
    expect((await next).data).toEqual({ delta: { created: 7 } })
  })

  it('is dropped if its caller leaves while it waits', async () => {
    const first = ask(`{ ${delta(1)} }`)
    await until(() => begun.length === 1)
    const leaving = new AbortController()
    const second = ask(`{ ${delta(2)} }`, undefined, leaving.signal)
    const rejected = expect(second).rejects.toThrow()
    await light()
    leaving.abort()
    await rejected
    const third = ask(`{ ${delta(3)} }`)
    await light()
    end(1)
    await first
    await until(() => begun.length === 2)
    expect(begun).toEqual([1, 3])
    end(3)
    expect((await third).data).toEqual({ delta: { created: 3 } })
  })

  it.each(['complete', 'close'] as const)('is dropped if its socket says %s while it waits', async (how) => {
    const socket = new SocketClient(endpoint)
    clients.push(socket)
    await socket.init()
    const first = ask(`{ ${delta(1)} }`)
    await until(() => begun.length === 1)
    socket.subscribe('2', `${prefix}{ ${delta(2)} }`)
    socket.subscribe('3', `${prefix}{ currentVersion { number } }`)
    await socket.next(({ id, type }) => id === '3' && type === 'complete')
    if (how === 'close') socket.close()
    else {
      socket.send({ id: '2', type: 'complete' })
      // The id is free at once.
      socket.subscribe('2', '{ head: currentVersion { number } }')
      expect((await socket.next(({ id }) => id === '2')).payload.data).toEqual({ head: { number: REVISIONS } })
    }
    await light()
    end(1)
    await first
    const last = ask(`{ ${delta(4)} }`)
    await until(() => begun.length === 2)
    expect(begun).toEqual([1, 4])
    end(4)
    await last
  })

  it('is refused with UNAVAILABLE if too many of its client wait', async () => {
    const leaving = new AbortController()
    const running = ask(`{ ${delta(1)} }`)
    await until(() => begun.length === 1)
    const waiting = Array.from({ length: 64 }, () =>
      ask(`{ ${delta(2)} }`, undefined, leaving.signal).catch(() => null),
    )
    const refused = await Promise.race([...waiting, ask(`{ ${delta(3)} }`)])
    expect(refused!.errors![0]).toMatchObject({
      message: expect.stringMatching(/64 costly operations of yours wait already.*Wait for their answers/) as string,
      extensions: { code: 'UNAVAILABLE' },
    })
    // Others are not concerned.
    const other = ask(`{ ${delta(4)} }`, 'other')
    await until(() => begun.includes(4))
    end(4)
    expect((await other).data).toEqual({ delta: { created: 4 } })
    leaving.abort()
    end(1)
    await running
  })
})
