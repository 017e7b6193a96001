import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { createEntries, post, type TestGateway, testGateway } from '../server/server-fixture.js'
import { INSTALL_MS, INTEROP, installInterop, interop } from './packages.js'

const SCHEMA = fileURLToPath(new URL('../../schema/schema.graphql', import.meta.url))

/** As a program with Relay has them: a list with pages, an object that is fetched again by its id, and a stream. */
const SOURCE = `
  graphql\`query EntryListQuery { ...EntryList_query }\`
  graphql\`fragment EntryList_query on Query
    @refetchable(queryName: "EntryListPageQuery")
    @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
      entries(first: $count, after: $cursor) @connection(key: "EntryList_entries") { edges { node { ...EntryCard_entry } } }
    }\`
  graphql\`fragment EntryCard_entry on Entry @refetchable(queryName: "EntryCardRefetchQuery") { id entryId data }\`
  graphql\`query EntryNodesQuery($ids: [ID!]!) {
    nodes(ids: $ids) { __typename id ... on EntryState { entryId data } ... on Transition { revision } ... on Tag { name } }
  }\`
  graphql\`subscription EntryChangesSubscription { changes(afterRevision: 1) { cursor revision changes { entryId } } }\`
`

describe('Relay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-relay-'))
  let gateway: TestGateway
  let runtime: any
  let environment: any
  let socket: ReturnType<typeof createClient>
  const artifact = (name: string) => createRequire(join(folder, 'Entry.js'))(`./__generated__/${name}.graphql.js`)
  const fetched = (query: unknown, variables: object) =>
    runtime.fetchQuery(environment, query, variables, { fetchPolicy: 'network-only' }).toPromise()
  const stored = (id: string) => environment.getStore().getSource().get(id)

  beforeAll(async () => {
    await installInterop()
    compile(folder)
    gateway = await testGateway()
    await createEntries(gateway, Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`shop:e${n}`, n])))
    await post(gateway, 'mutation { setTag(input: { name: "first", version: 1 }) { name } }')
    socket = createClient({ url: gateway.endpoint.replace('http', 'ws'), webSocketImpl: WebSocket })
    runtime = interop('relay-runtime')
    const { Environment, Network, Observable, RecordSource, Store } = runtime
    environment = new Environment({
      store: new Store(new RecordSource()),
      network: Network.create(
        async ({ text }: { text: string }, variables: object) => (await post(gateway, text, variables)).body,
        ({ text }: { text: string }, variables: any) =>
          Observable.create((sink: any) => socket.subscribe({ query: text, variables }, sink)),
      ),
    })
  }, INSTALL_MS)
  afterAll(async () => {
    await socket?.dispose()
    await gateway?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('reads page after page into one connection', async () => {
    const query = runtime.createOperationDescriptor(artifact('EntryListQuery'), {})
    environment.retain(query)
    await fetched(artifact('EntryListQuery'), {})
    const connection = () => stored('client:root:__EntryList_entries_connection')
    const edges = () => connection().edges.__refs.map((ref: string) => stored(stored(ref).node.__ref).entryId)
    expect(edges()).toEqual(['shop:e0', 'shop:e1'])
    for (const expected of [4, 5]) {
      const { endCursor } = stored(connection().pageInfo.__ref)
      await fetched(artifact('EntryListPageQuery'), { count: 2, cursor: endCursor })
      expect(edges()).toEqual(Array.from({ length: expected }, (_, n) => `shop:e${n}`))
    }
    expect(stored(connection().pageInfo.__ref).hasNextPage).toBe(false)
  })

  it('fetches an object again by its id', async () => {
    await post(
      gateway,
      'mutation { applyChangeset(input: { operations: [{ update: { id: "shop:e0", kind: "test.thing", data: 7 } }] }) { __typename } }',
    )
    expect(stored('shop:e0').data).toBe(0)
    await fetched(artifact('EntryCardRefetchQuery'), { id: 'shop:e0' })
    expect(stored('shop:e0').data).toBe(7)
  })

  it('keeps objects of all types apart in its store', async () => {
    const ids = ['shop:e0', 'r1/shop:e0', 't1', 'v1', 's1', 'tag/first', 'provider/source/filesystem']
    const { nodes } = await fetched(artifact('EntryNodesQuery'), { ids })
    expect(nodes.map(({ id }: { id: string }) => id)).toEqual(ids)
    expect(ids.map((id) => stored(id).__typename)).toEqual([
      'Entry',
      'EntryRevision',
      'Transition',
      'Version',
      'Snapshot',
      'Tag',
      'Provider',
    ])
    expect([stored('shop:e0').data, stored('r1/shop:e0').data]).toEqual([7, 0])
  })

  it('follows a subscription', async () => {
    const batch = await new Promise<any>((resolve, reject) => {
      const { dispose } = runtime.requestSubscription(environment, {
        subscription: artifact('EntryChangesSubscription'),
        variables: {},
        onNext({ changes }: any) {
          if (changes.changes.length === 0) return
          resolve(changes)
          setImmediate(() => dispose())
        },
        onError: reject,
      })
    })
    expect(batch).toMatchObject({ revision: 2, changes: [{ entryId: 'shop:e0' }] })
  })
})

/** Runs relay-compiler over a program, as its command line does. The artifacts are CommonJS. */
function compile(folder: string): void {
  mkdirSync(join(folder, '__generated__'), { recursive: true })
  // The names of operations begin with that of their file.
  writeFileSync(join(folder, 'Entry.js'), SOURCE)
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
  writeFileSync(
    join(folder, 'relay.config.json'),
    JSON.stringify({
      src: '.',
      schema: 'schema.graphql',
      language: 'javascript',
      artifactDirectory: './__generated__',
      eagerEsModules: false,
    }),
  )
  copyFileSync(SCHEMA, join(folder, 'schema.graphql'))
  const compiler = join(INTEROP, 'node_modules/relay-compiler/cli.js')
  execFileSync(process.execPath, [compiler, 'relay.config.json'], { cwd: folder, encoding: 'utf8' })
}
