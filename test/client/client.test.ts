import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type CadastreClient, ClientError, createClient } from '../../src/client/create-client.js'
import type { Batch } from '../../src/client/following/change-batch.js'
import type { Replica, StoredReplica } from '../../src/client/following/replica.js'
import { create, remove, startTestGateway, type TestGateway, update } from '../gateway/gateway-fixture.js'
import { type CutProxy, cutProxy } from './cut-proxy.js'

/** Reads batches until one has the revision. */
async function untilRevision(batches: AsyncIterator<Batch>, revision: number): Promise<Batch[]> {
  const read: Batch[] = []
  for (;;) {
    const { value, done } = await batches.next()
    if (done === true) throw new Error('following has ended')
    read.push(value)
    if (value.revision >= revision && value.complete) return read
  }
}

const TRANSPORTS = { WebSocket, 'server-sent events': null } as const

describe.each(Object.entries(TRANSPORTS))('a client over %s', (_, webSocketImpl) => {
  let gateway: TestGateway
  let proxy: CutProxy
  let client: CadastreClient
  beforeAll(async () => {
    gateway = await startTestGateway('postgres')
    proxy = await cutProxy(gateway.endpoint)
    client = createClient({ url: proxy.url, webSocketImpl })
  })
  afterAll(async () => {
    proxy.close()
    await gateway.close()
  })

  it('follows changes, misses nothing and repeats nothing while its connection is cut', async () => {
    const stop = new AbortController()
    const batches = client.follow({ find: { '.ns': 'cut' }, signal: stop.signal })
    const first = (await batches.next()).value as Batch
    expect(first).toMatchObject({ synced: true, reset: false, changes: [] })
    const made: string[] = []
    const received: string[] = []
    for (let round = 0; round < 5; round++) {
      if (round % 2 === 0) proxy.cut()
      const ids = [`cut:${round}a`, `cut:${round}b`]
      made.push(...ids)
      const revision = await gateway.apply(...ids.map((id) => create(id)))
      for (const { changes } of await untilRevision(batches, revision))
        received.push(...changes.map(({ entryId }) => entryId))
    }
    expect(received).toEqual(made)
    stop.abort()
    expect((await batches.next()).done).toBe(true)
  })

  it('calls back for each batch until its signal aborts', async () => {
    const stop = new AbortController()
    const revisions: number[] = []
    const following = client.follow({
      signal: stop.signal,
      onBatch: ({ revision, changes }) => {
        if (changes.length > 0) revisions.push(revision)
      },
    })
    const received = async () => {
      await gateway.apply(update('cut:0a', { at: Date.now() }))
      return revisions.length
    }
    await expect.poll(received).not.toBe(0)
    stop.abort()
    await following
  })

  it('rejects with a code if the gateway refuses the subscription', async () => {
    await expect(client.follow({ find: { kind: 'x' } }).next()).rejects.toMatchObject({ code: 'INVALID_CRITERIA' })
    await expect(client.follow({ after: 'x' }).next()).rejects.toMatchObject({ code: 'INVALID_CURSOR' })
    const replica = client.replica({ find: { kind: 'x' } })
    await expect(replica.ready).rejects.toBeInstanceOf(ClientError)
    await replica.close()
  })

  it('begins again with all entries if its place was compacted', async () => {
    const stop = new AbortController()
    const batches = client.follow({ find: { '.ns': 'old' }, signal: stop.signal })
    await batches.next()
    await untilRevision(batches, await gateway.apply(create('old:1'), create('old:2')))
    proxy.target = null
    proxy.cut()
    await gateway.apply(remove('old:1'), create('old:3'))
    const last = await gateway.apply(update('old:2'))
    await gateway.data(`mutation { compact(before: ${last}) { __typename } }`)
    proxy.target = Number(new URL(gateway.endpoint).port)
    const again = await untilRevision(batches, last)
    expect(again[0]!.reset).toBe(true)
    expect(again.flatMap(({ changes }) => changes.map(({ kind, entryId }) => `${kind} ${entryId}`))).toEqual([
      'CREATE old:2',
      'CREATE old:3',
    ])
    stop.abort()
  })

  it('keeps a replica that equals the registry at each revision, through cuts, rollbacks and compactions', async () => {
    const act = fc.oneof(
      { weight: 6, arbitrary: fc.record({ act: fc.constant('write' as const), n: fc.nat(5) }) },
      fc.record({
        act: fc.constantFrom('cut' as const, 'away' as const, 'back' as const, 'compact' as const),
        n: fc.nat(3),
      }),
    )
    let stored: StoredReplica | null = null
    const storage = {
      load: () => stored,
      save: (state: StoredReplica) => {
        stored = state
      },
    }
    const open = () => client.replica({ find: { '.ns': 'copy' }, storage })
    let replica: Replica = open()
    await replica.ready
    const ids = (entries: readonly { id: string; revision: number }[]) =>
      entries.map(({ id, revision }) => `${id} ${revision}`).sort()
    let n = 0
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 8 }), async (acts) => {
        let revision = 0
        for (const { act, n: which } of acts) {
          if (act === 'write') {
            const id = `copy:${which}`
            const { entry } = await gateway.data('query ($id: EntryID!) { entry(id: $id) { id } }', { id })
            n += 1
            revision = await gateway.apply(
              entry === null ? create(id, { n }) : n % 4 === 0 ? remove(id) : update(id, { n }),
            )
          } else if (act === 'cut') proxy.cut()
          else if (act === 'away') {
            await replica.close()
            replica = open()
          } else if (act === 'back') {
            const { currentVersion } = await gateway.data('{ currentVersion { previous { number } } }')
            if (currentVersion.previous !== null)
              revision = (await gateway.moveTo(currentVersion.previous.number)) ?? revision
          } else {
            proxy.target = null
            proxy.cut()
            const { currentVersion } = await gateway.data('{ currentVersion { snapshot { revision } } }')
            await gateway.data('mutation ($r: SafeInt!) { compact(before: $r) { __typename } }', {
              r: currentVersion.snapshot.revision,
            })
            proxy.target = Number(new URL(gateway.endpoint).port)
          }
        }
        const at = await gateway.data(
          '{ entries(where: {ns: {eq: "copy"}}, first: 100) { revision nodes { id revision } } }',
        )
        await expect
          .poll(() => replica.revision >= revision && ids(replica.entries()).join())
          .toBe(ids(at.entries.nodes).join())
      }),
      { numRuns: 15 },
    )
    await replica.close()
  })

  it('applies exactly once although its connection is cut', async () => {
    const [before] = [(await gateway.data('{ currentVersion { number } }')).currentVersion.number]
    const applying = client.apply([{ create: { id: 'once:1', kind: 'k', data: 1 } }], { message: 'once' })
    setTimeout(() => proxy.cut(), 5)
    const outcome = await applying
    expect(outcome).toMatchObject({ type: 'Applied', version: before + 1 })
    expect(await client.apply([{ create: { id: 'once:1', kind: 'k' } }])).toMatchObject({
      type: 'Refused',
      problems: [{ code: 'ENTRY_EXISTS', operation: 0, entryId: 'once:1' }],
    })
    await expect(client.apply([], { idempotencyKey: 'x'.repeat(300) })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    })
  })

  it('holds an instance beyond its time to live, and notices when it is ended', async () => {
    await gateway.apply(create('held:x'))
    let lost: ClientError | null = null
    const held = await client.acquire('held:x', { name: 'i', ttlSeconds: 1, onLost: (error) => (lost = error) })
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect(held.signal.aborted).toBe(false)
    await expect(client.acquire('held:x', { name: 'i', ttlSeconds: 1 })).rejects.toMatchObject({
      code: 'INSTANCE_EXISTS',
    })
    await gateway.data('mutation ($id: ID!) { releaseInstance(id: $id) }', { id: held.id })
    await expect.poll(() => held.signal.aborted).toBe(true)
    expect(lost).toMatchObject({ code: 'INSTANCE_EXPIRED' })

    const second = await client.acquire('held:x', { name: 'i', ttlSeconds: 60 })
    expect(second.fencingToken).toBeGreaterThan(held.fencingToken)
    await second.release()
    const third = await client.acquire('held:x', { name: 'i', ttlSeconds: 60 })
    await third.release()
  })
})
