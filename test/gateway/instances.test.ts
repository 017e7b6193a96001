import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from './following-fixture.js'
import { type OpenStream, openStream, TRANSPORTS } from './following-stream.js'
import {
  BACKENDS_WITH_HISTORY,
  type Client,
  create,
  remove,
  startTestGateway,
  type TestGateway,
  update,
} from './gateway-fixture.js'

const ACQUIRE =
  'mutation ($input: AcquireInstanceInput!) { acquireInstance(input: $input) { id entryId name metadata acquiredAt expiresAt fencingToken } }'
const RENEW =
  'mutation ($id: ID!, $ttlSeconds: Int) { renewInstance(id: $id, ttlSeconds: $ttlSeconds) { id metadata acquiredAt expiresAt } }'
const RELEASE = 'mutation ($id: ID!) { releaseInstance(id: $id) }'
const FOLLOW =
  'subscription ($entry: EntryID!) { instances(entry: $entry) { entryId reset synced changes { kind instance { id name metadata fencingToken } } } }'
const REVERT = `mutation ($input: RevertVersionInput!) { revertVersion(input: $input) {
  __typename ... on Applied { delta { deleted } } ... on Refused { problems { code entryId } } } }`

async function acquire(client: Client, entry: unknown, name: string, rest: object = {}): Promise<any> {
  return (await client.data(ACQUIRE, { input: { entry, name, ttlSeconds: 60, ...rest } })).acquireInstance
}

describe.each(BACKENDS_WITH_HISTORY)('instances at a gateway over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
  })
  afterAll(() => gateway.close())

  const instancesOf = async (id: string) =>
    (
      await gateway.data(
        'query ($id: EntryID!) { entry(id: $id) { instances { id name metadata fencingToken expiresAt } } }',
        { id },
      )
    ).entry?.instances
  const code = (document: string, variables: object) => gateway.code(document, variables as Record<string, unknown>)
  const follow = async (
    transport: 'ws' | 'sse',
    entry: string,
  ): Promise<{ stream: OpenStream; next(): Promise<any>; first: any }> => {
    const stream = openStream(transport, gateway.endpoint, FOLLOW, { entry })
    const next = async () => {
      const result = await stream.next()
      if (result?.errors !== undefined) throw new Error(JSON.stringify(result.errors))
      return result?.data.instances
    }
    return { stream, next, first: await next() }
  }

  it('are listed with their entry until they expire, and can be renewed and released by id', async () => {
    await gateway.apply(create('life:1'))
    const one = await acquire(gateway, { ns: 'life', name: '1' }, 'worker 1', { ttlSeconds: 40 })
    expect(one).toMatchObject({ entryId: 'life:1', name: 'worker 1', metadata: null, fencingToken: 1 })
    expect(Date.parse(one.expiresAt) - Date.parse(one.acquiredAt)).toBe(40_000)
    const { renewInstance } = await gateway.data(RENEW, { id: one.id, ttlSeconds: 86_400 })
    expect(renewInstance.acquiredAt).toBe(one.acquiredAt)
    expect(Date.parse(renewInstance.expiresAt) - Date.parse(one.expiresAt)).toBeGreaterThan(86_000_000)
    expect(await instancesOf('life:1')).toMatchObject([{ id: one.id, expiresAt: renewInstance.expiresAt }])
    expect(await gateway.data(RELEASE, { id: one.id })).toEqual({ releaseInstance: true })
    expect(await gateway.data(RELEASE, { id: one.id })).toEqual({ releaseInstance: false })
    expect(await instancesOf('life:1')).toEqual([])

    const short = await acquire(gateway, 'life:1', 'short')
    expect(await instancesOf('life:1')).toHaveLength(1)
    await gateway.data(RENEW, { id: short.id, ttlSeconds: 1 })
    await until('it has expired', async () => (await instancesOf('life:1')).length === 0)
  })

  it('are refused with a code for each reason', async () => {
    await gateway.apply(create('codes:1'))
    const input = { entry: 'codes:1', name: 'one', ttlSeconds: 60 }
    const { id } = await acquire(gateway, 'codes:1', 'one')
    expect(await code(ACQUIRE, { input })).toBe('INSTANCE_EXISTS')
    expect(await code(ACQUIRE, { input: { ...input, entry: 'codes:none' } })).toBe('ENTRY_NOT_FOUND')
    for (const wrong of [
      { entry: 'no colon' },
      { ttlSeconds: 0 },
      { ttlSeconds: -1 },
      { ttlSeconds: 86_401 },
      { ttlSeconds: 1.5 },
      { name: '' },
      { name: ' one' },
      { name: 'o\u0000ne' },
      { name: 'é'.repeat(128) },
      { name: '\ud800' },
      { metadata: { deep: 'U+0000: \u0000' } },
      { metadata: ['\udc00'] },
    ])
      expect([wrong, await code(ACQUIRE, { input: { ...input, ...wrong } })]).toEqual([wrong, 'BAD_USER_INPUT'])
    expect(await code(ACQUIRE, { input: { ...input, name: 'two', metadata: 'x'.repeat(1024 * 1024) } })).toBe(
      'TOO_LARGE',
    )
    for (const gone of ['', 'nonsense', '00000000-0000-0000-0000-000000000000', id.toUpperCase()]) {
      expect([gone, await code(RENEW, { id: gone })]).toEqual([gone, 'INSTANCE_EXPIRED'])
      expect(await gateway.data(RELEASE, { id: gone })).toEqual({ releaseInstance: false })
    }
    expect(await code(RENEW, { id, ttlSeconds: 86_401 })).toBe('BAD_USER_INPUT')
    expect(await acquire(gateway, 'codes:1', 'é'.repeat(127))).toMatchObject({
      fencingToken: expect.any(Number) as number,
    })
    expect(await instancesOf('codes:1')).toHaveLength(2)
  })

  it('return their metadata exactly as it was sent', async () => {
    await gateway.apply(create('meta:1'))
    const texts = [
      '{"b":1,"a":[-0,1e-7,"é\\u0001",null,{}],"__proto__":{"constructor":0.1}}',
      '""',
      'false',
      '0',
      '[]',
      '-0',
    ]
    for (const [i, text] of texts.entries()) {
      const { text: body } = await gateway.send(
        `{"query":${JSON.stringify(ACQUIRE)},"variables":{"input":{"entry":"meta:1","name":"${i}","ttlSeconds":60,"metadata":${text}}}}`,
      )
      expect(body).toContain(`"metadata":${text},`)
    }
    const { text: listed } = await gateway.query('{ entry(id: "meta:1") { instances { metadata } } }')
    expect(listed).toBe(`{"data":{"entry":{"instances":[${texts.map((text) => `{"metadata":${text}}`).join(',')}]}}}`)
    const [first] = await instancesOf('meta:1')
    expect((await gateway.data(RENEW, { id: first.id })).renewInstance.metadata).toEqual(JSON.parse(texts[0]!))
  })

  it('prevent every kind of delete of their entry unless it is forced', async () => {
    const base = (await gateway.applyChangeset({ operations: [create('use:0')] })).version.number as number
    const {
      version: { number },
    } = await gateway.applyChangeset({ operations: [create('use:1'), create('use:2')] })
    await acquire(gateway, 'use:1', 'a')
    const b = await acquire(gateway, 'use:1', 'b')
    const refused = await gateway.applyChangeset({ operations: [update('use:2'), remove('use:1')] })
    expect(refused.problems).toMatchObject([
      {
        code: 'ENTRY_IN_USE',
        entryId: 'use:1',
        operation: 1,
        current: { id: 'use:1' },
        message: expect.stringContaining('2 live instances') as string,
      },
    ])
    expect(await gateway.refused({ operations: [remove('use:1')], dryRun: true })).toEqual(['ENTRY_IN_USE@0'])
    const rollback = await gateway.applyVersion({ version: base })
    expect(rollback.problems).toMatchObject([{ code: 'ENTRY_IN_USE', entryId: 'use:1', operation: null }])
    expect((await gateway.data(REVERT, { input: { version: number } })).revertVersion.problems).toEqual([
      { code: 'ENTRY_IN_USE', entryId: 'use:1' },
    ])
    expect(
      (await gateway.data(REVERT, { input: { version: number, dryRun: true, force: true } })).revertVersion,
    ).toEqual({ __typename: 'Applied', delta: { deleted: 2 } })
    expect((await gateway.applyVersion({ version: base, dryRun: true, force: true })).__typename).toBe('Applied')
    await gateway.apply(update('use:1', 7), update('use:2', 7))
    await gateway.apply(remove('use:2'), create('use:2', 1, {}, 'other'), remove('use:1'), create('use:1', 1))
    const replaced = { operations: [remove('use:1'), create('use:1', 1, {}, 'other')] }
    expect(await gateway.refused(replaced)).toEqual(['ENTRY_IN_USE@0'])
    expect(await instancesOf('use:1')).toHaveLength(2)
    expect((await gateway.applyVersion({ version: base, force: true })).__typename).toBe('Applied')
    expect(await code(RENEW, { id: b.id })).toBe('INSTANCE_EXPIRED')
    await gateway.apply(create('use:1'))
    expect(await instancesOf('use:1')).toEqual([])
    expect((await acquire(gateway, 'use:1', 'a')).fencingToken).toBeGreaterThan(b.fencingToken)
    await gateway.apply(remove('use:1', { force: true }))
  })

  it('treat the same idempotency key with another `force` as another input', async () => {
    await gateway.apply(create('key:1'))
    const first = await gateway.applyVersion({ version: 1, idempotencyKey: 'forced', force: true })
    expect(first.__typename).toBe('Applied')
    expect((await gateway.applyVersion({ version: 1, idempotencyKey: 'forced', force: true })).replayed).toBe(true)
    expect((await gateway.applyVersion({ version: 1, idempotencyKey: 'forced' })).problems[0].code).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    )
  })

  it.each(TRANSPORTS)('are streamed over %s as they are acquired, renewed and end', async (transport) => {
    const id = `stream:${transport}`
    await gateway.apply(create(id))
    const there = await acquire(gateway, id, 'there', { metadata: { n: 1 } })
    const { stream, next, first } = await follow(transport, id)
    expect(first).toEqual({
      entryId: id,
      reset: true,
      synced: true,
      changes: [{ kind: 'LIVE', instance: { id: there.id, name: 'there', metadata: { n: 1 }, fencingToken: 1 } }],
    })
    const two = await acquire(gateway, id, 'two', { metadata: [2] })
    expect((await next()).changes).toEqual([
      { kind: 'ACQUIRED', instance: { id: two.id, name: 'two', metadata: [2], fencingToken: 2 } },
    ])
    await gateway.data(RENEW, { id: two.id, ttlSeconds: 1 })
    let change = (await next()).changes[0]
    // On a slow machine the renewal and the expiry arrive as one change.
    if (change.kind === 'RENEWED') change = (await next()).changes[0]
    expect(change).toMatchObject({ kind: 'EXPIRED', instance: { id: two.id, metadata: null } })
    await gateway.data(RENEW, { id: there.id })
    expect((await next()).changes).toMatchObject([{ kind: 'RENEWED', instance: { id: there.id } }])
    await gateway.apply(remove(id, { force: true }))
    expect((await next()).changes).toMatchObject([{ kind: 'ENDED', instance: { id: there.id } }])
    stream.cut()
  })

  it('refuse to stream an invalid entry id', async () => {
    const stream = openStream('ws', gateway.endpoint, FOLLOW, { entry: 'no colon' })
    expect((await stream.next())?.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' })
    stream.cut()
  })
})
