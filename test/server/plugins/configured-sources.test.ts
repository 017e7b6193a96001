import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entry, json, startHttpServer, type TestServer, tagged, text } from '../../sources/http/http-server.js'
import { post, SocketClient, type TestGateway, testGateway } from '../server-fixture.js'

const EXAMPLE = join(dirname(fileURLToPath(import.meta.url)), '../../../examples/csv-source')
const RELOAD = `mutation ($name: String!, $dryRun: Boolean) { reloadSource(name: $name, dryRun: $dryRun) {
  created updated deleted version { author message } failures { location line entryId message } source { status total loaded failed }
} }`

let folder: string
let server: TestServer
let gateway: TestGateway | undefined

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cadastre-configured-'))
  server = await startHttpServer()
})
afterEach(async () => {
  await gateway?.close()
  gateway = undefined
  await server.close()
  rmSync(folder, { recursive: true })
})

const write = (name: string, content: string | object) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
}

async function start(yaml: string): Promise<TestGateway> {
  write('cadastre.yaml', yaml)
  gateway = await testGateway({}, {}, { CADASTRE_CONFIG: join(folder, 'cadastre.yaml'), TOKEN: 's3cret' })
  return gateway
}

async function ask(query: string, variables: object = {}): Promise<any> {
  const { body } = await post(gateway!, query, variables)
  if (body.errors) throw new Error(JSON.stringify(body.errors))
  return body.data
}
const reload = async (name: string, dryRun = false) => (await ask(RELOAD, { name, dryRun })).reloadSource
const data = async () =>
  Object.fromEntries(
    (await ask('{ entries(first: 100) { nodes { entryId data } } }')).entries.nodes.map((node: any) => [
      node.entryId,
      node.data,
    ]),
  )
const stateOf = async (name: string) =>
  (
    await ask(
      'query ($name: String!) { source(name: $name) { status loaded failed failures { location line entryId message } } }',
      { name },
    )
  ).source
const until = (name: string, wanted: object) =>
  expect.poll(() => stateOf(name), { timeout: 60_000 }).toMatchObject(wanted)

describe('a gateway with sources in its cadastre.yaml', () => {
  it('reads the pages of an HTTP registry, uses ETags, reports failures and publishes events', async () => {
    server.answer('/list', tagged('"1"', [entry('a:1', 1)], { link: '</more>; rel="next"' }))
    server.answer('/more', json([entry('a:2', 2)]))
    await start(
      `sources: [{ name: web, provider: http, url: "${server.origin}/list", pollSeconds: 3600, auth: { bearer: "\${TOKEN}" } }]\n`,
    )
    await until('web', { status: 'WATCHING', loaded: 2, failed: 0 })
    expect(await data()).toEqual({ 'a:1': 1, 'a:2': 2 })
    expect(server.requests.map(({ url, headers }) => `${url} ${headers.authorization}`)).toEqual([
      '/list Bearer s3cret',
      '/more Bearer s3cret',
    ])

    const client = await new SocketClient(gateway!.endpoint).init()
    client.subscribe(
      '1',
      'subscription { events(system: "source") { kind path ... on SourceEvent { created updated deleted failed error } } }',
    )
    const event = async () => (await client.next(({ type }) => type === 'next')).payload.data.events
    await sleep(200)
    server.answer('/more', json([entry('a:3', 3), { id: 'no id', kind: 'k' }]))
    expect(await reload('web', true)).toMatchObject({ created: 1, deleted: 0, version: null })
    expect(await reload('web')).toMatchObject({
      created: 1,
      updated: 0,
      deleted: 0,
      version: { author: 'source/web', message: `source web (http): ${server.origin}/more` },
      failures: [{ location: `${server.origin}/more`, line: null, message: expect.stringContaining('/1') }],
      source: { total: 3, failed: 1 },
    })
    expect(await event()).toMatchObject({ kind: 'source.reloaded', path: 'web', created: 1, failed: 1, error: null })
    expect(await event()).toMatchObject({
      kind: 'source.failed',
      path: 'web',
      failed: 1,
      error: expect.stringContaining('/more'),
    })

    server.answer('/more', json([entry('a:3', 3)]))
    expect(await reload('web')).toMatchObject({ created: 0, deleted: 1, failures: [] })
    expect(await event()).toMatchObject({ kind: 'source.reloaded', deleted: 1, failed: 0 })

    server.answer('/list', text('', {}, 404))
    expect(await reload('web')).toMatchObject({
      deleted: 0,
      failures: [{ location: 'web', message: expect.stringContaining('404') }],
      source: { status: 'FAILED' },
    })
    expect(await event()).toMatchObject({ kind: 'source.failed', path: 'web' })
    expect(await data()).toEqual({ 'a:1': 1, 'a:3': 3 })
    expect(JSON.stringify([gateway!.logged, await stateOf('web')])).not.toContain('s3cret')
    client.close()
  })

  it('reads a source of a plugin and validates its entries by the configured schemas', async () => {
    for (const name of ['csv-source.js', 'parse-csv.js', 'people.csv'])
      copyFileSync(join(EXAMPLE, name), join(folder, name))
    write('package.json', '{"type":"module"}')
    write('person.json', {
      properties: { meta: { required: ['team'], properties: { team: { enum: ['engines', 'compilers'] } } } },
    })
    await start(
      [
        'plugins: [./csv-source.js]',
        'sources:',
        '  - { name: people, provider: csv, path: ./people.csv, namespace: people, key: email, kind: directory.person, meta: [team], schemas: { "directory.*": ./person.json } }',
        '',
      ].join('\n'),
    )
    await until('people', { loaded: 2, failed: 0 })
    expect((await ask('{ providers(role: "source") { name instanceCount } }')).providers).toContainEqual({
      name: 'csv',
      instanceCount: 1,
    })

    write('people.csv', 'email,team,name,notes\nada@example.com,gardens,Ada,x\nalan@example.com,engines,Alan,y\n')
    await until('people', {
      loaded: 1,
      failed: 1,
      failures: [{ line: 2, entryId: 'people:ada@example.com', message: expect.stringContaining('/meta/team') }],
    })
    // Good entries stay as long as any row of the table fails, even those of removed rows.
    expect(Object.keys(await data())).toEqual([
      'people:ada@example.com',
      'people:alan@example.com',
      'people:grace@example.com',
    ])

    write('person.json', {})
    expect(await reload('people')).toMatchObject({
      updated: 1,
      deleted: 1,
      failures: [],
      source: { loaded: 2, failed: 0 },
    })
    write('person.json', '{')
    expect(await reload('people')).toMatchObject({
      source: { status: 'FAILED' },
      failures: [{ location: 'people', message: expect.stringContaining('person.json') }],
    })
  })

  it('does not start if the schemas of a plugin source are invalid', async () => {
    for (const name of ['csv-source.js', 'parse-csv.js', 'people.csv'])
      copyFileSync(join(EXAMPLE, name), join(folder, name))
    write('package.json', '{"type":"module"}')
    const source = (schemas: string) =>
      `plugins: [./csv-source.js]\nsources: [{ name: people, provider: csv, path: ./people.csv, namespace: people, key: email, kind: k, schemas: ${schemas} }]\n`
    await expect(start(source('{ "k": 5 }'))).rejects.toThrow(/The source "people": schemas\.k: /)
    await expect(start(source('{ "a..b": x.json }'))).rejects.toThrow(/The source "people": schemas\.a\.\.b: /)
  })

  it('maps the files of a folder by configured expressions, also lists', async () => {
    write(
      'registry/list.yaml',
      'kind: List\nitems:\n  - {name: a, port: 1}\n  - {name: b, port: 2}\n---\nname: c\nport: 3\n',
    )
    await start(
      [
        'sources:',
        '  - name: app',
        '    provider: filesystem',
        '    path: ./registry',
        '    form:',
        '      each: \'kind = "List" ? items : $\'',
        '      id: \'"m:" & name\'',
        '      kind: \'"mapped.thing"\'',
        '      data: port',
        '',
      ].join('\n'),
    )
    await until('app', { loaded: 3, failed: 0 })
    expect(await data()).toEqual({ 'm:a': 1, 'm:b': 2, 'm:c': 3 })
  })

  it('refuses to delete an entry with live instances and retries after a change', async () => {
    write('registry/a.json', entry('a:1', 1))
    write('registry/b.json', entry('a:2', 2))
    await start('sources: [{ name: app, provider: filesystem, path: ./registry, form: entry }]\n')
    await until('app', { status: 'WATCHING', loaded: 2 })
    const { acquireInstance: held } = await ask(
      'mutation { acquireInstance(input: { entry: "a:1", name: "w", ttlSeconds: 60 }) { id } }',
    )
    rmSync(join(folder, 'registry/a.json'))
    await until('app', {
      failed: 1,
      failures: [{ location: 'a.json', entryId: 'a:1', message: expect.stringContaining('1 live instance') }],
    })
    expect(await data()).toEqual({ 'a:1': 1, 'a:2': 2 })
    await ask('mutation ($id: ID!) { releaseInstance(id: $id) }', held)
    expect(await reload('app')).toMatchObject({ deleted: 1, failures: [] })
    expect(await data()).toEqual({ 'a:2': 2 })
  })
})
