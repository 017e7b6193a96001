import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, SocketClient, type TestGateway, testGateway } from '../server-fixture.js'

const MIB = 1024 * 1024
const LIMIT = 4 * MIB
const NAMES = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6']
/** Just below a MiB, with characters of one, two and four bytes. */
const dataOf = (name: string) => `${name} ${'x😀é'.repeat(149_000)}`

// One answer of 486 MB took 2.4 GB, and one of 54 MB ended a gateway with a heap of 96 MB.
describe('a large answer', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway({}, { answerBytes: LIMIT })
    for (const name of NAMES) {
      const operations = [{ create: { id: `a:${name}`, kind: 'k', data: dataOf(name) } }]
      const document = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
      const { body } = await post(gateway, document, { input: { operations } })
      expect(body.data).toEqual({ applyChangeset: { __typename: 'Applied' } })
    }
  })
  afterAll(() => gateway.close())

  interface Answered {
    readonly data?: any
    readonly errors?: unknown[] | undefined
  }

  const TRANSPORTS: Readonly<Record<string, (query: string) => Promise<Answered>>> = {
    POST: async (query) => (await post(gateway, query)).body,
    GET: async (query) => {
      const response = await fetch(`${gateway.endpoint}?query=${encodeURIComponent(query)}`, {
        headers: { accept: 'application/graphql-response+json' },
      })
      expect(response.status).toBe(200)
      return (await response.json()) as Answered
    },
    'server-sent events': async (query) => {
      const response = await fetch(gateway.endpoint, {
        method: 'POST',
        headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      })
      const events = (await response.text()).split('\n\n').filter((event) => event.startsWith('event:'))
      expect(events.map((event) => event.split('\n')[0])).toEqual(['event: next', 'event: complete'])
      return JSON.parse(events[0]!.slice('event: next\ndata: '.length)) as Answered
    },
    WebSocket: async (query) => {
      const socket = await new SocketClient(gateway.endpoint).init()
      try {
        socket.subscribe('1', query)
        const { payload } = await socket.next()
        expect(await socket.next()).toMatchObject({ id: '1', type: 'complete' })
        return payload as Answered
      } finally {
        socket.socket.close()
      }
    },
  }

  const conditions = '$a: Boolean = true, $b: Boolean = true, $c: Boolean = true, $d: Boolean = true'
  const skipped =
    'a: entries @include(if: $a) { revision } b: entries @include(if: $b) { revision } c: entries @include(if: $c) { revision } d: entries @include(if: $d) { revision }'
  /** A query of each path that executes operations. */
  const QUERIES: Readonly<Record<string, (first: number) => string>> = {
    'a page': (first) => `{ entries(first: ${first}) { nodes { name data } } }`,
    'entries by name': (first) =>
      `{ ${NAMES.slice(0, first)
        .map((name) => `${name}: entry(id: "a:${name}") { name data }`)
        .join(' ')} }`,
    'fields of one entry': (first) =>
      `{ entry(id: "a:e1") { name ${NAMES.slice(0, first)
        .map((name) => `${name}: data`)
        .join(' ')} } }`,
    'an operation of graphql-js': (first) =>
      `query (${conditions}) { ${skipped} entries(first: ${first}) { nodes { name data } } }`,
    'a heavy operation': (first) =>
      `{ delta(from: { version: 0 }, to: { version: 0 }) { created } entries(first: ${first}) { nodes { name data } } }`,
  }

  describe.each(Object.entries(TRANSPORTS))('over %s', (_, ask) => {
    it.each(Object.entries(QUERIES))('is complete up to the limit: %s', async (_name, query) => {
      const { data, errors } = await ask(query(3))
      expect(errors).toBeUndefined()
      const text = JSON.stringify(data)
      for (const value of text.match(/"e[1-6] x[^"]*"/g)!)
        expect(value === JSON.stringify(dataOf(value.slice(1, 3)))).toBe(true)
      expect(text.match(/"e[1-6] x/g)).toHaveLength(3)
    })

    it.each(Object.entries(QUERIES))('is an error beyond it: %s', async (_name, query) => {
      const { data, errors } = await ask(query(6))
      expect({ data, errors }).toEqual({
        data: null,
        errors: [
          {
            message:
              'The answer is larger than 4 MiB, the limit of this gateway. Request smaller pages (first, last), fewer entries or fewer fields. A mutation has taken effect nevertheless.',
            extensions: { code: 'TOO_LARGE' },
          },
        ],
      })
    })
  })

  it('replaces only the result of a subscription that is too large', async () => {
    const socket = await new SocketClient(gateway.endpoint).init()
    const aliases = NAMES.map((name) => `${name}: data`).join(' ')
    socket.subscribe('1', `subscription { changes { changes { entry { ${aliases} } } } }`)
    const changed = ({ payload }: any) => payload.errors !== undefined || payload.data.changes.changes.length > 0
    const write = (id: string, data: string) =>
      post(
        gateway,
        'mutation ($data: JSON) { applyChangeset(input: { operations: [{ create: { id: "ID", kind: "k", data: $data } }] }) { __typename } }'.replace(
          'ID',
          id,
        ),
        { data },
      )
    await write('b:large', dataOf('e1'))
    expect(await socket.next(changed)).toMatchObject({
      payload: { data: null, errors: [{ extensions: { code: 'TOO_LARGE' } }] },
    })
    await write('b:small', 'small')
    expect(await socket.next(changed)).toMatchObject({
      payload: { data: { changes: { changes: [{ entry: { e1: 'small' } }] } } },
    })
    socket.socket.close()
  })

  it('says that its mutation has taken effect', async () => {
    const aliases = NAMES.map((name) => `${name}: data`).join(' ')
    const document = `mutation ($data: JSON) { applyChangeset(input: { operations: [{ create: { id: "c:x", kind: "k", data: $data } }] }) { ... on Applied { changes { entry { ${aliases} } } } } }`
    const { body } = await post(gateway, document, { data: dataOf('e1') })
    expect(body.data).toBeNull()
    expect(body).toMatchObject({
      data: null,
      errors: [{ extensions: { code: 'TOO_LARGE' }, message: expect.stringContaining('has taken effect') }],
    })
    expect((await post(gateway, '{ entry(id: "c:x") { name } }')).body.data).toEqual({ entry: { name: 'x' } })
  })
})
