import fc from 'fast-check'
import type { GraphQLError } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestBounds } from '../../../src/server/json/json-bounds.js'
import { JsonCounter } from '../../../src/server/json/json-counter.js'
import { type ScannedJson, scanJson } from '../../../src/server/json/scan-json.js'
import { SocketClient, type TestGateway, testGateway } from '../server-fixture.js'

function countOf(value: unknown, depth = 1): { containers: number; values: number; deepest: number } {
  if (typeof value !== 'object' || value === null) return { containers: 0, values: 1, deepest: depth - 1 }
  const inner = Object.values(value).map((item) => countOf(item, depth + 1))
  const sum = (key: 'containers' | 'values') => inner.reduce((total, item) => total + item[key], 1)
  return {
    containers: sum('containers'),
    values: sum('values'),
    deepest: Math.max(depth, ...inner.map(({ deepest }) => deepest)),
  }
}

describe('JsonCounter', () => {
  it('counts what JSON.parse makes, in slices of any size', () => {
    const tree = fc.jsonValue({ stringUnit: fc.constantFrom('a', '"', '\\', '[', '}', ',', '{', 'ä') })
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 40 }), (value, slice) => {
        const counter = new JsonCounter(JSON.stringify(value))
        while (counter.read(slice));
        const { containers, values, deepest } = counter
        expect({ containers, values, deepest }).toEqual(countOf(value))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('scanJson', () => {
  const bounds = { containers: 20_000, values: 100_000, depth: 5_000 }
  const refusal = async (text: string) => {
    try {
      await scanJson(text, bounds)
    } catch (error) {
      return `${(error as GraphQLError).extensions['code']} ${(error as Error).message}`
    }
    return null
  }
  const entries = Array.from({ length: 4_000 }, (_, i) => ({
    create: {
      id: `shop:service-${i}`,
      kind: 'service.http',
      meta: { team: 'checkout' },
      data: { port: i, tags: ['a', 'b'] },
    },
  }))
  const usual = JSON.stringify({ query: 'mutation', variables: { operations: entries.slice(0, 1_000) } })

  it('lets a usual request pass without counting it', () => {
    expect(scanJson(usual, bounds)).toEqual({ text: usual, mayHoldInexactNumber: undefined })
  })

  it.each([
    ['objects', `{"x":[${'{},'.repeat(30_000)}{}]}`, 'holds 30003 objects and lists, more than the limit of 20000'],
    ['lists, with white space', `[${'[] , \n '.repeat(30_000)}[]]`, 'holds 30002 objects and lists'],
    ['usual operations', JSON.stringify(entries), 'holds 20001 objects and lists'],
    ['numbers', `[${'1,'.repeat(150_000)}1]`, 'holds 150002 values, more than the limit of 100000'],
    ['nesting', `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`, 'is nested 9000 deep, more than the limit of 5000'],
    // Brackets in texts must not hide brackets outside of them.
    ['nesting between texts', `${'["]]]]]",'.repeat(9_000)}1${']'.repeat(9_000)}`, 'is nested 9000 deep'],
  ])('refuses too much with the bound and what was sent: %s', async (_, text, message) => {
    expect(JSON.parse(text)).toBeTruthy()
    expect(await refusal(text)).toMatch(new RegExp(`^TOO_LARGE The request ${message}.*, in ${text.length} characters`))
  })

  it.each([
    ['commas in texts', JSON.stringify([','.repeat(400_000)])],
    ['brackets in texts', JSON.stringify(['[{'.repeat(400_000), '"[{\\'.repeat(1_000)])],
    ['long texts', JSON.stringify(Array.from({ length: 1_000 }, () => 'x'.repeat(5_000)))],
  ])('does not count what is in texts: %s', async (_, text) => {
    expect(await refusal(text)).toBeNull()
  })

  it('finds a number that no double holds anywhere in a long text', async () => {
    const filler = `${JSON.stringify('x'.repeat(1_000))},`
    for (const before of [0, 1_045, 1_046, 1_047, 2_500]) {
      const text = `[${filler.repeat(before)}${' '.repeat(before)}12345678901234567890,${filler.repeat(2_500)}1]`
      expect(((await scanJson(text, bounds)) as ScannedJson).mayHoldInexactNumber).toBe(true)
    }
    const none = `[${filler.repeat(2_500)}"12345678901234567890"]`
    expect(((await scanJson(none, bounds)) as ScannedJson).mayHoldInexactNumber).toBe(false)
  })

  it('leaves room for the largest changeset', async () => {
    const { containers, values } = requestBounds(100_000)
    expect(containers).toBeGreaterThan(100_000 * 10)
    expect(values).toBeGreaterThan(100_000 * 50)
  })
})

describe('a request', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway({}, {}, {})
  })
  afterAll(() => gateway.close())

  const objects = (count: number) => `{"x":[${'{},'.repeat(count)}{}]}`

  // 50 MB of them blocked the event loop for 15 s and took 1.1 GB.
  it('of millions of objects is refused before it is parsed', async () => {
    const response = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"query":"{ __typename }","variables":${objects(2_500_000)}}`,
    })
    expect(response.status).toBe(413)
    expect(await response.json()).toEqual({
      errors: [
        {
          message: expect.stringContaining('holds 2500004 objects and lists, more than the limit of 2010000'),
          extensions: { code: 'TOO_LARGE' },
        },
      ],
    })
  })

  it('of many objects is answered, and so are the messages behind it', async () => {
    const client = await new SocketClient(gateway.endpoint).init()
    client.socket.send(
      `{"id":"1","type":"subscribe","payload":{"query":"{ a: __typename }","variables":${objects(400_000)}}}`,
    )
    client.subscribe('2', '{ b: __typename }')
    expect((await client.next(({ type }) => type === 'next')).payload).toEqual({ data: { a: 'Query' } })
    expect((await client.next(({ type }) => type === 'next')).payload).toEqual({ data: { b: 'Query' } })
    client.socket.send(
      `{"id":"3","type":"subscribe","payload":{"query":"{ c: __typename }","variables":${objects(2_500_000)}}}`,
    )
    expect(await client.closed).toEqual({
      code: 1009,
      reason: expect.stringContaining('The request holds 2500005 objects and lists, more than the limit of 2010000'),
    })
  })

  it('that pings with a long payload gets a pong without it', async () => {
    const client = await new SocketClient(gateway.endpoint).init()
    for (const [length, type] of [
      [100, 'pong'],
      [10_000, 'pong'],
    ] as const) {
      client.send({ type: 'ping', payload: { text: 'x'.repeat(length) } })
      const pong = await client.next((message) => message.type === type)
      expect(pong.payload?.text?.length).toBe(length > 1_000 ? undefined : length)
    }
    client.close()
  })
})
