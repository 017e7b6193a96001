import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPLY_VERSION, create, type Gateway, nextEvent, openGateway, remove, update } from '../schema-fixture.js'

let gateway: Gateway
beforeEach(() => {
  gateway = openGateway()
})
afterEach(() => gateway.close())

const CHANGES = /* GraphQL */ `
  subscription ($after: String, $where: EntryFilter, $find: JSONObject, $initial: Boolean) {
    changes(after: $after, where: $where, find: $find, initial: $initial) {
      cursor revision version { number isHead } complete synced
      changes { kind entryId entry { id data entry { data } } previous { id data } }
    }
  }
`

const batch = async (stream: Awaited<ReturnType<Gateway['subscribe']>>) => (await nextEvent(stream)).changes

describe('the subscription changes', () => {
  it('begins at the head, then sends every transition', async () => {
    await gateway.apply(create('a:x', {}, 1))
    const stream = await gateway.subscribe(CHANGES)
    expect(await batch(stream)).toMatchObject({ revision: 1, synced: true, changes: [] })
    await gateway.apply(update('a:x', {}, 2), create('a:y'))
    expect(await batch(stream)).toMatchObject({
      revision: 2,
      version: { number: 2 },
      complete: true,
      synced: true,
      changes: [
        { kind: 'UPDATE', entryId: 'a:x', entry: { id: 'r2/a:x', data: 2 }, previous: { id: 'r1/a:x', data: 1 } },
        { kind: 'CREATE', entryId: 'a:y', previous: null },
      ],
    })
    await gateway.data(APPLY_VERSION, { input: { version: 1 } })
    expect(await batch(stream)).toMatchObject({
      revision: 3,
      version: { number: 1 },
      changes: [{ kind: 'DELETE', entryId: 'a:y', entry: null }, { kind: 'UPDATE' }],
    })
    await stream.return(undefined)
  })

  it('resumes right after a cursor', async () => {
    const first = await gateway.subscribe(CHANGES, { initial: true })
    const { cursor } = await batch(first)
    await first.return(undefined)
    for (let n = 0; n < 5; n++) await gateway.apply(create(`a:${n}`))
    const second = await gateway.subscribe(CHANGES, { after: cursor })
    const seen = []
    for (let n = 0; n < 5; n++) seen.push(...(await batch(second)).changes.map(({ entryId }: any) => entryId))
    expect(seen).toEqual(['a:0', 'a:1', 'a:2', 'a:3', 'a:4'])
    await second.return(undefined)
  })

  it('filters by find and where together', async () => {
    await gateway.apply(create('a:x', { on: true }), create('b:x', { on: true }), create('a:y', { on: false }))
    const stream = await gateway.subscribe(CHANGES, {
      initial: true,
      find: { 'meta.on': true },
      where: { ns: { eq: 'a' } },
    })
    const entered = []
    for (let caught = false; !caught; ) {
      const { changes, synced } = await batch(stream)
      entered.push(...changes)
      caught = synced
    }
    expect(entered.map(({ kind, entryId }: any) => [kind, entryId])).toEqual([['CREATE', 'a:x']])
    await gateway.apply(update('a:y', { on: true }), update('a:x', { on: false }))
    const { changes } = await batch(stream)
    expect(changes.map(({ kind, entryId }: any) => [kind, entryId]).sort()).toEqual([
      ['CREATE', 'a:y'],
      ['DELETE', 'a:x'],
    ])
    await stream.return(undefined)
  })

  it('shows the registry as of each event, not as of the start of the stream', async () => {
    const stream = await gateway.subscribe(CHANGES)
    await batch(stream)
    for (let n = 1; n <= 3; n++) {
      await gateway.apply(n === 1 ? create('a:x', {}, n) : update('a:x', {}, n))
      const event = await batch(stream)
      expect(event.version.isHead).toBe(true)
      expect(event.changes[0].entry.entry.data).toBe(n)
    }
    await stream.return(undefined)
  })

  it('ends as soon as the client leaves, even while it waits', async () => {
    const stream = await gateway.subscribe(CHANGES)
    await batch(stream)
    const waiting = stream.next()
    await sleep(20)
    expect(await stream.return(undefined)).toMatchObject({ done: true })
    expect(await waiting).toMatchObject({ done: true })
  })

  it('makes no call to the store while it is idle', async () => {
    const stream = await gateway.subscribe(CHANGES)
    await batch(stream)
    const waiting = stream.next()
    for (let quiet = 0; quiet < 3; quiet++) {
      gateway.calls.clear()
      await sleep(50)
      if (gateway.calls.size > 0) quiet = -1
    }
    gateway.calls.clear()
    await sleep(300)
    expect([...gateway.calls]).toEqual([])
    await stream.return(undefined)
    await waiting
  })

  it('refuses invalid criteria and cursors with a code', async () => {
    await expect(gateway.subscribe(CHANGES, { find: { '.nope': 1 } })).rejects.toMatchObject({
      extensions: { code: 'INVALID_CRITERIA' },
    })
    await expect(gateway.subscribe(CHANGES, { find: [] })).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    })
    const nonsense = async () => nextEvent(await gateway.subscribe(CHANGES, { after: 'nonsense' }))
    await expect(nonsense()).rejects.toMatchObject({ extensions: { code: 'INVALID_CURSOR' } })
  })
})

describe('the subscription entry', () => {
  const ENTRY = 'subscription ($id: EntryID!) { entry(id: $id) { entryId data revision history { totalCount } } }'

  it('sends the entry as it is now and after each change, and null while it does not exist', async () => {
    const stream = await gateway.subscribe(ENTRY, { id: { ns: 'a', name: 'x' } })
    expect(await nextEvent(stream)).toEqual({ entry: null })
    await gateway.apply(create('a:other'))
    await gateway.apply(create('a:x', {}, 1))
    expect(await nextEvent(stream)).toEqual({
      entry: { entryId: 'a:x', data: 1, revision: 2, history: { totalCount: 1 } },
    })
    await gateway.apply(update('a:x', {}, 2))
    expect(await nextEvent(stream)).toEqual({
      entry: { entryId: 'a:x', data: 2, revision: 3, history: { totalCount: 2 } },
    })
    await gateway.apply(remove('a:x'))
    expect(await nextEvent(stream)).toEqual({ entry: null })
    await stream.return(undefined)
  })

  it('refuses an invalid id', async () => {
    await expect(gateway.subscribe(ENTRY, { id: 'no colon' })).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    })
  })
})
