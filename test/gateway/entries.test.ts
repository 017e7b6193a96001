import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SocketClient } from '../server/server-fixture.js'
import { BACKENDS_WITH_HISTORY, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

/** RFC 8785, implemented independently of the gateway. */
function canonical(value: any): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
}

const digestOf = (kind: string, meta: unknown, data: unknown) =>
  createHash('sha256').update(canonical({ data, kind, meta }), 'utf8').digest('hex')

describe.each([...BACKENDS_WITH_HISTORY, 'none'] as const)('entries, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
  })
  afterAll(() => gateway.close())

  let made = 0
  const fresh = () => `fresh:e${++made}`
  const entry = async (id: unknown, fields = 'id entryId ns name kind meta data digest revision') =>
    (await gateway.data(`query ($id: EntryID!) { entry(id: $id) { ${fields} } }`, { id })).entry

  describe('an id', () => {
    it('is split at its first colon', async () => {
      await gateway.apply(create('colons:b:c:'))
      expect(await entry('colons:b:c:', 'id entryId ns name')).toEqual({
        id: 'colons:b:c:',
        entryId: 'colons:b:c:',
        ns: 'colons',
        name: 'b:c:',
      })
      expect(await entry({ ns: 'colons', name: 'b:c:' }, 'id')).toEqual({ id: 'colons:b:c:' })
      expect((await gateway.data('{ parseId(id: "a:b:c") { ns name } }')).parseId).toEqual({ ns: 'a', name: 'b:c' })
    })

    it('is accepted as {ns, name}, as a literal and as a variable, everywhere', async () => {
      await gateway.data(
        'mutation { applyChangeset(input: {operations: [{create: {id: {ns: "parts", name: "x y"}, kind: "test.thing"}}]}) { __typename } }',
      )
      expect(await entry({ ns: 'parts', name: 'x y' }, 'id')).toEqual({ id: 'parts:x y' })
      const { entry: found } = await gateway.data('{ entry(id: {ns: "parts", name: "x y"}) { id } }')
      expect(found).toEqual({ id: 'parts:x y' })
      const named = await gateway.data('query ($n: String!) { entry(id: {ns: "parts", name: $n}) { id } }', {
        n: 'x y',
      })
      expect(named.entry).toEqual({ id: 'parts:x y' })
      await gateway.apply(update({ ns: 'parts', name: 'x y' }, 1))
      await gateway.apply(remove({ ns: 'parts', name: 'x y' }))
      expect(await entry('parts:x y')).toBeNull()
    })

    it('is the same in NFC and NFD, and returned in NFC', async () => {
      await gateway.apply(create('cafe\u0301:e\u0301te\u0301', 'nfd'))
      expect(await entry('caf\u00e9:\u00e9t\u00e9', 'id data')).toEqual({ id: 'caf\u00e9:\u00e9t\u00e9', data: 'nfd' })
      expect(await gateway.refused({ operations: [create('caf\u00e9:\u00e9t\u00e9')] })).toEqual(['ENTRY_EXISTS@0'])
      expect(await gateway.refused({ operations: [create('nf:\u00e9'), create('nf:e\u0301')] })).toEqual([
        'DUPLICATE_OPERATION@1',
      ])
      const { node } = await gateway.data('query ($id: ID!) { node(id: $id) { id } }', {
        id: 'cafe\u0301:e\u0301te\u0301',
      })
      expect(node).toEqual({ id: 'caf\u00e9:\u00e9t\u00e9' })
    })

    it('may contain emoji, inner white space, slashes and @ in its name, and any other character', async () => {
      for (const id of [
        'emoji😀:👩‍👩‍👧 x',
        'odd:a/b@c',
        'odd:tab\u3000wide',
        'odd:v7',
        'v7:x',
        'r7:x',
        'odd:\u{10ffff}',
        'ns:x',
        'group:y',
        '__proto__:constructor',
      ]) {
        await gateway.apply(create(id, id))
        expect((await entry(id)).data).toBe(id)
        expect((await gateway.data('query ($id: ID!) { node(id: $id) { __typename id } }', { id })).node).toEqual({
          __typename: 'Entry',
          id,
        })
      }
    })

    it('has a namespace of up to 255 bytes and a name of up to 512', async () => {
      const two = '\u00e9'
      const four = '😀'
      for (const [ns, name] of [
        ['n'.repeat(255), 'm'.repeat(512)],
        [two.repeat(127) + 'n', two.repeat(256)],
        [four.repeat(63) + 'nnn', four.repeat(128)],
      ] as const) {
        await gateway.apply(create({ ns, name }))
        expect(await entry(`${ns}:${name}`, 'ns name')).toEqual({ ns, name })
        expect(
          await gateway.refused({ operations: [create({ ns: `${ns}n`, name }), create({ ns, name: `${name}m` })] }),
        ).toEqual(['INVALID_ENTRY@0', 'INVALID_ENTRY@1'])
      }
      // Bytes are counted in NFC: 256 letters in NFD are 768 bytes as sent and 512 as stored.
      await gateway.apply(create({ ns: 'counted', name: 'e\u0301'.repeat(256) }))
    })

    const BROKEN: readonly [string, unknown][] = [
      ['without a colon', 'nocolon'],
      ['empty', ''],
      ['with an empty namespace', ':x'],
      ['with an empty name', 'x:'],
      ['with white space in the namespace', 'a b:x'],
      ['with a no-break space in the namespace', 'a\u00a0b:x'],
      ['with a wide space in the namespace', 'a\u3000:x'],
      ['with a slash in the namespace', 'a/b:x'],
      ['with an @ in the namespace', 'a@b:x'],
      ['with a control character in the namespace', 'a\u0001:x'],
      ['with a C1 control in the namespace', 'a\u0085:x'],
      ['with DEL in the name', 'a:x\u007f'],
      ['with a newline within the name', 'a:x\ny'],
      ['with U+0000 in the name', 'a:x\u0000y'],
      ['with a name that begins with white space', 'a: x'],
      ['with a name that ends with white space', 'a:x\u2003'],
      ['with a name that ends with a BOM', 'a:x\ufeff'],
      ['with a lone surrogate', 'a:\ud83d'],
      ['of parts, with a colon in the namespace', { ns: 'a:b', name: 'c' }],
      ['of parts, the namespace empty', { ns: '', name: 'c' }],
      ['of parts, the name empty', { ns: 'a', name: '' }],
      ['with white space alone', 'a: '],
    ]

    it.each(BROKEN)('%s is a problem of its operation', async (_, id) => {
      expect(await gateway.refused({ operations: [create(id)] })).toEqual(['INVALID_ENTRY@0'])
      expect(await gateway.refused({ operations: [create(fresh()), update(id), remove(id)] })).toEqual([
        'INVALID_ENTRY@1',
        'INVALID_ENTRY@2',
      ])
    })

    it.each(BROKEN)('%s cannot be read', async (_, id) => {
      expect(await gateway.code('query ($id: EntryID!) { entry(id: $id) { id } }', { id })).toBe('BAD_USER_INPUT')
      if (typeof id !== 'string') return
      expect(await gateway.code('query ($id: String!) { parseId(id: $id) { ns } }', { id })).toBe('BAD_USER_INPUT')
      expect((await gateway.data('query ($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull()
    })

    it.each([[1], [true], [['a:b']], [{ ns: 'a' }], [{ ns: 'a', name: 1 }], [{}], [null]])(
      'is a request error if it has another JSON type: %j',
      async (id) => {
        expect(await gateway.code('query ($id: EntryID!) { entry(id: $id) { id } }', { id })).toBe('BAD_USER_INPUT')
        const { errors, data } = await gateway.query(
          'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }',
          { input: { operations: [create(id)] } },
        )
        expect(errors[0]!.extensions['code']).toBe('BAD_USER_INPUT')
        expect(data).toBeNull()
      },
    )

    it('is ordered by code point, namespace first', async () => {
      const ids = [
        'ord:\ufffd',
        'ord:😀',
        'ord:Z',
        'ord:a',
        'ord:a:b',
        'ord:a b',
        'ord.a:x',
        'ord-a:x',
        'ord!:x',
        'ord~:x',
        'ordé:x',
        'or:zz',
        'ord0:x',
        'ord;:x',
      ]
      await gateway.apply(...ids.map((id) => create(id)))
      const points = (text: string) => [...text].map((each) => each.codePointAt(0)!)
      const compare = (a: number[], b: number[]): number => {
        for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!
        return a.length - b.length
      }
      const split = (id: string) => [id.slice(0, id.indexOf(':')), id.slice(id.indexOf(':') + 1)] as const
      const sorted = [...ids].sort(
        (a, b) =>
          compare(points(split(a)[0]), points(split(b)[0])) || compare(points(split(a)[1]), points(split(b)[1])),
      )
      const found = async (orderBy: string) =>
        (
          await gateway.data(
            `query ($find: JSONObject) { entries(find: $find, orderBy: ${orderBy}) { nodes { id } } }`,
            { find: { '^.ns': 'or' } },
          )
        ).entries.nodes
          .map(({ id }: any) => id)
          .filter((id: string) => ids.includes(id))
      expect(await found('ID_ASC')).toEqual(sorted)
      expect(await found('ID_DESC')).toEqual([...sorted].reverse())
      const { namespaces } = await gateway.data('{ namespaces { name entryCount } }')
      const names = namespaces.map(({ name }: any) => name as string)
      expect(names).toEqual([...names].sort((a, b) => compare(points(a), points(b))))
      expect(namespaces.find(({ name }: any) => name === 'ord').entryCount).toBe(6)
    })
  })

  describe('a kind', () => {
    it('consists of segments of letters, digits, _ and - joined by dots, up to 255 bytes', async () => {
      for (const kind of ['a', 'function.lua', 'A-b_9.0', '-', '_._', 'k'.repeat(255), '__proto__']) {
        const id = fresh()
        await gateway.apply(create(id, null, {}, kind))
        expect((await entry(id)).kind).toBe(kind)
      }
    })

    it.each(['', '.', 'a.', '.a', 'a..b', 'a b', 'é', 'a/b', 'a:b', 'a\n', 'k'.repeat(256), '*'])(
      'is refused as INVALID_ENTRY otherwise: %j',
      async (kind) => {
        expect(await gateway.refused({ operations: [create(fresh(), null, {}, kind)] })).toEqual(['INVALID_ENTRY@0'])
      },
    )

    it('can be changed by a delete with a create, and not by an update', async () => {
      const id = fresh()
      await gateway.apply(create(id, 1, {}, 'a'))
      expect(await gateway.refused({ operations: [update(id, 2, {}, 'b')] })).toEqual(['KIND_MISMATCH@0'])
      await gateway.apply(create(id, 2, {}, 'b'), remove(id))
      expect(await entry(id, 'kind data')).toEqual({ kind: 'b', data: 2 })
    })
  })

  describe('content', () => {
    it('defaults to {} for meta and null for data', async () => {
      for (const content of [{}, { meta: null, data: null }, { meta: {} }]) {
        const id = fresh()
        await gateway.apply({ create: { id, kind: 'k', ...content } })
        expect(await entry(id, 'meta data digest')).toEqual({ meta: {}, data: null, digest: digestOf('k', {}, null) })
      }
    })

    it.each([[[]], ['text'], [1], [true]])(
      'is a request error or INVALID_ENTRY if meta is not an object: %j',
      async (meta) => {
        const { errors } = await gateway.query(
          'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }',
          { input: { operations: [create(fresh(), 1, meta)] } },
        )
        expect(errors[0]?.extensions['code']).toBe('BAD_USER_INPUT')
      },
    )

    it('is replaced completely by an update', async () => {
      const id = fresh()
      await gateway.apply(create(id, { a: 1, b: 2 }, { c: 3 }))
      await gateway.apply(update(id, { a: 2 }, { d: 4 }))
      expect(await entry(id, 'meta data')).toEqual({ meta: { d: 4 }, data: { a: 2 } })
      await gateway.apply({ update: { id, kind: 'test.thing' } })
      expect(await entry(id, 'meta data')).toEqual({ meta: {}, data: null })
    })

    const deep = (levels: number, leaf = '1') =>
      '[{"k":'.repeat(Math.floor(levels / 2)) + (levels % 2 ? `[${leaf}]` : leaf) + '}]'.repeat(Math.floor(levels / 2))
    const ROUND_TRIPS: readonly [string, string][] = [
      [
        'keys in the order of JSON.parse',
        '{"z":1,"a":{"y":1,"b":2},"10":1,"9":2,"-1":3,"01":4,"1.5":5,"4294967294":6,"4294967295":7}',
      ],
      [
        'keys that objects have by themselves',
        '{"__proto__":{"x":1},"constructor":{"prototype":1},"hasOwnProperty":0,"toString":null,"valueOf":[],"then":"x","toJSON":"y","length":1,"":2}',
      ],
      ['__proto__ at every depth', '{"a":{"__proto__":{"__proto__":[]}},"b":[{"__proto__":1}]}'],
      [
        'unicode',
        '{"\u65e5\u672c":"\ud83d\ude00 e\u0301 \u00e9 \u2028\u2029 \ufeff \ufffe \uffff \u{10ffff} \u202e","\u{1f600}":"","e\u0301":1,"\u00e9":2}',
      ],
      ['control characters and escapes', '{"a":"\\u0001\\u001f\\b\\f\\n\\r\\t\\"\\\\/\u007f\u0080","\\n":"\\\\u0000"}'],
      [
        'doubles to the last bit',
        '[0.1,0.30000000000000004,1e-7,5e-324,2.2250738585072014e-308,1.7976931348623157e+308,9007199254740994,123456789012345680000,1e21,1e+300,4.35,-1.5,100,1e100,0.000001,3.141592653589793,4503599627370497.5]',
      ],
      ['nulls and empty values', '{"a":null,"b":"","c":[],"d":{},"e":[null,[],{}],"f":false}'],
      [
        'text that looks like something else',
        '["null","-0","1e5","NaN","2026-01-01T00:00:00Z","$ref","\\\\N","{}","\\\\x41","%s","?","\'; DROP TABLE head; --"]',
      ],
      ['with a nesting of 1,000', deep(1_000)],
      ['a string of 500,000 characters', JSON.stringify('äx'.repeat(250_000))],
      ['a list of 50,000', JSON.stringify(Array.from({ length: 50_000 }, (_, i) => i))],
      [
        '20,000 keys',
        JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i % 7}-${i}`, i]))),
      ],
      ['-0', '[-0,{"a":-0},0,"-0",-0.5,-0,[-0.0]]'],
    ]

    it.each(ROUND_TRIPS)('is returned exactly as it was sent: %s', async (_, text) => {
      const expected =
        text === ROUND_TRIPS.at(-1)![1] ? '[-0,{"a":-0},0,"-0",-0.5,-0,[-0]]' : JSON.stringify(JSON.parse(text))
      const id = fresh()
      const query =
        'mutation ($data: JSON, $meta: JSONObject, $id: EntryID!) { applyChangeset(input: {operations: [{create: {id: $id, kind: "k", meta: $meta, data: $data}}]}) { ... on Applied { delta { operations { entry { meta data } } } } ... on Refused { problems { code message } } } }'
      const metaText = text.length > 100_000 || text.startsWith('[{"k":[{"k"') ? '{}' : `{"m":${text}}`
      const expectedMeta = metaText === '{}' ? '{}' : `{"m":${expected}}`
      const { text: answer } = await gateway.send(
        `{"query":${JSON.stringify(query)},"variables":{"id":${JSON.stringify(id)},"data":${text},"meta":${metaText}}}`,
      )
      expect(answer).toBe(
        `{"data":{"applyChangeset":{"delta":{"operations":[{"entry":{"meta":${expectedMeta},"data":${expected}}}]}}}}`,
      )
      const read = await gateway.query(
        'query ($id: EntryID!) { entry(id: $id) { data meta digest } snapshot { entry(id: $id) { meta data } } }',
        { id },
      )
      const digest = digestOf('k', JSON.parse(metaText), JSON.parse(text))
      expect(read.text).toBe(
        `{"data":{"entry":{"data":${expected},"meta":${expectedMeta},"digest":"${digest}"},"snapshot":{"entry":{"meta":${expectedMeta},"data":${expected}}}}}`,
      )
    })

    it('is returned exactly as it was sent as a literal', async () => {
      const literal =
        '{z: 1, a: [0.1, 5e-324, -0.5, 1e21, -0, 123456789012345680000], __proto__: {constructor: true, then: "x", toJSON: null}, _1: """block "text" """, s: "\\u00e9 \\u{1F600} \\ud83d\\ude00 \\n", n: null, o: {}, l: []}'
      const { text } = await gateway.query(
        `mutation { applyChangeset(input: {operations: [{create: {id: "literal:x", kind: "k", meta: ${literal}, data: [${literal}]}}]}) { ... on Applied { changes { entry { meta data } } } } }`,
      )
      const expected =
        '{"z":1,"a":[0.1,5e-324,-0.5,1e+21,-0,123456789012345680000],"__proto__":{"constructor":true,"then":"x","toJSON":null},"_1":"block \\"text\\" ","s":"é 😀 😀 \\n","n":null,"o":{},"l":[]}'
      expect(text).toBe(`{"data":{"applyChangeset":{"changes":[{"entry":{"meta":${expected},"data":[${expected}]}}]}}}`)
    })

    it('is returned exactly as it was sent over a WebSocket and as a server-sent event', async () => {
      const id = fresh()
      const socket = await new SocketClient(gateway.endpoint).init()
      const raw: string[] = []
      socket.socket.on('message', (data: Buffer) => raw.push(data.toString()))
      socket.subscribe('1', 'subscription ($id: EntryID!) { entry(id: $id) { data meta(path: "a.0") } }', { id })
      await socket.next(() => true, 50_000)
      const data = '[-0,{"10":1,"9":-0,"b":"-0"},5e-324]'
      await gateway.send(
        `{"query":"mutation ($id: EntryID!, $data: JSON) { applyChangeset(input: {operations: [{create: {id: $id, kind: \\"k\\", meta: {a: [-0.0]}, data: $data}}]}) { __typename } }","variables":{"id":"${id}","data":${data}}}`,
      )
      await socket.next(() => true, 50_000)
      const expected = JSON.stringify(JSON.parse(data.replaceAll('-0,', '0,')))
        .replace('[0,', '[-0,')
        .replace('"9":0', '"9":-0')
      socket.close()
      const read = `{"data":{"entry":{"data":${expected},"meta":-0}}}`
      expect(raw.at(-1)).toBe(`{"id":"1","type":"next","payload":${read}}`)
      const events = await fetch(gateway.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({
          query: 'query ($id: EntryID!) { entry(id: $id) { data meta(path: "a.0") } }',
          variables: { id },
        }),
      })
      expect(await events.text()).toContain(`data: ${read}\n`)
    })

    it.each([
      ['U+0000 in a text', '"a\\u0000b"'],
      ['U+0000 in a key', '{"a\\u0000":1}'],
      ['a lone surrogate', '"\\ud83d"'],
      ['a lone surrogate in a key', '{"\\ude00":1}'],
      ['a number beyond doubles', '1e400'],
      ['a number below doubles', '[-1e-400]'],
      ['a whole number between two doubles', '9007199254740993'],
      ['a whole number between two doubles, with a point', '{"a":12345678901234567890.0}'],
      ['a nesting of 1,001', deep(1_001)],
    ])('that cannot be stored is INVALID_ENTRY: %s', async (_, text) => {
      for (const [place, variables] of [
        ['data', `"meta":{},"data":${text}`],
        ['meta', `"meta":{"m":${text.startsWith('[{"k"') ? deep(1_000) : text}},"data":1`],
      ]) {
        const query =
          'mutation ($data: JSON, $meta: JSONObject) { applyChangeset(input: {operations: [{create: {id: "not:stored", kind: "k", meta: $meta, data: $data}}]}) { __typename ... on Refused { problems { code operation message entryId } } } }'
        const { data } = await gateway.send(`{"query":${JSON.stringify(query)},"variables":{${variables}}}`)
        expect(data.applyChangeset.problems).toMatchObject([
          { code: 'INVALID_ENTRY', operation: 0, entryId: 'not:stored' },
        ])
        expect(data.applyChangeset.problems[0].message).toContain(place)
      }
      expect(await entry('not:stored')).toBeNull()
    })

    it('has its keys in the order that JSON.parse gives', async () => {
      const id = fresh()
      const sent = '{"b":1,"2":"y","4294967295":0,"10":0,"a":2,"01":0,"-1":0,"b":3,"4294967294":0}'
      await gateway.send(
        `{"query":"mutation ($id: EntryID!, $data: JSON) { applyChangeset(input: {operations: [{create: {id: $id, kind: \\"k\\", data: $data}}]}) { __typename } }","variables":{"id":"${id}","data":${sent}}}`,
      )
      const { text } = await gateway.query('query ($id: EntryID!) { entry(id: $id) { data } }', { id })
      expect(text).toContain('{"2":"y","10":0,"4294967294":0,"b":3,"4294967295":0,"a":2,"01":0,"-1":0}')
    })

    it('can be read in part by a dotted path', async () => {
      const id = fresh()
      await gateway.apply(
        create(id, { a: [{ b: 1 }, null], 'x.y': 2, n: null, z: -5 }, { a: { b: { c: 'deep' } }, constructor: 1 }),
      )
      const found = await entry(
        id,
        'one: data(path: "a.0.b") two: data(path: "x.y") three: data(path: "n.x") four: data(path: "a.1") five: data(path: "a.7") six: meta(path: "a.b") seven: meta(path: "toString") eight: meta(path: "constructor") nine: data(path: "a.length")',
      )
      expect(found).toEqual({
        one: 1,
        two: 2,
        three: null,
        four: null,
        five: null,
        six: { c: 'deep' },
        seven: null,
        eight: 1,
        nine: null,
      })
    })

    it('may have 1 MiB for each entry, and not one byte more', async () => {
      const bytes = 1024 * 1024
      // `{}` and two quotes.
      await gateway.apply(create(fresh(), 'x'.repeat(bytes - 4)))
      expect(await gateway.refused({ operations: [create(fresh(), 'x'.repeat(bytes - 3))] })).toEqual(['TOO_LARGE@0'])
      expect(
        await gateway.refused({ operations: [create(fresh()), create(fresh(), 'é'.repeat(bytes / 2)), create('bad')] }),
      ).toEqual(['TOO_LARGE@1', 'INVALID_ENTRY@2'])
    })
  })

  describe('a digest', () => {
    it('is the SHA-256 of the RFC 8785 form, equal if and only if the contents are equal by value', async () => {
      const contents: [string, string, string][] = [
        ['k', '{"a":1,"b":[1,2]}', '{"x":1.0,"y":"z"}'],
        ['k', '{"b":[1.0,2e0],"a":1}', '{"y":"z","x":1}'],
        ['k', '{"a":1,"b":[2,1]}', '{"x":1,"y":"z"}'],
        ['k2', '{"a":1,"b":[1,2]}', '{"x":1,"y":"z"}'],
        ['k', '{"a":"1","b":[1,2]}', '{"x":1,"y":"z"}'],
        ['k', '{"a":1,"b":[1,2]}', 'null'],
        [
          'k',
          '{"\u20ac":1,"\\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}',
          '[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]',
        ],
        ['k', '{}', '[-0]'],
        ['k', '{}', '[0]'],
      ]
      const digests: string[] = []
      for (const [kind, meta, data] of contents) {
        const id = fresh()
        await gateway.apply(create(id, JSON.parse(data), JSON.parse(meta), kind))
        const { digest } = await entry(id)
        expect(digest).toBe(digestOf(kind, JSON.parse(meta), JSON.parse(data)))
        digests.push(digest)
      }
      expect(digests[1]).toBe(digests[0])
      expect(digests[8]).toBe(digests[7])
      expect(new Set(digests).size).toBe(contents.length - 2)
    })
  })

  it('returns the keys of an answer in the order of the query', async () => {
    await gateway.apply(create('ordered:x', 1))
    const { text } = await gateway.query(
      '{ b: namespaces { entryCount } entry(id: "ordered:x") { version { number } digest history(first: 1) { totalCount } kind ... on Node { id } data z: meta dependents { path } a: ns } a: parseId(id: "x:y") { name ns } }',
    )
    expect(Object.keys(JSON.parse(text).data)).toEqual(['b', 'entry', 'a'])
    expect(Object.keys(JSON.parse(text).data.entry)).toEqual([
      'version',
      'digest',
      'history',
      'kind',
      'id',
      'data',
      'z',
      'dependents',
      'a',
    ])
    expect(Object.keys(JSON.parse(text).data.a)).toEqual(['name', 'ns'])
  })
})
