import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, SocketClient, type TestGateway, testGateway } from '../server-fixture.js'

// cspell:ignore Versio numbr Ordr chnges
/** Documents with names that are almost right, and variables. */
const ALMOST_RIGHT: Record<string, [string, object?]> = {
  'a field': ['{ currentVersio { number } }'],
  'a nested field': ['{ currentVersion { numbr } }'],
  'an argument': ['{ entries(firs: 1) { totalCount } }'],
  'a type': ['query ($order: EntryOrdr) { entries(orderBy: $order) { totalCount } }'],
  'a fragment': ['{ currentVersion { ...numbers } } fragment number on Version { number }'],
  'a type condition': ['{ node(id: "x") { ... on Versio { number } } }'],
  'a value': ['{ entries(orderBy: ID_ASX) { totalCount } }'],
  'a value as text': ['{ entries(orderBy: "ID_ASC") { totalCount } }'],
  'a member': ['{ entries(where: { kin: { eq: "x" } }) { totalCount } }'],
  'a directive argument': ['{ currentVersion @skip(i: true) { number } }'],
  'a value of a variable': [
    'query ($order: EntryOrder) { entries(orderBy: $order) { totalCount } }',
    { order: 'ID_ASX' },
  ],
  'a member of a variable': [
    'query ($where: EntryFilter) { entries(where: $where) { totalCount } }',
    { where: { kin: { eq: 'x' } } },
  ],
  'a subscription': ['subscription { chnges { revision } }'],
}

// With introspection off, guesses listed the schema by their suggestions.
describe('suggestions of names', () => {
  let open: TestGateway
  let closed: TestGateway
  beforeAll(async () => {
    open = await testGateway()
    closed = await testGateway({}, { introspection: false })
  })
  afterAll(() => Promise.all([open.close(), closed.close()]))

  const overGet = async (gateway: TestGateway, query: string, variables: object) => {
    const url = new URL(gateway.endpoint)
    url.search = new URLSearchParams({ query, variables: JSON.stringify(variables) }).toString()
    return (await fetch(url)).text()
  }
  const asEvents = async (gateway: TestGateway, query: string, variables: object) => {
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    const body = JSON.stringify({ query, variables })
    return (await fetch(gateway.endpoint, { method: 'POST', headers, body })).text()
  }
  const overWebSocket = async (gateway: TestGateway, query: string, variables: object) => {
    const client = await new SocketClient(gateway.endpoint).init()
    client.subscribe('1', query, variables)
    const message = await client.next()
    client.close()
    return JSON.stringify(message)
  }
  const overPost = async (gateway: TestGateway, query: string, variables: object) =>
    JSON.stringify((await post(gateway, query, variables)).body)

  it.each(Object.entries(ALMOST_RIGHT))(
    'are hidden with introspection off: %s',
    async (what, [query, variables = {}]) => {
      for (const send of [overPost, overGet, asEvents, overWebSocket]) {
        const shown = await send(open, query, variables)
        // graphql-js suggests nothing for a fragment, so this shows that the others are suggestions at all.
        if (what !== 'a fragment') expect(shown, send.name).toContain('Did you mean')
        const hidden = await send(closed, query, variables)
        expect(hidden, send.name).not.toContain('Did you mean')
        expect(hidden, send.name).toMatch(/"errors":\[\{"message":"[^"]|"payload":\[\{"message":"[^"]/)
        expect(hidden, send.name).toContain('"code":')
      }
    },
  )
})
