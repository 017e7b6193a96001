import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entry as fileEntry, zip } from '../../sources/filesystem/folder-fixture.js'
import { entry, json, startHttpServer, type TestServer } from '../../sources/http/http-server.js'
import { post, SocketClient, type TestGateway, testGateway } from '../server-fixture.js'

let folder: string
let server: TestServer
let gateway: TestGateway | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadastre-emptied-'))
  mkdirSync(join(folder, 'files'))
  server = await startHttpServer()
})
afterEach(async () => {
  await gateway?.close()
  gateway = undefined
  await server.close()
  rmSync(folder, { recursive: true })
})

const put = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content)

async function start(source: string): Promise<void> {
  put('cadastre.yaml', `sources: [{ name: app, ${source} }]\n`)
  gateway = await testGateway({}, {}, { CADASTRE_CONFIG: join(folder, 'cadastre.yaml') })
}

async function ask(query: string): Promise<any> {
  const { body } = await post(gateway!, query, {})
  if (body.errors) throw new Error(JSON.stringify(body.errors))
  return body.data
}
const reload = async (argument = '') =>
  (
    await ask(
      `mutation { reloadSource(name: "app"${argument}) { created deleted failures { message } source { status } } }`,
    )
  ).reloadSource
const ids = async () => (await ask('{ entries { nodes { entryId } } }')).entries.nodes.map((node: any) => node.entryId)
const source = async () =>
  (await ask('{ source(name: "app") { status loaded reloadCount lastCheck failures { message } } }')).source
const loaded = (count: number) => expect.poll(source, { timeout: 60_000 }).toMatchObject({ loaded: count })

describe('a source all of whose definitions vanish at once', () => {
  const MAPPING = `form: { id: '"a:" & name', kind: '"k"', each: items }`
  const cases: Record<string, { source(): string; fill(): unknown; empty(): unknown }> = {
    'an archive without files': {
      source: () => 'provider: filesystem, path: ./files, form: entry, watch: false',
      fill: async () => put('files/all.zip', await zip({ 'x.json': fileEntry('a:1'), 'y.json': fileEntry('a:2') })),
      empty: async () => put('files/all.zip', await zip({})),
    },
    'an archive whose files are empty lists': {
      source: () => 'provider: filesystem, path: ./files, form: entry, watch: false',
      fill: async () => put('files/all.zip', await zip({ 'x.json': fileEntry('a:1'), 'y.json': fileEntry('a:2') })),
      empty: async () => put('files/all.zip', await zip({ 'x.json': '[]', 'y.json': '[]' })),
    },
    'a list of a registry that is empty': {
      source: () => `provider: http, url: "${server.origin}/list", pollSeconds: 3600`,
      fill: () => server.answer('/list', json([entry('a:1'), entry('a:2')])),
      empty: () => server.answer('/list', json([])),
    },
    'a mapping that finds no item in a file': {
      source: () => `provider: filesystem, path: ./files, watch: false, ${MAPPING}`,
      fill: () => put('files/list.yaml', 'items: [{name: "1"}, {name: "2"}]'),
      empty: () => put('files/list.yaml', 'items: []'),
    },
    'a mapping that finds no item in a page': {
      source: () => `provider: http, url: "${server.origin}/list", pollSeconds: 3600, ${MAPPING}`,
      fill: () => server.answer('/list', json({ items: [{ name: '1' }, { name: '2' }] })),
      empty: () => server.answer('/list', json({ items: [] })),
    },
  }

  // A list that turned empty for a moment deleted every entry.
  it.each(Object.entries(cases))(
    'keeps its entries until told otherwise: %s',
    async (_, { source: yaml, fill, empty }) => {
      await fill()
      await start(yaml())
      await loaded(2)
      await empty()
      const unchanged = await reload()
      expect(unchanged).toMatchObject({
        deleted: 0,
        failures: [{ message: expect.stringContaining('defines nothing now') }],
      })
      expect(await ids()).toEqual(['a:1', 'a:2'])
      expect((await reload()).deleted).toBe(0)
      await fill()
      expect(await reload()).toMatchObject({ created: 0, deleted: 0, failures: [] })
      await empty()
      expect(await reload(', allowEmpty: true')).toMatchObject({ deleted: 2, failures: [] })
      expect(await ids()).toEqual([])
    },
  )
})

describe('a schema file', () => {
  const SCHEMA = '{"properties": {"data": {"type": "integer"}}}'

  // The byte order mark made the whole source FAILED.
  it('may begin with a byte order mark, and is a failure if it is not UTF-8', async () => {
    put('files/a.json', `[${fileEntry('a:1', 1)}, ${fileEntry('a:2', 'text')}]`)
    put('k.json', `\ufeff${SCHEMA}`)
    await start('provider: filesystem, path: ./files, form: entry, watch: false, schemas: { k: ./k.json }')
    await loaded(1)
    expect(await source()).toMatchObject({
      status: 'IDLE',
      failures: [{ message: expect.stringContaining('integer') }],
    })

    put(
      'k.json',
      Buffer.concat([Buffer.from('{"title":\n"caf'), Buffer.from([0xe9]), Buffer.from(`", ${SCHEMA.slice(1)}`)]),
    )
    const failed = await reload()
    expect(failed.source.status).toBe('FAILED')
    expect(failed.failures[0].message).toContain('k.json:2: the schema is not UTF-8 text')
    expect(await ids()).toEqual(['a:1'])
  })
})

describe('a polled registry', () => {
  // Every poll was counted as a reload, and told as one.
  it('counts and reports only what found something new', async () => {
    server.answer('/list', json([entry('a:1', 1)]))
    await start(`provider: http, url: "${server.origin}/list", pollSeconds: 1`)
    await loaded(1)
    const first = await source()
    expect(first.reloadCount).toBe(1)
    const client = await new SocketClient(gateway!.endpoint).init()
    client.subscribe('1', 'subscription { events(system: "source") { kind ... on SourceEvent { created updated } } }')
    const polls = server.requests.length
    await expect.poll(() => server.requests.length, { timeout: 60_000 }).toBeGreaterThan(polls + 2)
    const later = await source()
    expect(later.reloadCount).toBe(1)
    expect(Date.parse(later.lastCheck)).toBeGreaterThan(Date.parse(first.lastCheck))
    server.answer('/list', json([entry('a:1', 2)]))
    await expect.poll(async () => (await source()).reloadCount, { timeout: 60_000 }).toBe(2)
    const { payload } = await client.next(({ type }) => type === 'next')
    expect(payload.data.events).toEqual({ kind: 'source.reloaded', created: 0, updated: 1 })
    expect(client.messages.filter(({ type }) => type === 'next')).toEqual([])
    client.close()
  })
})
