import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { SourceConfig } from '../../../src/server/config/source-section.js'
import type { SourceReader } from '../../../src/sources/contract/source-reader.js'
import type { SourceProvider } from '../../../src/sources/provider/source-provider.js'
import { MapSource, thing } from '../../sources/sync/map-source.js'
import { createTestDatabase, type TestDatabase } from '../../support/test-postgres.js'
import { post, type Reachable, SocketClient, type TestGateway, testGateway } from '../server-fixture.js'

const FIELDS =
  'name provider status total loaded failed reloadCount lastReload failures { location line entryId message }'
const mapProvider = (reader: () => SourceReader): SourceProvider => ({
  name: 'map',
  displayName: 'Map',
  version: '1.0.0',
  description: 'What a test puts into it.',
  capabilities: [],
  configSchema: z.looseObject({}),
  create: reader,
})
const RELOAD = `mutation ($name: String!, $dryRun: Boolean) { reloadSource(name: $name, dryRun: $dryRun) {
  created updated deleted version { number author message } failures { location line entryId message } source { status reloadCount }
  delta { created updated deleted operations { kind entryId entry { data } original { data } } }
} }`

async function stateOf(gateway: Reachable, name = 'app'): Promise<any> {
  const { body } = await post(gateway, `query ($name: String!) { source(name: $name) { ${FIELDS} } }`, { name })
  if (body.errors) throw new Error(JSON.stringify(body.errors))
  return body.data!['source']
}

async function reload(gateway: Reachable, variables: object = {}): Promise<any> {
  const { body } = await post(gateway, RELOAD, { name: 'app', ...variables })
  if (body.errors) throw new Error(JSON.stringify(body.errors))
  return body.data!['reloadSource']
}

async function entries(gateway: Reachable): Promise<Record<string, unknown>> {
  const { body } = await post(gateway, '{ entries { nodes { entryId data } } }')
  return Object.fromEntries(body.data!['entries'].nodes.map((node: any) => [node.entryId, node.data]))
}

const headOf = async (gateway: Reachable) =>
  (await post(gateway, '{ snapshot { revision } }')).body.data!['snapshot'].revision as number

function configured(settings: Partial<SourceConfig> = {}): SourceConfig {
  return {
    name: 'app',
    provider: 'map',
    watch: true,
    missing: 'delete',
    conflict: 'source',
    allowEmpty: true,
    options: {},
    ...settings,
  }
}

describe('a gateway with a source', () => {
  let reader: MapSource
  let gateway: TestGateway
  let closed: boolean
  const start = async (settings: Partial<SourceConfig> = {}) => {
    const sourceProviders = [mapProvider(() => reader)]
    gateway = await testGateway({ sourceProviders }, { sources: [configured(settings)] })
  }
  const until = (wanted: object) => expect.poll(() => stateOf(gateway), { timeout: 60_000 }).toMatchObject(wanted)

  beforeEach(() => {
    reader = new MapSource()
    closed = false
  })
  afterEach(async () => {
    if (!closed) await gateway.close()
  })

  it('loads it at the start and applies a burst of changes as one changeset', async () => {
    reader.put('a.json', thing('app:a', 1))
    await start()
    await until({ status: 'WATCHING', total: 1, loaded: 1, failed: 0, reloadCount: 1, failures: [], provider: 'map' })
    expect((await stateOf(gateway)).lastReload).toMatch(/^\d{4}-/)
    for (let n = 0; n < 20; n++) {
      reader.put(`${n}.json`, thing(`app:${n}`, n))
      await sleep(20)
    }
    await until({ loaded: 21, reloadCount: 2 })
    expect(await headOf(gateway)).toBe(2)
    const { body } = await post(
      gateway,
      '{ source(name: "app") { entries(first: 2) { totalCount revision nodes { entryId } pageInfo { hasNextPage endCursor } } } }',
    )
    const page = body.data!['source'].entries
    expect(page).toMatchObject({
      totalCount: 21,
      revision: 2,
      nodes: [{ entryId: 'app:0' }, { entryId: 'app:1' }],
      pageInfo: { hasNextPage: true },
    })
    const next = await post(
      gateway,
      'query ($after: String) { source(name: "app") { entries(first: 1, after: $after) { nodes { entryId } } } }',
      { after: page.pageInfo.endCursor },
    )
    expect(next.body.data!['source'].entries.nodes).toEqual([{ entryId: 'app:10' }])
  })

  it('keeps reading a source that never stops changing', async () => {
    await start()
    await until({ reloadCount: 1 })
    reader.put('a.json', thing('app:a', 1))
    const restless = setInterval(() => reader.touch(), 50)
    try {
      await expect.poll(() => entries(gateway), { timeout: 60_000 }).toEqual({ 'app:a': 1 })
    } finally {
      clearInterval(restless)
    }
  })

  // A registry that was polled every 2 s without news counted 491 reloads, with an event each.
  it('counts the reloads that found something new, and shows each check', async () => {
    await start({ watch: false })
    await until({ status: 'IDLE', reloadCount: 1 })
    const lastCheck = async () =>
      Date.parse((await post(gateway, '{ source(name: "app") { lastCheck } }')).body.data!['source'].lastCheck)
    const first = await lastCheck()
    await sleep(5)
    expect(await reload(gateway)).toMatchObject({ source: { reloadCount: 1 } })
    expect(await lastCheck()).toBeGreaterThan(first)
    reader.put('a.json', '{')
    expect(await reload(gateway)).toMatchObject({ source: { reloadCount: 2 } })
    expect(await reload(gateway)).toMatchObject({ source: { reloadCount: 2 } })
  })

  it('deletes all entries of a source that turned empty only on request', async () => {
    reader.put('a.json', thing('app:a', 1))
    await start({ watch: false, allowEmpty: false })
    await until({ status: 'IDLE', loaded: 1 })
    reader.remove('a.json')
    expect(await reload(gateway)).toMatchObject({ deleted: 0, failures: [{ location: 'app' }] })
    const answer = await post(
      gateway,
      'mutation { reloadSource(name: "app", allowEmpty: true) { deleted failures { message } } }',
    )
    expect(answer.body.data!['reloadSource']).toEqual({ deleted: 1, failures: [] })
  })

  it('loads it on request and returns the result', async () => {
    await start({ watch: false })
    await until({ status: 'IDLE', reloadCount: 1 })
    reader.put('a.json', thing('app:a', 1)).put('b.json', '{')
    await sleep(700)
    expect(await entries(gateway)).toEqual({})
    expect(await reload(gateway, { dryRun: true })).toMatchObject({
      created: 1,
      version: null,
      source: { status: 'IDLE', reloadCount: 1 },
      delta: {
        created: 1,
        updated: 0,
        deleted: 0,
        operations: [{ kind: 'CREATE', entryId: 'app:a', entry: { data: 1 }, original: null }],
      },
    })
    expect(await entries(gateway)).toEqual({})
    expect(await reload(gateway)).toMatchObject({
      created: 1,
      updated: 0,
      deleted: 0,
      delta: null,
      version: { number: 1, author: 'source/app', message: 'source app (map): a.json' },
      failures: [{ location: 'b.json', line: 1 }],
      source: { status: 'IDLE', reloadCount: 2 },
    })
    expect(await reload(gateway)).toMatchObject({ created: 0, version: null, failures: [{ location: 'b.json' }] })
    expect(await headOf(gateway)).toBe(1)
  })

  // Its own request was received again during the answer. A second read began, and `sources` showed LOADING.
  it('reads it once for each request and is idle after the answer', async () => {
    await start({ watch: false })
    await until({ status: 'IDLE', reloadCount: 1 })
    const { scans } = reader
    for (let n = 1; n <= 20; n++) {
      reader.put('a.json', thing('app:a', n))
      expect(await reload(gateway)).toMatchObject({ source: { status: 'IDLE', reloadCount: 1 + n } })
      expect(await stateOf(gateway)).toMatchObject({ status: 'IDLE', loaded: 1 })
    }
    await sleep(600)
    expect(reader.scans).toBe(scans + 20)
  })

  it('reports an unreadable source, keeps its entries and retries', async () => {
    reader.put('a.json', thing('app:a', 1))
    await start()
    await until({ reloadCount: 1 })
    reader.broken = new Error('the disk is gone')
    expect(await reload(gateway)).toMatchObject({
      created: 0,
      version: null,
      failures: [{ location: 'app', message: 'the disk is gone' }],
      source: { status: 'FAILED' },
    })
    expect(await stateOf(gateway)).toMatchObject({
      status: 'FAILED',
      loaded: 1,
      reloadCount: 1,
      failures: [{ location: 'app', message: 'the disk is gone' }],
    })
    expect(await entries(gateway)).toEqual({ 'app:a': 1 })
    reader.broken = null
    await until({ status: 'WATCHING', failures: [] })
  })

  it('publishes on the bus what was loaded and what failed, each failure once', async () => {
    await start()
    await until({ reloadCount: 1 })
    const client = await new SocketClient(gateway.endpoint).init()
    client.subscribe(
      '1',
      'subscription { events(system: "source") { __typename system kind path ... on SourceEvent { created updated deleted failed error } } }',
    )
    const event = async () => (await client.next(({ type }) => type === 'next')).payload.data.events
    await sleep(200)
    reader.put('a.json', thing('app:a', 1)).put('b.json', '{')
    expect(await event()).toEqual({
      __typename: 'SourceEvent',
      system: 'source',
      kind: 'source.reloaded',
      path: 'app',
      created: 1,
      updated: 0,
      deleted: 0,
      failed: 1,
      error: null,
    })
    expect(await event()).toMatchObject({
      kind: 'source.failed',
      path: 'app',
      created: null,
      failed: 1,
      error: expect.stringContaining('b.json: '),
    })
    reader.put('a.json', thing('app:a', 2))
    expect(await event()).toMatchObject({ kind: 'source.reloaded', updated: 1, failed: 1 })
    reader.remove('a.json').remove('b.json')
    expect(await event()).toMatchObject({ kind: 'source.reloaded', deleted: 1, failed: 0 })
    client.close()
  })

  it('reports what a participant refuses and retries after a change', async () => {
    await start()
    await until({ reloadCount: 1 })
    const policy = await new SocketClient(gateway.endpoint).init()
    let accept = false
    policy.subscribe(
      'p',
      'subscription { proposals(participant: "policy", kinds: ["test.*"]) { id kind awaitsAnswer } }',
    )
    const answering = (async () => {
      for (;;) {
        const message = await policy.next(({ type }) => type === 'next', 20_000).catch(() => null)
        if (message === null) return
        const { id, awaitsAnswer } = message.payload.data.proposals
        if (awaitsAnswer)
          await post(gateway, 'mutation ($input: AnswerProposalInput!) { answerProposal(input: $input) { counted } }', {
            input: { proposal: id, accept, reason: 'not today' },
          })
      }
    })()
    await sleep(300)
    reader.put('a.json', [thing('app:a', 1), thing('app:b', 1, {}, 'free.thing')])
    await until({ reloadCount: 2, loaded: 0, failed: 2 })
    const { failures } = await stateOf(gateway)
    expect(failures[0]).toMatchObject({
      location: 'a.json',
      line: 1,
      entryId: 'app:a',
      message: expect.stringContaining('not today'),
    })
    expect(failures[1]).toMatchObject({ entryId: 'app:b', message: expect.stringContaining('refused') })
    expect(await entries(gateway)).toEqual({})
    accept = true
    reader.put('b.json', thing('app:c', 1, {}, 'free.thing'))
    await until({ reloadCount: 3, loaded: 3, failed: 0 })
    expect(await entries(gateway)).toEqual({ 'app:a': 1, 'app:b': 1, 'app:c': 1 })
    policy.close()
    await gateway.close()
    closed = true
    void answering
  })

  it('names an unknown source', async () => {
    await start()
    // A look-up answers null for what is not there. An error is for what cannot be done.
    expect((await post(gateway, '{ source(name: "other") { name } }')).body).toEqual({ data: { source: null } })
    const { body } = await post(gateway, 'mutation { reloadSource(name: "other") { created } }')
    expect(body.errors![0]!.extensions['code']).toBe('SOURCE_NOT_FOUND')
    expect((await post(gateway, '{ sources { name } }')).body.data).toEqual({ sources: [{ name: 'app' }] })
  })
})

describe('two gateways with the same source', () => {
  let database: TestDatabase
  let reader: MapSource
  const open: TestGateway[] = []
  const start = async () => {
    const sourceProviders = [mapProvider(() => reader)]
    const gateway = await testGateway(
      { sourceProviders },
      { sources: [configured()] },
      { CADASTRE_STORE: 'postgres', DATABASE_URL: database.url },
    )
    open.push(gateway)
    return gateway
  }
  const reads = (gateway: TestGateway) => gateway.logged.some(({ msg }) => msg === 'this gateway reads the source')

  beforeEach(async () => {
    database = await createTestDatabase()
    reader = new MapSource()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((gateway) => gateway.close()))
    await database.drop()
  })

  it('read it once, and both show it, publish it and reload it', async () => {
    reader.put('a.json', thing('app:a', 1))
    const first = await start()
    await expect.poll(() => stateOf(first), { timeout: 60_000 }).toMatchObject({ status: 'WATCHING', reloadCount: 1 })
    const second = await start()
    await expect.poll(() => stateOf(second)).toMatchObject({ status: 'WATCHING', reloadCount: 1, loaded: 1 })
    const client = await new SocketClient(second.endpoint).init()
    client.subscribe('1', 'subscription { events(kind: "source.reloaded") { path ... on SourceEvent { created } } }')
    await sleep(500)
    const { scans } = reader
    reader.put('b.json', thing('app:b', 1)).put('c.json', '{')
    expect((await client.next(({ type }) => type === 'next')).payload.data.events).toEqual({
      path: 'app',
      created: 1,
    })
    expect(reader.scans).toBe(scans + 1)

    reader.files.set('d.json', { text: JSON.stringify(thing('app:d', 1)), modifiedAt: new Date() })
    expect(await reload(second, { dryRun: true })).toMatchObject({ created: 1, delta: { created: 1 } })
    expect(await reload(second)).toMatchObject({
      created: 1,
      version: { number: 3 },
      failures: [{ location: 'c.json' }],
    })
    expect([reads(first), reads(second)]).toEqual([true, false])
    expect(await headOf(second)).toBe(3)
    client.close()
  })

  it('hand it over when the reading gateway stops', async () => {
    reader.put('a.json', thing('app:a', 1)).put('b.json', thing('app:b', 1))
    const first = await start()
    await expect.poll(() => stateOf(first), { timeout: 60_000 }).toMatchObject({ reloadCount: 1 })
    const second = await start()
    reader.reads = []
    await open.shift()!.close()
    reader.put('a.json', thing('app:a', 2))
    await expect.poll(() => entries(second), { timeout: 60_000 }).toEqual({ 'app:a': 2, 'app:b': 1 })
    expect(reader.reads).toEqual(['a.json'])
    expect(await stateOf(second)).toMatchObject({ status: 'WATCHING', loaded: 2 })
  })

  it('both accept requests while they start', async () => {
    reader.put('a.json', thing('app:a', 1))
    const [first, second] = await Promise.all([start(), start()])
    const reports = await Promise.all([reload(first), reload(second), reload(first)])
    expect(await entries(second)).toEqual({ 'app:a': 1 })
    expect(await headOf(first)).toBe(1)
    expect(reports.every(({ failures }) => failures.length === 0)).toBe(true)
  })
})
