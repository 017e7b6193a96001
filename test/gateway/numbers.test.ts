import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SocketClient } from '../server/server-fixture.js'
import { create, startTestGateway, type TestGateway } from './gateway-fixture.js'

/** Numbers that JSON.parse would change. They were stored rounded, so an identifier of 19 digits became another one. */
const INEXACT = ['9007199254740993', '-9007199254740993.0', '12345678901234567890.0', '1e400', '-1e-400']

const WRITE =
  'mutation ($data: JSON, $meta: JSONObject) { applyChangeset(input: {operations: [{create: {id: "n:fine", kind: "k"}}, {create: {id: "n:x", kind: "k", meta: $meta, data: $data}}]}) { __typename ... on Refused { problems { code message operation entryId } } } }'
const FIND = 'query ($find: JSONObject, $where: EntryFilter) { entries(find: $find, where: $where) { nodes { id } } }'

describe('a number that no double holds', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway('memory')
    await gateway.apply(create('f:rounded', { n: 2 ** 53 }), create('f:zero', { n: 0 }))
  })
  afterAll(() => gateway.close())

  /** Sends variables as they are written. */
  const transports: Record<string, (query: string, variables: string) => Promise<any>> = {
    POST: async (query, variables) =>
      JSON.parse((await gateway.send(`{"variables": ${variables}, "query": ${JSON.stringify(query)}}`)).text),
    'server-sent events': async (query, variables) => {
      const response = await fetch(gateway.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: `{"query": ${JSON.stringify(query)}, "variables": ${variables}}`,
      })
      return JSON.parse(/data: (\{.*\})/.exec(await response.text())![1]!)
    },
    WebSocket: async (query, variables) => {
      const client = await new SocketClient(gateway.endpoint).init()
      const answered = new Promise<any>((resolve) =>
        client.socket.on('message', (data: Buffer) => {
          const { type, payload } = JSON.parse(data.toString())
          if (type === 'next') resolve(payload)
          if (type === 'error') resolve({ errors: payload })
        }),
      )
      client.socket.send(
        `{"id": "1", "type": "subscribe", "payload": {"query": ${JSON.stringify(query)}, "variables": ${variables}}}`,
      )
      const answer = await answered
      client.close()
      return answer
    },
    GET: async (query, variables) =>
      (await fetch(`${gateway.endpoint}?${new URLSearchParams({ query, variables })}`)).json(),
    literal: async (query, variables) => {
      let text = query.replace(/^(\w+) \(.*?\)/, '$1')
      for (const [, name, value] of variables.matchAll(/"(data|meta|find|where)": (.*?)(?:;|\}$)/g))
        text = text.replace(`$${name}`, value!.replace(/"(\w+)":/g, '$1:'))
      return JSON.parse((await gateway.send(JSON.stringify({ query: text.replace(/\w+: \$\w+,?/g, '') }))).text)
    },
  }
  const writers = Object.keys(transports).filter((name) => name !== 'GET')

  it.each(writers)('is INVALID_ENTRY with its number and place: %s', async (transport) => {
    for (const number of INEXACT) {
      for (const [variables, place] of [
        [`{"data": ${number}}`, 'data'],
        [`{"data": {"b": ["9007199254740993", 1, {"c": ${number}}]}}`, 'data.b.2.c'],
        [`{"meta": {"m": ${number}}}`, 'meta.m'],
      ] as const) {
        const { data } = await transports[transport]!(WRITE, variables)
        const message = expect.stringMatching(
          `^${place} holds a number that cannot be kept: ${number.replace('.', '\\.')} `,
        )
        expect(data.applyChangeset.problems).toEqual([{ code: 'INVALID_ENTRY', message, operation: 1, entryId: 'n:x' }])
      }
    }
    expect((await gateway.data('{ a: entry(id: "n:x") { id } b: entry(id: "n:fine") { id } }')).b).toBeNull()
  })

  it.each(Object.keys(transports))(
    'is INVALID_CRITERIA in find and where, which name the key: %s',
    async (transport) => {
      for (const number of INEXACT) {
        for (const [variables, key] of [
          [`{"find": {"n": ${number}}}`, 'n'],
          [`{"find": {"n": [1, ${number}]}}`, 'n'],
          [`{"where": {"meta": [{"path": "n", "eq": ${number}}]}}`, 'meta[0].eq'],
          [`{"where": {"not": {"meta": [{"path": "n", "in": [${number}]}]}}}`, 'not.meta[0].in'],
        ] as const) {
          const { errors } = await transports[transport]!(FIND, variables)
          expect(errors).toMatchObject([{ extensions: { code: 'INVALID_CRITERIA', key } }])
          expect(errors[0].message).toContain(number)
        }
      }
    },
  )

  it('is refused where no number of that size fits', async () => {
    const first = await transports['POST']!('query ($n: Int) { entries(first: $n) { nodes { id } } }', '{"n": 1e400}')
    expect(first.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    const revision = await transports['POST']!(
      'query ($n: SafeInt!) { snapshot(at: {revision: $n}) { revision } }',
      '{"n": 9007199254740993}',
    )
    expect(revision.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    for (const variables of ['{"find": 1e400}', '{"where": 9007199254740993}', '{"where": {"kind": 1e400}}']) {
      const { errors } = await transports['POST']!(FIND, variables)
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    }
  })

  it('is refused in the metadata of an instance', async () => {
    const { errors } = await transports['POST']!(
      'mutation ($m: JSON) { acquireInstance(input: {entry: "f:zero", name: "a", ttlSeconds: 9, metadata: $m}) { id } }',
      '{"m": {"a": 9007199254740993}}',
    )
    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('metadata.a holds a number that cannot be kept: 9007199254740993'),
    })
  })

  it('shares no subscription with one that is served', async () => {
    const query = 'subscription ($find: JSONObject) { changes(find: $find, initial: true) { changes { entryId } } }'
    const served = await new SocketClient(gateway.endpoint).init()
    served.subscribe('1', query, { find: { n: null } })
    for (const variables of ['{"find": {"n": 1e400}}', '{"find": {"n": 9007199254740993}}']) {
      const { errors } = await transports['WebSocket']!(query, variables)
      expect(errors).toMatchObject([{ extensions: { code: 'INVALID_CRITERIA' } }])
    }
    served.close()
  })
})
