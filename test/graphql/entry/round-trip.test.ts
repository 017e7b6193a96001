import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { create, type Gateway, openGateway } from '../schema-fixture.js'

let gateway: Gateway

beforeEach(() => {
  gateway = openGateway()
})
afterEach(() => gateway.close())

let made = 0

/** Writes content and reads it at the head, in a snapshot and in the log, as JSON text in both directions. */
async function roundTrip(meta: unknown, data: unknown): Promise<string[]> {
  const name = `e${++made}`
  const sent = JSON.parse(JSON.stringify(create(`t:${name}`, meta, data))) as unknown
  const revision = await gateway.apply(sent)
  const answer = await gateway.data(
    `query ($id: EntryID!, $r: SafeInt!) {
    entry(id: $id) { meta data } snapshot(at: {revision: $r}) { entry(id: $id) { meta data } }
    transitions(last: 1) { nodes { changes { nodes { entry { meta data } } } } }
  }`,
    { id: `t:${name}`, r: revision },
  )
  return [answer.entry, answer.snapshot.entry, answer.transitions.nodes[0].changes.nodes[0].entry].map((found) =>
    JSON.stringify([found.meta, found.data]),
  )
}

const expectUnchanged = async (meta: unknown, data: unknown) => {
  const text = JSON.stringify([meta, data])
  expect(await roundTrip(meta, data)).toEqual([text, text, text])
}

describe('values are returned exactly as they were sent', () => {
  it.each([
    5e-324,
    1.7976931348623157e308,
    0.1,
    1 / 3,
    2 ** 53,
    123456789012345680000,
    1e21,
    -1e-7,
    4.35,
    9007199254740993,
    0.30000000000000004,
  ])('the double %s', (double) => expectUnchanged({ double }, [double, { double }]))

  it('with keys such as __proto__ and constructor', async () => {
    const odd = JSON.parse(
      '{"__proto__": {"x": 1}, "constructor": null, "hasOwnProperty": [], "toString": {"__proto__": 2}, "": 0, "then": "no promise"}',
    ) as unknown
    await expectUnchanged(odd, odd)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('with the key order of JSON.parse, where whole numbers come first', () =>
    expectUnchanged(
      { z: 1, a: 2, m: { b: 1, a: 2 } },
      JSON.parse('{"z": 1, "10": 2, "9": 3, "a": {"2": 0, "1": 0, "b": 0, "a": 0}, "-1": 4, "01": 5}'),
    ))

  it('with Unicode, control characters, empty strings and nulls', () =>
    expectUnchanged({ 'ключ 😀': '\u2028\u0001\u007f\ufffd\ufeff', nfd: 'e\u0301', '': '' }, [
      '',
      null,
      [],
      {},
      '\n\t"\\/',
      '\u{10ffff}',
      { a: null },
    ]))

  it('with a nesting of 1,000', async () => {
    const deep = (levels: number) => JSON.parse(`${'[{"k":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`) as unknown
    await expectUnchanged({ deep: deep(998) }, deep(1_000))
  })

  it('with data of every JSON type', async () => {
    for (const data of [null, true, false, 0, 1.5, '', 'text', [], {}]) await expectUnchanged({}, data)
  })

  it('for random JSON', async () => {
    const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
    const keepable = (value: unknown) => !JSON.stringify(value).includes('\\u0000')
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ unit: 'grapheme' }), json).filter(keepable),
        json.filter(keepable),
        async (meta, data) => {
          // JSON text has no -0, and fc's dictionaries no prototype.
          await expectUnchanged(JSON.parse(JSON.stringify(meta)), JSON.parse(JSON.stringify(data)))
        },
      ),
      { numRuns: 100 },
    )
  })

  it('as a literal in the document', async () => {
    const { applyChangeset } = await gateway.data(
      `mutation ($inner: JSON) { applyChangeset(input: {operations: [{create: {
      id: {ns: "t", name: "literal"}, kind: "k", meta: {z: 1, a: [0.1, 5e-324, -0.5, 123456789012345680000], __proto__: {constructor: true}}, data: {x: $inner, n: null, s: "\\u00e9\\u{1F600}"}
    }}]}) { ... on Applied { changes { entry { meta data } } } } }`,
      { inner: { b: 1, a: [null] } },
    )
    expect(JSON.stringify(applyChangeset.changes[0].entry)).toBe(
      '{"meta":{"z":1,"a":[0.1,5e-324,-0.5,123456789012345680000],"__proto__":{"constructor":true}},"data":{"x":{"b":1,"a":[null]},"n":null,"s":"é😀"}}',
    )
  })

  it('with {} for an omitted or null meta, and null for an omitted data', async () => {
    await gateway.apply(
      { create: { id: 't:left-out', kind: 'k' } },
      { create: { id: 't:nulls', kind: 'k', meta: null, data: null } },
    )
    const { entries } = await gateway.data('{ entries { nodes { meta data digest } } }')
    expect(entries.nodes[0]).toMatchObject({ meta: {}, data: null })
    expect(entries.nodes[1]).toEqual(entries.nodes[0])
  })

  it('with equal digests for equal values', async () => {
    await gateway.apply(
      create('t:1', { a: 1, b: [1, 2] }, 1e2),
      create('t:2', JSON.parse('{"b": [1.0, 2], "a": 1}'), 100),
      create('t:3', { a: 1, b: [2, 1] }, 100),
    )
    const [one, two, three] = (await gateway.data('{ entries { nodes { digest } } }')).entries.nodes
    expect(one.digest).toBe(two.digest)
    expect(three.digest).not.toBe(one.digest)
  })
})
