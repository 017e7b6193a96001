import { setTimeout as sleep } from 'node:timers/promises'
import { buildSchema, getOperationAST, parse } from 'graphql'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { type Criteria, EVERYTHING } from '../../../src/core/criteria/criteria.js'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import { schema } from '../../../src/graphql/schema.js'
import type { Registry } from '../../../src/registry/registry.js'
import { operationKey, subscriptionShape } from '../../../src/server/broadcast/operation-key.js'
import { createEngine, type EnginePaths } from '../../../src/server/engine/engine.js'
import { createMetrics } from '../../../src/server/observing/metrics.js'
import { isStream, type ResultStream } from '../../../src/server/pipeline/operation-request.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import {
  apply,
  create,
  HISTORY_OPTIONS,
  historyWith,
  memoryRegistry,
  registryOver,
  remove,
  stateAt,
  update,
} from '../../registry/registry-fixture.js'
import { callerOf } from '../caller-fixture.js'
import { APPLY, post, SocketClient, testGateway } from '../server-fixture.js'

const CHANGES = `subscription ($after: String, $initial: Boolean, $where: EntryFilter) { changes(after: $after, initial: $initial, where: $where) {
  cursor revision complete synced version { number } changes { kind entryId entry { digest } }
} }`

function engineOver(registry: Registry, resultBufferBytes?: number): EnginePaths {
  const metrics = createMetrics({ finderCache: () => ({ hits: 0, misses: 0, results: 0, bytes: 0 }) })
  return createEngine({
    schema,
    registry,
    log: pino({ level: 'silent' }),
    metrics,
    introspection: true,
    ...(resultBufferBytes !== undefined && { resultBufferBytes }),
  })
}

/** A client that takes each batch after a pause, or when a promise resolves. */
class Client {
  readonly batches: any[] = []
  pause: () => number | Promise<void> = () => 0
  #stream!: ResultStream
  ended!: Promise<void>

  async begin(engine: EnginePaths, variables: object, query = CHANGES, ending = new AbortController()): Promise<this> {
    const prepared = engine.prepare(
      { query, operationName: null, variables: variables as Record<string, unknown> },
      callerOf(ending.signal),
    )
    if ('errors' in prepared) throw prepared.errors[0]
    const stream = await prepared.start()
    if (!isStream(stream)) throw stream.errors![0]
    this.#stream = stream
    this.ended = stream.deliver({
      send: (results, taken) => {
        for (const { text } of results) {
          const { changes, entry } = (JSON.parse(text.toString()) as { data: any }).data
          this.batches.push(changes ?? entry)
        }
        const wait = this.pause()
        void (typeof wait === 'number' ? sleep(wait) : wait).then(taken)
      },
    })
    this.ended.catch(() => undefined)
    return this
  }

  async end(): Promise<void> {
    await this.#stream.return?.()
    await this.ended
  }

  get last() {
    return this.batches.at(-1)
  }
}

async function until(what: string, holds: () => boolean, ms = 60_000): Promise<void> {
  for (const end = Date.now() + ms; !holds(); await sleep(5))
    if (Date.now() > end) throw new Error(`timed out waiting until ${what}`)
}

describe('equal subscriptions', () => {
  const registries: Registry[] = []
  afterEach(async () => {
    for (const registry of registries.splice(0)) await registry.close()
  })
  const opened = (registry: Registry) => {
    registries.push(registry)
    return registry
  }

  it('are executed once for each change, wherever each began', async () => {
    const store = openMemoryHistory(HISTORY_OPTIONS)
    let asked = 0
    const registry = opened(
      registryOver(
        historyWith(store, {
          versions: (numbers) => {
            asked += 1
            return store.versions(numbers)
          },
        }),
      ),
    )
    const engine = engineOver(registry)
    const first = await new Client().begin(engine, {})
    await until('it is synced', () => first.last?.synced === true)
    await apply(registry, create('a:0'))
    await until('it is notified', () => first.last.revision === 1)
    const clients = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        new Client().begin(
          engine,
          i % 3 === 0 ? {} : i % 3 === 1 ? { after: first.batches[0].cursor } : { initial: true },
        ),
      ),
    )
    await until('all are synced', () => clients.every(({ last }) => last?.synced === true))
    // Until its socket has accepted the first batch, each has a feed of its own.
    await sleep(100)
    asked = 0
    for (let i = 1; i <= 10; i++) {
      await apply(registry, create(`a:${i}`))
      await until('all are notified', () => clients.every(({ last }) => last.revision === i + 1))
    }
    expect(asked).toBe(10)
    for (const { batches } of clients) expect(batches.slice(-10)).toEqual(first.batches.slice(-10))
    await Promise.all([first, ...clients].map((client) => client.end()))
  })

  it.each<[string, object | null, Criteria]>([
    ['everything', null, EVERYTHING],
    ['a namespace', { ns: { eq: 'a' } }, { field: { root: 'ns' }, test: { operator: 'equals', value: 'a' } }],
    [
      'a field',
      { meta: [{ path: 'on', eq: true }] },
      { field: { meta: 'on' }, test: { operator: 'equals', value: true } },
    ],
  ])(
    'each receive all of %s in order and once, at any speed, from any position',
    async (_name, where, criteria) => {
      const registry = opened(memoryRegistry({ progressMs: 60, logTail: { windowBytes: 30_000, backstopMs: 30_000 } }))
      // So small that slow clients fall out of it.
      const engine = engineOver(registry, 6_000)
      await apply(registry, create('a:begin', { on: true }), create('b:begin'))
      const watching = await new Client().begin(engine, { where })
      await until('it is synced', () => watching.last?.synced === true)
      const faults: string[] = []
      let final: number | null = null
      let comings = 0

      const following = async (number: number) => {
        await sleep(Math.random() * 300)
        const state = new Map<string, string>()
        let cursor: string | null = null
        let revision = 0
        let ended = true
        for (let done = false; !done; ) {
          const head = (await registry.history.head()).revision
          const client: Client = new Client()
          let calls = 0
          client.pause = () =>
            ++calls % 7 === number % 7 ? Math.random() * 60 : number % 4 === 0 ? Math.random() * 8 : 0
          await client.begin(engine, { where, ...(cursor === null ? { initial: true } : { after: cursor }) })
          comings += 1
          const life = 50 + Math.random() * 400
          const began = Date.now()
          await until('its life is over', () =>
            final === null
              ? Date.now() - began > life
              : client.last?.revision === final && client.last.complete === true,
          )
          done = final !== null && client.last?.revision === final
          await client.end()
          let synced = false
          for (const batch of client.batches) {
            const expected = where === null && cursor !== null ? (ended ? revision + 1 : revision) : null
            if (batch.revision < revision) faults.push(`${number}: ${batch.revision} after ${revision}`)
            if (
              expected !== null &&
              batch.revision !== expected &&
              !(batch.changes.length === 0 && batch.revision === revision)
            )
              faults.push(`${number}: ${batch.revision} where ${expected} comes next`)
            if (synced && !batch.synced) faults.push(`${number}: no longer synced at ${batch.revision}`)
            if (batch.synced && batch.revision < head)
              faults.push(`${number}: synced at ${batch.revision}, the head was ${head}`)
            for (const { kind, entryId, entry } of batch.changes) {
              if ((kind === 'CREATE') === state.has(entryId))
                faults.push(`${number}: ${kind} of ${entryId} at ${batch.revision}`)
              if (entry === null) state.delete(entryId)
              else state.set(entryId, entry.digest)
            }
            ;({ synced, revision, cursor } = batch)
            ended = batch.complete
          }
        }
        return { state, revision }
      }

      const followers = Array.from({ length: 24 }, (_, i) => following(i))
      for (let i = 0; i < 90; i++) {
        if (i % 40 === 25) {
          const many = Array.from({ length: 1_100 }, (_, n) => `a:${i}-${n}`)
          await apply(registry, ...many.map((id) => create(id, { on: n(id) % 2 === 0 })))
          await apply(registry, ...many.map(remove))
        } else
          await apply(
            registry,
            create(`${i % 5 === 0 ? 'a' : 'b'}:${i}`, { on: i % 4 === 0 }),
            update('a:begin', { on: i % 3 === 0 }),
          )
        if (i % 10 === 0) await sleep(Math.random() * 60)
      }
      await sleep(300)
      const { revision: head } = await registry.history.head()
      final = head
      const wanted = await stateAt(registry, criteria, head)
      for (const { state, revision } of await Promise.all(followers)) {
        expect(revision).toBe(head)
        expect(state).toEqual(wanted)
      }
      expect(faults).toEqual([])
      expect(comings).toBeGreaterThan(40)
      await watching.end()
    },
    60_000,
  )

  it('do not wait for one that stops reading, and it continues where it stopped', async () => {
    const registry = opened(memoryRegistry())
    const engine = engineOver(registry, 10_000)
    const stuck = new Client()
    let go: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      go = resolve
    })
    stuck.pause = () => (stuck.batches.length > 1 ? held : 0)
    await stuck.begin(engine, {})
    const others = await Promise.all(Array.from({ length: 5 }, () => new Client().begin(engine, {})))
    await until('all are synced', () => [stuck, ...others].every(({ last }) => last?.synced === true))
    for (let i = 1; i <= 100; i++) {
      await apply(registry, create(`a:${i}`, {}, 'x'.repeat(200)))
      await until('the others are notified', () => others.every(({ last }) => last.revision === i))
    }
    const before = stuck.batches.length
    expect(before).toBeLessThan(5)
    go()
    await until('it has caught up', () => stuck.last.revision === 100)
    expect(stuck.batches.map(({ revision }) => revision)).toEqual(Array.from({ length: 101 }, (_, i) => i))
    expect(stuck.batches).toEqual(others[0]!.batches)
    await Promise.all([stuck, ...others].map((client) => client.end()))
  })

  it('share results when they resume from different positions', async () => {
    // Each used to compute everything by itself, because it considered only older feeds, which were behind.
    const store = openMemoryHistory(HISTORY_OPTIONS)
    let asked = 0
    const registry = opened(
      registryOver(
        historyWith(store, {
          versions: (numbers) => {
            asked += 1
            return store.versions(numbers)
          },
        }),
      ),
    )
    const engine = engineOver(registry)
    const watching = await new Client().begin(engine, {})
    await until('it is synced', () => watching.last?.synced === true)
    for (let i = 1; i <= 400; i++) await apply(registry, create(`a:${i}`))
    await until('all is delivered', () => watching.last.revision === 400)
    const all = watching.batches.map(({ revision, changes }) => ({ revision, changes }))
    await watching.end()
    asked = 0
    const clients = await Promise.all(
      Array.from({ length: 40 }, (_, i) => new Client().begin(engine, { after: watching.batches[i * 10].cursor })),
    )
    await until('all have caught up', () => clients.every(({ last }) => last?.revision === 400))
    for (const [i, { batches }] of clients.entries())
      expect(batches.map(({ revision, changes }) => ({ revision, changes }))).toEqual(all.slice(i * 10 + 1))
    // By themselves 8,200.
    expect(asked).toBeLessThan(3_000)
    await Promise.all(clients.map((client) => client.end()))
  })

  it('with different filters read the log once when they resume together', async () => {
    const store = openMemoryHistory(HISTORY_OPTIONS)
    let asked = 0
    const registry = opened(
      registryOver(
        historyWith(store, {
          log: (...args) => {
            asked += 1
            return store.log(...args)
          },
        }),
      ),
    )
    const engine = engineOver(registry)
    const watching = await new Client().begin(engine, {})
    await until('it is synced', () => watching.last?.synced === true)
    for (let i = 1; i <= 500; i++) await apply(registry, create(`n${i % 50}:${i}`))
    asked = 0
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        new Client().begin(engine, { after: watching.batches[0].cursor, where: { ns: { eq: `n${i}` } } }),
      ),
    )
    await until('all have caught up', () => clients.every(({ last }) => last?.synced === true && last.revision >= 500))
    for (const [i, { batches }] of clients.entries()) {
      expect(batches.flatMap(({ changes }) => changes).map(({ entryId }) => entryId)).toEqual(
        Array.from({ length: 10 }, (_, k) => `n${i}:${i === 0 ? 50 * (k + 1) : i + 50 * k}`),
      )
    }
    // By themselves 50 times as often.
    expect(asked).toBeLessThan(40)
    await Promise.all([watching, ...clients].map((client) => client.end()))
  })

  it('share the subscription of an entry', async () => {
    const registry = opened(memoryRegistry())
    const engine = engineOver(registry)
    const clients = await Promise.all(
      Array.from({ length: 10 }, () =>
        new Client().begin(engine, {}, 'subscription { entry(id: "a:1") { revision data } }'),
      ),
    )
    await until('all know that no entry exists', () => clients.every(({ batches }) => batches.length === 1))
    await apply(registry, create('a:1', {}, 1))
    await apply(registry, create('a:2', {}, 1))
    await apply(registry, update('a:1', {}, 2))
    await until('all are notified', () => clients.every(({ batches }) => batches.length === 3))
    for (const { batches } of clients)
      expect(batches).toEqual([null, { revision: 1, data: 1 }, { revision: 3, data: 2 }])
    await Promise.all(clients.map((client) => client.end()))
  })

  it('each receive a permanent error', async () => {
    const store = openMemoryHistory(HISTORY_OPTIONS)
    let broken = false
    const registry = opened(
      registryOver(
        historyWith(store, {
          log: async (...args) => {
            if (broken) throw new RegistryError('COMPACTED', 'the log is gone', { oldestRevision: 9 })
            return store.log(...args)
          },
        }),
      ),
    )
    const engine = engineOver(registry)
    const clients = await Promise.all(Array.from({ length: 5 }, () => new Client().begin(engine, {})))
    await until('all are synced', () => clients.every(({ last }) => last?.synced === true))
    broken = true
    await apply(registry, create('a:1'))
    for (const { ended } of clients)
      await expect(ended).rejects.toMatchObject({ extensions: { code: 'COMPACTED', oldestRevision: 9 } })
  })

  it('continue when the first one leaves or is disconnected', async () => {
    const registry = opened(memoryRegistry())
    const engine = engineOver(registry)
    const cut = new AbortController()
    const first = await new Client().begin(engine, {})
    const second = await new Client().begin(engine, {}, CHANGES, cut)
    const third = await new Client().begin(engine, {})
    await until('all are synced', () => [first, second, third].every(({ last }) => last?.synced === true))
    await first.end()
    cut.abort()
    await second.ended
    await apply(registry, create('a:1'))
    await until('the third is notified', () => third.last.revision === 1)
    expect([first, second].map(({ batches }) => batches.length)).toEqual([1, 1])
    await third.end()
  })

  it('get frames with their own ids of any length, over sockets and events', async () => {
    const gateway = await testGateway()
    const query = 'subscription { changes { revision changes { entry { data } } } }'
    const client = await new SocketClient(gateway.endpoint).init()
    const ids = ['1', 'ws 1', 'sse', 'é"\\\u2028😀', 'x'.repeat(300)]
    for (const id of ids) client.subscribe(id, query)
    for (const id of ids) await client.next((message) => message.id === id)
    for (const data of ['', 'x'.repeat(60), 'ü'.repeat(2_000), 'y'.repeat(65_300), 'z'.repeat(200_000)]) {
      const answer = await post(gateway, APPLY, {
        input: { operations: [{ create: { id: `len:${data.length}`, kind: 'k', data } }] },
      })
      const { revision } = answer.body.data!['applyChangeset'].transition
      for (const id of ids)
        expect((await client.next((message) => message.id === id)).payload).toEqual({
          data: { changes: { revision, changes: [{ entry: { data } }] } },
        })
    }
    client.close()
    await gateway.close()
  })
})

describe('a subscription of a compacted range', () => {
  it('reports the oldest revision, over sockets and events, and leaves others on the same socket alone', async () => {
    const gateway = await testGateway()
    const query = 'subscription ($after: String) { changes(after: $after) { cursor revision } }'
    const client = await new SocketClient(gateway.endpoint).init()
    client.subscribe('others', query)
    const {
      payload: {
        data: {
          changes: { cursor: old },
        },
      },
    } = await client.next()
    const put = async (id: string) =>
      (await post(gateway, APPLY, { input: { operations: [{ create: { id, kind: 'k', data: 1 } }] } })).body.data![
        'applyChangeset'
      ].transition.revision
    for (const id of ['a:1', 'a:2', 'a:3']) {
      const revision = await put(id)
      expect((await client.next()).payload.data.changes.revision).toBe(revision)
    }
    const {
      compact: { oldestRevision },
    } = (await post(gateway, 'mutation { compact(before: 3) { oldestRevision } }')).body.data!
    client.subscribe('old', query, { after: old })
    expect(await client.next(({ id }) => id === 'old')).toMatchObject({
      type: 'error',
      payload: [{ extensions: { code: 'COMPACTED', oldestRevision } }],
    })
    const events = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query, variables: { after: old } }),
    })
    const text = await events.text()
    expect(JSON.parse(/data: (.*)/.exec(text)![1]!)).toMatchObject({
      errors: [{ extensions: { code: 'COMPACTED', oldestRevision } }],
    })
    expect(text).toMatch(/event: complete\ndata:\n\n$/)
    const revision = await put('a:4')
    expect(await client.next()).toMatchObject({
      id: 'others',
      type: 'next',
      payload: { data: { changes: { revision } } },
    })
    // An id whose operation has ended may be used again.
    client.subscribe('old', query)
    expect(await client.next(({ id }) => id === 'old')).toMatchObject({
      type: 'next',
      payload: { data: { changes: { revision } } },
    })
    client.close()
    await gateway.close()
  })
})

describe('the key of a broadcast', () => {
  const small = buildSchema(
    'type Query { a: Int } type Subscription { changes(after: String, initial: Boolean, find: String): ChangeBatch } type ChangeBatch { revision: Int near(text: String): Int }',
  )
  const keyed = (query: string, variables: Record<string, unknown>) => {
    const document = parse(query)
    return operationKey(subscriptionShape(small, document, getOperationAST(document)!), null, variables)
  }

  it('ignores only the variables that choose where to begin', () => {
    const query = 'subscription ($a: String, $f: String) { changes(after: $a, find: $f) { revision } }'
    expect(keyed(query, { a: 'x', f: 'y' })).toBe(keyed(query, { f: 'y', a: 'z' }))
    expect(keyed(query, { a: 'x', f: 'y' })).not.toBe(keyed(query, { a: 'x', f: 'x' }))
    const twice = 'subscription ($a: String) { changes(after: $a) { near(text: $a) } }'
    expect(keyed(twice, { a: 'x' })).not.toBe(keyed(twice, { a: 'y' }))
  })

  it('tells results of the log from results that show the head', () => {
    const isLogOnly = (query: string) => {
      const document = parse(query)
      return subscriptionShape(schema, document, getOperationAST(document)!).isLogOnly
    }
    expect(isLogOnly(CHANGES)).toBe(true)
    expect(
      isLogOnly(
        'subscription { changes { changes { ...f } } } fragment f on EntryChange { entry { ... on EntryState { data digest } } }',
      ),
    ).toBe(true)
    expect(isLogOnly('subscription { changes { version { isHead } } }')).toBe(false)
    expect(isLogOnly('subscription { changes { changes { entry { entry { data } } } } }')).toBe(false)
    expect(isLogOnly('subscription { entry(id: "a:1") { data } }')).toBe(false)
  })
})

/** The number at the end of an id. */
function n(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1))
}
