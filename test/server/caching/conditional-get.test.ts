import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPLY, createEntries, post, type TestGateway, testGateway } from '../server-fixture.js'

const IMMUTABLE = 'private, max-age=31536000, immutable'

let gateway: TestGateway
let first: number
beforeAll(async () => {
  gateway = await testGateway({}, {}, { CADASTRE_ALLOWED_ORIGINS: 'https://app.example' })
  first = await createEntries(gateway, { 'app:a': { n: 1 }, 'app:b': { n: 2 } })
})
afterAll(() => gateway.close())

async function get(query: string, variables: object = {}, headers: Record<string, string> = {}) {
  const search = new URLSearchParams({ query, variables: JSON.stringify(variables) })
  const response = await fetch(`${gateway.endpoint}?${search}`, { headers })
  return {
    status: response.status,
    control: response.headers.get('cache-control'),
    tag: response.headers.get('etag'),
    vary: response.headers.get('vary'),
    exposed: response.headers.get('access-control-expose-headers'),
    text: await response.text(),
  }
}

/** Sends the tag that the answer had. */
async function again(query: string, variables: object = {}) {
  const { tag } = await get(query, variables)
  return get(query, variables, { 'if-none-match': tag ?? '"none"' })
}

const setTag = (version: number) =>
  post(gateway, 'mutation ($v: SafeInt!) { setTag(input: {name: "live", version: $v, movable: true}) { name } }', {
    v: version,
  })

describe('GET of what never changes', () => {
  it.each([
    [
      'the content of a revision',
      () => [
        `{ node(id: "r${first}/app:a") { id ... on EntryRevision { data version { number author message createdAt } } } }`,
      ],
    ],
    [
      'a snapshot by revision',
      () => [
        'query ($r: SafeInt!) { snapshot(at: {revision: $r}) { entries { nodes { id data } } entryCount } }',
        { r: first },
      ],
    ],
    [
      'a snapshot by id',
      () => [
        'query ($id: ID!) { node(id: $id) { ... on Snapshot { revision entry(id: "app:a") { data } } } }',
        { id: `s${first}` },
      ],
    ],
    [
      'several nodes',
      () => ['query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: [`t${first}`, `r${first}/app:b`] }],
    ],
    ['a revision by default', () => [`query ($at: At = {revision: ${first}}) { snapshot(at: $at) { revision } }`]],
  ] as [string, () => [string, object?]][])('is immutable: %s', async (_name, request) => {
    const [query, variables] = request()
    const answer = await get(query, variables)
    expect(answer).toMatchObject({ status: 200, control: IMMUTABLE, tag: expect.stringMatching(/^W\/"/) as string })
    expect(await again(query, variables)).toMatchObject({ status: 304, control: IMMUTABLE, text: '' })
  })

  it.each([
    [
      'whether a version is the head',
      () => `{ node(id: "r${first}/app:a") { ... on EntryRevision { version { isHead } } } }`,
    ],
    ['the entry of a revision', () => `{ node(id: "r${first}/app:a") { ... on EntryRevision { entry { id } } } }`],
    ['children', () => `{ snapshot(at: {revision: ${first}}) { version { children { number } } } }`],
    [
      'dependencies, which depend on the configuration',
      () => `{ snapshot(at: {revision: ${first}}) { dependencyGraph(root: "app:a") { truncated } } }`,
    ],
    ['a revision that is still to come', () => `{ node(id: "r${first + 1_000}/app:a") { id } }`],
    ['the head', () => '{ snapshot { revision } }'],
    ['a time', () => '{ snapshot(at: {time: "2020-01-01T00:00:00Z"}) { revision } }'],
    ['a version', () => '{ node(id: "v1") { id } }'],
    ['an entry', () => '{ entry(id: "app:a") { data } }'],
    ['a page', () => '{ entries(first: 10) { nodes { id data } } }'],
  ] as [string, () => string][])('is by revision otherwise: %s', async (_name, request) => {
    const answer = await get(request())
    expect(answer).toMatchObject({
      status: 200,
      control: 'private, no-cache',
      tag: expect.stringMatching(/^W\/"/) as string,
    })
    expect(await again(request())).toMatchObject({ status: 304, tag: answer.tag, text: '' })
  })

  it.each([
    ['tags', '{ tags { nodes { name } } }'],
    ['the tags of a version', '{ version(number: 0) { tags { name } } }'],
    ['a tag that does not exist yet, by its id', '{ node(id: "tag/next") { id } }'],
    ['a source by its id', '{ node(id: "source/x") { id } }'],
    ['an instance by its id', '{ node(id: "00000000-0000-4000-8000-000000000000") { id } }'],
    ['one of several nodes', '{ nodes(ids: ["v0", "tag/next"]) { id } }'],
    ['instances', '{ entry(id: "app:a") { instances { name } } }'],
    ['sources', '{ sources { name } }'],
    ['providers', '{ providers { name } }'],
    ['what compaction changes', '{ oldestRevision }'],
    ['the history of an entry', '{ entry(id: "app:a") { history { totalCount } } }'],
    ['introspection', '{ __schema { queryType { name } } }'],
    ['one field in a fragment', 'query { ...A } fragment A on Query { currentVersion { number } oldestRevision }'],
  ])('has no tag where something changes without a revision: %s', async (_name, query) => {
    expect(await get(query)).toMatchObject({ status: 200, control: 'private, no-cache', tag: null })
    expect((await get(query, {}, { 'if-none-match': '*' })).status).toBe(200)
  })

  it('has no tag at a tag, however the tag is given', async () => {
    await setTag(1)
    for (const [query, variables] of [
      ['{ snapshot(at: {tag: "live"}) { revision } }', {}],
      ['query ($t: String) { snapshot(at: {tag: $t}) { revision } }', { t: 'live' }],
      ['query ($at: At) { snapshot(at: $at) { revision } }', { at: { tag: 'live' } }],
      ['query ($at: At = {tag: "live"}) { snapshot(at: $at) { revision } }', {}],
      ['query ($at: At!) { delta(from: {revision: 0}, to: $at) { created } }', { at: { tag: 'live' } }],
    ] as [string, object][])
      expect(await get(query, variables), query).toMatchObject({ status: 200, tag: null })
  })
})

describe('a tag', () => {
  it('is worth nothing after the next revision, and the new answer has another', async () => {
    const query = '{ entry(id: "app:new") { id } }'
    const before = await get(query)
    expect(before.text).toBe('{"data":{"entry":null}}')
    await createEntries(gateway, { 'app:new': 1 })
    const after = await get(query, {}, { 'if-none-match': before.tag! })
    expect(after).toMatchObject({ status: 200, text: '{"data":{"entry":{"id":"app:new"}}}' })
    expect(after.tag).not.toBe(before.tag)
  })

  it('is one of the request: another document, variable or media type has another', async () => {
    const query = 'query A($id: EntryID!) { entry(id: $id) { id } }'
    const tags = await Promise.all([
      get(query, { id: 'app:a' }),
      get(query, { id: 'app:b' }),
      get(`${query} `, { id: 'app:a' }),
      get(query, { id: 'app:a' }, { accept: 'application/graphql-response+json' }),
    ])
    expect(new Set(tags.map(({ tag }) => tag)).size).toBe(4)
  })

  // The whole request was executed again for each client that reloads a page.
  it('matches in a list, and any tag matches *', async () => {
    const query = '{ entry(id: "app:a") { id } }'
    const { tag } = await get(query)
    expect((await get(query, {}, { 'if-none-match': `"x", ${tag!.slice(2)}` })).status).toBe(304)
    expect((await get(query, {}, { 'if-none-match': '*' })).status).toBe(304)
    expect((await get(query, {}, { 'if-none-match': '"x"' })).status).toBe(200)
  })

  it('is the same at every gateway of a registry, and another at another registry', async () => {
    const other = await testGateway()
    const query = '{ entry(id: "app:a") { id } }'
    const search = new URLSearchParams({ query, variables: '{}' })
    const response = await fetch(`${other.endpoint}?${search}`)
    expect(response.headers.get('etag')).not.toBe((await get(query)).tag)
    await other.close()
  })
})

describe('answers that caches may not keep', () => {
  it.each([
    ['invalid', '{ nothing }'],
    ['not to be parsed', '{'],
    ['at a revision that does not exist', '{ currentVersion { number } snapshot(at: {revision: 999999}) { id } }'],
    ['failed beside data', '{ currentVersion { number } dependencyGraph(root: "app:a", depth: 1000) { truncated } }'],
    ['a mutation', 'mutation { compact(before: 0) { changes } }'],
  ])('are those of a request that is %s', async (_name, query) => {
    const answer = await get(query, {}, { 'if-none-match': '*' })
    expect(answer).toMatchObject({ control: 'no-store', tag: null })
    expect(answer.text).toContain('"errors"')
  })

  it('are those of POST', async () => {
    const { headers } = await post(gateway, '{ entry(id: "app:a") { id } }')
    expect([headers.get('cache-control'), headers.get('etag')]).toEqual(['no-store', null])
    expect((await post(gateway, APPLY, { input: { operations: [] } })).headers.get('cache-control')).toBe('no-store')
  })
})

it('says what an answer depends on, with the origin of a page and without one', async () => {
  const query = '{ entry(id: "app:a") { id } }'
  expect((await get(query)).vary).toBe('origin, accept, accept-encoding')
  const ofPage = await get(query, {}, { origin: 'https://app.example' })
  expect(ofPage.vary).toBe('origin, accept, accept-encoding')
  // Without it, a page cannot read the tag.
  expect(ofPage.exposed).toBe('etag')
})
