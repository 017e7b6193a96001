import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBranchedGateway } from '../branched-gateway.js'
import { type Gateway, update } from '../schema-fixture.js'

let gateway: Gateway

beforeAll(async () => {
  gateway = await openBranchedGateway()
})
afterAll(() => gateway.close())

const one = async (document: string, variables?: Record<string, unknown>) =>
  Object.values(await gateway.data(document, variables))[0] as any

describe('entry', () => {
  it('returns an entry at the head', async () => {
    expect(
      await one('{ entry(id: "app:db") { __typename id entryId ns name kind meta data revision version { number } } }'),
    ).toEqual({
      __typename: 'Entry',
      id: 'app:db',
      entryId: 'app:db',
      ns: 'app',
      name: 'db',
      kind: 'db.sql',
      meta: { groups: ['stores'], 'dotted.key': 1, a: { b: [true] } },
      data: { host: 'localhost' },
      // The rollback restored the content, which v1 had written.
      revision: 3,
      version: { number: 1 },
    })
  })

  it('accepts the id in both forms, and as a variable', async () => {
    expect(await one('{ entry(id: {ns: "app", name: "db"}) { id } }')).toEqual({ id: 'app:db' })
    expect(await one('query ($id: EntryID!) { entry(id: $id) { id } }', { id: { ns: 'app', name: 'db' } })).toEqual({
      id: 'app:db',
    })
    expect(await one('query ($n: String!) { entry(id: {ns: "app", name: $n}) { id } }', { n: 'db' })).toEqual({
      id: 'app:db',
    })
  })

  it('is null if the entry does not exist', async () => {
    expect(await one('{ entry(id: "app:gone") { id } }')).toBeNull()
  })

  it('refuses an invalid id and names the broken rule', async () => {
    for (const id of ['no colon', ':x', 'a:', 'a b:c', 'a/b:c', 'a: b', 'a\u0000:b', '']) {
      expect(await gateway.code('query ($id: EntryID!) { entry(id: $id) { id } }', { id })).toBe('BAD_USER_INPUT')
    }
    for (const id of [1, true, ['a:b'], { ns: 'a' }, null]) {
      expect(await gateway.code('query ($id: EntryID!) { entry(id: $id) { id } }', { id })).toBe('BAD_USER_INPUT')
    }
    expect(await gateway.code('{ entry(id: 1) { id } }')).toBe('BAD_USER_INPUT')
    expect(await gateway.code('query ($n: Int!) { entry(id: {ns: "app", name: $n}) { id } }', { n: 1 })).toBe(
      'BAD_USER_INPUT',
    )
  })

  it('returns parts of meta and data by path', async () => {
    expect(
      await one(
        '{ entry(id: "app:db") { a: meta(path: "a.b.0") b: meta(path: "dotted.key") c: meta(path: "none") d: data(path: "host") e: data(path: "0") } }',
      ),
    ).toEqual({ a: true, b: 1, c: null, d: 'localhost', e: null })
  })

  it('lists its history, newest first, in pages from both ends', async () => {
    const document = `query ($first: Int, $after: String, $last: Int, $before: String) {
      entry(id: "app:db") { history(first: $first, after: $after, last: $last, before: $before) {
        revision totalCount nodes { id revision data(path: "host") version { number } entry { revision } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      } }
    }`
    const { history } = await one(document)
    expect(history).toMatchObject({
      revision: 4,
      totalCount: 3,
      pageInfo: { hasNextPage: false, hasPreviousPage: false },
    })
    expect(history.nodes).toEqual([
      { id: 'r3/app:db', revision: 3, data: 'localhost', version: { number: 1 }, entry: { revision: 3 } },
      { id: 'r2/app:db', revision: 2, data: 'remote', version: { number: 2 }, entry: { revision: 3 } },
      { id: 'r1/app:db', revision: 1, data: 'localhost', version: { number: 1 }, entry: { revision: 3 } },
    ])
    const first = (await one(document, { first: 1 })).history
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const rest = (await one(document, { after: first.pageInfo.endCursor })).history
    expect(rest.nodes.map((node: any) => node.revision)).toEqual([2, 1])
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
    expect((await one(document, { last: 1 })).history.nodes.map((node: any) => node.revision)).toEqual([1])
    expect(
      (await one(document, { last: 5, before: rest.pageInfo.endCursor })).history.nodes.map(
        (node: any) => node.revision,
      ),
    ).toEqual([3, 2])
  })
})

describe('dependencies', () => {
  const read = (at: string) => one(`{ ${at} { dependencies { path reference source target { id } } } }`)

  it('list each reference with its targets, or with none if it is dangling', async () => {
    await gateway.apply(
      update(
        'app:api',
        { depends_on: ['app:db', 'db', 'app:gone', 'group:stores', 'ns:lib', 'ns:app'] },
        { imports: { log: 'lib:log' } },
        'http.api',
      ),
    )
    const { dependencies } = await read('entry(id: "app:api")')
    expect(dependencies.map(({ path, reference, target }: any) => [path, reference, target?.id ?? null])).toEqual([
      ['data.imports.log', 'lib:log', 'lib:log'],
      ['meta.depends_on.0', 'app:db', 'app:db'],
      ['meta.depends_on.1', 'db', 'app:db'],
      ['meta.depends_on.2', 'app:gone', null],
      ['meta.depends_on.3', 'group:stores', 'app:db'],
      ['meta.depends_on.4', 'ns:lib', 'lib:log'],
      ['meta.depends_on.4', 'ns:lib', 'lib:net'],
      ['meta.depends_on.5', 'ns:app', 'app:db'],
    ])
    expect(new Set(dependencies.map(({ source }: any) => source))).toEqual(new Set(['app:api']))
  })

  it('include a direct self-reference', async () => {
    expect((await read('entry(id: "lib:log")')).dependencies).toEqual([
      { path: 'meta.server', reference: 'lib:log', source: 'lib:log', target: { id: 'lib:log' } },
    ])
  })

  it('are listed as dependents of their targets', async () => {
    const { dependents } = await one('{ entry(id: "app:db") { dependents { path reference source target { id } } } }')
    expect(dependents.map(({ source, path, target }: any) => [source, path, target.id])).toEqual([
      ['app:api', 'meta.depends_on.0', 'app:db'],
      ['app:api', 'meta.depends_on.1', 'app:db'],
      ['app:api', 'meta.depends_on.3', 'app:db'],
      ['app:api', 'meta.depends_on.5', 'app:db'],
    ])
    const self = await one('{ entry(id: "app:api") { dependents { source } } }')
    expect(self.dependents).toEqual([])
  })
})

describe('entries', () => {
  const ids = async (args: string) =>
    (await one(`{ entries(${args}) { nodes { id } } }`)).nodes.map(({ id }: any) => id)

  it('are found by find, by where, and by both', async () => {
    expect(await ids('find: {}')).toEqual(['app:api', 'app:db', 'lib:log', 'lib:net'])
    expect(await ids('find: {_kind: "nothing"}')).toEqual([])
    expect(await ids('where: {kind: {glob: "library.*"}}')).toEqual(['lib:log', 'lib:net'])
    expect(
      await one(
        'query ($find: JSONObject) { entries(find: $find, where: {ns: {eq: "lib"}}) { totalCount nodes { id } } }',
        { find: { '$.name': 'g' } },
      ),
    ).toEqual({ totalCount: 1, nodes: [{ id: 'lib:log' }] })
    expect(await ids('where: {meta: [{path: "a.b", eq: [true]}]}')).toEqual(['app:db'])
    expect(await ids('where: {or: []}')).toEqual([])
  })

  it('come in the requested order', async () => {
    expect(await ids('orderBy: ID_DESC, first: 2')).toEqual(['lib:net', 'lib:log'])
    expect((await ids('orderBy: REVISION_DESC'))[0]).toBe('app:api')
  })

  it('refuse invalid criteria and name the key', async () => {
    expect(
      await gateway.code('query ($find: JSONObject) { entries(find: $find) { totalCount } }', { find: { '.nope': 1 } }),
    ).toBe('INVALID_CRITERIA')
    expect(await gateway.code('{ entries(where: {name: {regex: "("}}) { totalCount } }')).toBe('INVALID_CRITERIA')
    expect(await gateway.code('{ entries(where: {meta: [{path: "x"}]}) { totalCount } }')).toBe('INVALID_CRITERIA')
    expect(await gateway.code('{ entries(find: []) { totalCount } }')).toBe('BAD_USER_INPUT')
  })
})

describe('parseId and namespaces', () => {
  it('splits an id at the first colon and normalizes it', async () => {
    expect(await one('{ parseId(id: "a:b:c") { ns name } }')).toEqual({ ns: 'a', name: 'b:c' })
    expect(await one('query ($id: String!) { parseId(id: $id) { ns name } }', { id: 'e\u0301:x' })).toEqual({
      ns: '\u00e9',
      name: 'x',
    })
    for (const id of ['', 'a', ':', 'a:', ':b', 'a b:c', 'a:b ', '\ud800:x']) {
      expect(await gateway.code('query ($id: String!) { parseId(id: $id) { ns } }', { id })).toBe('BAD_USER_INPUT')
    }
  })

  it('lists namespaces with their sizes', async () => {
    expect(await one('{ namespaces { name entryCount } }')).toEqual([
      { name: 'app', entryCount: 2 },
      { name: 'lib', entryCount: 2 },
    ])
  })
})
