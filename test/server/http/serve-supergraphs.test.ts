import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { USERS } from '../../graphql/supergraph/composing-registry.js'
import { post, type TestGateway, testGateway } from '../server-fixture.js'

const PUBLISH = `mutation ($id: EntryID!, $data: JSON, $dryRun: Boolean) {
  applyChangeset(input: { operations: [{ create: { id: $id, kind: "graphql.subgraph", data: $data } }], dryRun: $dryRun }) {
    ... on Applied { dryRun delta { created updated } warnings { code } }
    ... on Refused { problems { code operation participant message } }
  }
}`

describe('/supergraph/<namespace>', () => {
  let gateway: TestGateway
  let url: string
  beforeAll(async () => {
    gateway = await testGateway({}, {}, { CADASTRE_COMPOSE: 'shop, team.a' })
    url = `${gateway.url}supergraph`
  })
  afterAll(() => gateway.close())

  const publish = (id: string, sdl: string, dryRun = false) =>
    post(gateway, PUBLISH, { id, dryRun, data: { sdl, url: 'http://x/graphql' } })

  it('is 404 for a namespace without subgraphs, and for one that is not composed', async () => {
    const empty = await fetch(`${url}/shop`)
    expect([empty.status, await empty.text()]).toEqual([
      404,
      'There is no supergraph of shop yet. Publish a subgraph.\n',
    ])
    for (const path of ['/other', '/', '/%E0%A4%A', '/shop/x', '/constructor']) {
      const response = await fetch(`${url}${path}`)
      expect([path, response.status, await response.text()]).toEqual([
        path,
        404,
        expect.stringContaining('does not compose'),
      ])
    }
  })

  it('serves the SDL, and 304 to those who have it', async () => {
    await publish('shop:users', USERS)
    const first = await fetch(`${url}/shop`)
    const etag = first.headers.get('etag')!
    expect(first.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const text = await first.text()
    expect(text).toContain('@join__graph(name: "users", url: "http://x/graphql")')
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await fetch(`${url}/shop`, { headers: { 'if-none-match': tag } })
      expect([tag, again.status, await again.text()]).toEqual([tag, 304, ''])
    }
    const head = await fetch(`${url}/shop`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      200,
      `${Buffer.byteLength(text)}`,
      '',
    ])
    expect((await fetch(`${url}/shop`, { method: 'POST' })).status).toBe(405)

    await publish('shop:news', 'type Query { news: String }')
    const changed = await fetch(`${url}/shop`, { headers: { 'if-none-match': etag } })
    expect([changed.status, await changed.text()]).toEqual([200, expect.stringContaining('news')])
  })

  it('is checked by a dry run, which changes nothing', async () => {
    const { body } = await publish('team.a:users', USERS, true)
    expect(body.data!['applyChangeset']).toEqual({ dryRun: true, delta: { created: 2, updated: 0 }, warnings: [] })
    const bad = await publish('team.a:users', 'type Query { me: Usr }', true)
    expect(bad.body.data!['applyChangeset'].problems).toMatchObject([
      { code: 'REJECTED', operation: 0, participant: 'graphql.compose' },
    ])
    expect((await fetch(`${url}/team.a`)).status).toBe(404)
  })
})
