import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ScannedLocation, SourceReader } from '../../../src/sources/contract/source-reader.js'
import type { HttpLimits } from '../../../src/sources/http/http-limits.js'
import type { HttpSourceOptions } from '../../../src/sources/http/http-options.js'
import { openHttpSource } from '../../../src/sources/http/http-source.js'
import { ParsingThread } from '../../../src/sources/parsing/parsing-thread.js'
import { growth } from '../../server/server-fixture.js'
import { type Answer, entry, json, startHttpServer, type TestServer, tagged, text } from './http-server.js'

let server: TestServer
let readers: SourceReader[]
/** As in a gateway, all sources share a thread. Starting one takes longer than most tests. */
const thread = new ParsingThread()

beforeEach(async () => {
  server = await startHttpServer()
  readers = []
})

afterEach(async () => {
  for (const reader of readers) await reader.close()
  await server.close()
})

afterAll(() => thread.close())

const QUICK: Partial<HttpLimits> = { firstRetryMs: 5, longestRetryMs: 20 }

function open(options: Partial<HttpSourceOptions> = {}, limits: Partial<HttpLimits> = {}): SourceReader {
  const reader = openHttpSource({ url: `${server.origin}/list`, ...options }, { ...QUICK, ...limits }, thread)
  readers.push(reader)
  return reader
}

async function scan(
  reader: SourceReader,
  known: ReadonlyMap<string, string> = new Map(),
  signal = new AbortController().signal,
): Promise<ScannedLocation[]> {
  const all: ScannedLocation[] = []
  for await (const scanned of reader.scan((location) => known.get(location), signal)) all.push(scanned)
  return all
}

type Read = Extract<ScannedLocation, { unchanged: false }>
const read = (scanned: ScannedLocation | undefined): Read => {
  if (scanned === undefined || scanned.unchanged) throw new Error('was not read')
  return scanned
}
const stampsOf = (all: readonly ScannedLocation[]) => new Map(all.map((each) => [each.location, read(each).stamp]))
const idsOf = (all: readonly ScannedLocation[]) =>
  all.map((each) => (each.unchanged ? 'unchanged' : each.entries.map(({ id }) => id).join(' ')))
const messagesOf = (scanned: ScannedLocation | undefined) =>
  read(scanned).failures.map(({ entryId, message }) => `${entryId} ${message}`)
const next = (path: string) => ({ link: `<${path}>; rel="next"` })

describe('an HTTP source', () => {
  it('yields the entries of a page unchanged', async () => {
    server.answer(
      '/list',
      json(
        [
          { id: 'a:1', kind: 'test.thing', meta: { t: 1 }, data: { n: -0.5 } },
          { id: { ns: 'a', name: '2' }, kind: 'test.other' },
        ],
        { 'last-modified': 'Fri, 20 Nov 2026 10:00:00 GMT' },
      ),
    )
    const all = await scan(open())
    expect(all).toHaveLength(1)
    const { location, entries, failures, modifiedAt } = read(all[0])
    expect([location, failures, modifiedAt]).toEqual([`${server.origin}/list`, [], new Date('2026-11-20T10:00:00Z')])
    expect(
      entries.map(({ id, content, line }) => [id, content.kind, content.metaText, content.dataText, line]),
    ).toEqual([
      ['a:1', 'test.thing', '{"t":1}', '{"n":-0.5}', null],
      ['a:2', 'test.other', '{}', 'null', null],
    ])
    expect(server.requests[0]!.headers).toMatchObject({
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate, br',
    })
  })

  it('follows links: relative ones, with several relations, in several headers', async () => {
    server.answer(
      '/list',
      json([entry('a:1')], {
        link: ['<http://example.com/x>; rel="prev"', '<?page=2>; title="a, b; c"; rel="last next"'],
      }),
    )
    server.answer('/list?page=2', json([entry('a:2')], { link: `<${server.origin}/third#part>; rel=NEXT` }))
    server.answer(
      '/third',
      json([entry('a:3')], { link: '<http://example.com/x>; rel="first", </other>; rel=next; anchor="/elsewhere"' }),
    )
    const all = await scan(open())
    expect(all.map(({ location }) => location)).toEqual(
      ['/list', '/list?page=2', '/third'].map((path) => `${server.origin}${path}`),
    )
    expect(idsOf(all)).toEqual(['a:1', 'a:2', 'a:3'])
  })

  it('is read page by page, each requested after the previous one is consumed', async () => {
    server.answer('/list', json([entry('a:1')], next('/2')))
    server.answer('/2', json([entry('a:2')]))
    const pages = open()
      .scan(() => undefined, new AbortController().signal)
      [Symbol.asyncIterator]()
    await pages.next()
    await sleep(30)
    expect(server.requests).toHaveLength(1)
    await pages.return!()
    await sleep(30)
    expect(server.requests).toHaveLength(1)
  })

  it('refuses pages in a cycle, and too many pages', async () => {
    server.answer('/list', json([entry('a:1')], next('/2')))
    server.answer('/2', json([entry('a:2')], next('/list')))
    await expect(scan(open())).rejects.toThrow(`${server.origin}/list: the pages form a cycle`)
    await expect(scan(open({}, { pages: 1 }))).rejects.toThrow('more than 1 pages')
  })

  it('refuses links to another origin, and links that do not parse', async () => {
    const other = await startHttpServer()
    other.answer('/2', json([entry('a:2')]))
    server.answer('/list', json([entry('a:1')], next(`${other.origin}/2`)))
    await expect(scan(open({ auth: { bearer: 'hunter2' } }))).rejects.toThrow(
      `its next page is on another origin, ${other.origin}`,
    )
    server.answer('/list', json([entry('a:1')], { link: 'next page here' }))
    await expect(scan(open())).rejects.toThrow('Link header does not parse')
    server.answer('/list', json([entry('a:1')], next('file:///etc/passwd')))
    await expect(scan(open())).rejects.toThrow('another origin')
    expect(other.requests).toHaveLength(0)
    await other.close()
  })

  it('follows a bounded number of redirects within its origin, and none to another', async () => {
    const other = await startHttpServer()
    const to = (location: string, status = 302): Answer => text('', { location }, status)
    server.answer('/list', to('/v2/list', 308))
    server.answer('/v2/list', json([entry('a:1')], next('more')))
    server.answer('/v2/more', json([entry('a:2')]))
    const all = await scan(open({ auth: { bearer: 'hunter2' } }))
    expect(all.map(({ location }) => location)).toEqual([`${server.origin}/list`, `${server.origin}/v2/more`])
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer hunter2'))
    server.answer('/list', to(`${other.origin}/list`))
    await expect(scan(open({ auth: { bearer: 'hunter2' } }))).rejects.toThrow(
      `${server.origin}/list: it redirects to another origin, ${other.origin}`,
    )
    server.answer('/list', to('/list'))
    await expect(scan(open({}, { redirects: 3 }))).rejects.toThrow('redirects more than 3 times')
    expect(other.requests).toHaveLength(0)
    await other.close()
  })

  it.each<[string, HttpSourceOptions['auth'], Record<string, string>]>([
    ['a bearer token', { bearer: 'hunter2.token' }, { authorization: 'Bearer hunter2.token' }],
    [
      'a user and password',
      { basic: { user: 'zoë', password: 'hunter2:x' } },
      { authorization: `Basic ${Buffer.from('zoë:hunter2:x').toString('base64')}` },
    ],
    ['a header of its own', { header: { name: 'X-API-Key', value: 'hunter2' } }, { 'x-api-key': 'hunter2' }],
  ])('sends credentials by %s with every page, and never shows them', async (_, auth, expected) => {
    server.answer('/list', json([entry('a:1')], next('/2')))
    server.answer('/2', json([entry('a:2'), { id: 'broken' }], next('/3')), json([entry('a:2')], next('/3')))
    server.answer('/3', text('', {}, 403))
    const reported: unknown[] = []
    const signal = new AbortController().signal
    const error = (await (async () => {
      for await (const each of open({ auth }).scan(() => undefined, signal)) reported.push(each)
    })().catch((thrown: Error) => thrown)) as Error
    expect(error.message).toBe(`${server.origin}/3: it answered 403: check auth`)
    for (const { headers } of server.requests) expect(headers).toMatchObject(expected)
    expect(server.requests).toHaveLength(3)
    expect(JSON.stringify(reported) + error.message + error.stack + String(error.cause)).not.toContain('hunter2')
  })

  it('names pages without the secrets in their URLs', async () => {
    const secret = 's3cr3t'
    server.answer(`/list?api_key=${secret}&q=1`, json([entry('a:1')], next(`/list?api_key=${secret}&page=2`)))
    server.answer(`/list?api_key=${secret}&page=2`, json([entry('a:2')], next(`/list?api_key=${secret}other&page=2`)))
    server.answer(`/list?api_key=${secret}other&page=2`, text('', {}, 404))
    const locations: string[] = []
    await expect(
      (async () => {
        for await (const { location } of open({ url: `${server.origin}/list?api_key=${secret}&q=1` }).scan(
          () => undefined,
          new AbortController().signal,
        ))
          locations.push(location)
      })(),
    ).rejects.toThrow(/^(?!.*s3cr3t).*it answered 404/)
    expect(locations).toEqual([`${server.origin}/list?api_key=***&q=1`, `${server.origin}/list?api_key=***&page=2`])
  })
})

describe('a page with a content coding', () => {
  const body = JSON.stringify([entry('a:1', 'x'.repeat(10_000))])

  it.each<[string, Buffer]>([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['br', brotliCompressSync(body)],
    ['deflate', deflateSync(body)],
    ['Deflate', deflateRawSync(body)],
    ['identity', Buffer.from(body)],
    ['gzip, br', brotliCompressSync(gzipSync(body))],
  ])('as %s is decoded', async (coding, packed) => {
    server.answer('/list', text(packed, { 'content-type': 'application/json', 'content-encoding': coding }))
    expect(idsOf(await scan(open()))).toEqual(['a:1'])
  })

  it('is refused while it is decoded if it becomes too large', async () => {
    const zeros = Buffer.alloc(200 * 1024 * 1024)
    const bombs: [string, Buffer][] = [
      ['gzip', gzipSync(zeros)],
      ['gzip, gzip', gzipSync(gzipSync(zeros))],
      ['deflate', deflateRawSync(zeros)],
    ]
    for (const [coding, packed] of bombs) {
      server.answer('/list', text(packed, { 'content-type': 'application/json', 'content-encoding': coding }))
      const grown = await growth(async () => {
        await expect(scan(open({}, { bodyBytes: 1024 * 1024 }))).rejects.toThrow('has more than 1048576 bytes')
      })
      expect(grown).toBeLessThan(50 * 1024 * 1024)
    }
    expect(server.requests).toHaveLength(bombs.length)
  })

  it('is an error without a retry if the coding is unknown or the data is broken', async () => {
    server.answer('/list', text(body, { 'content-type': 'application/json', 'content-encoding': 'zstd' }))
    await expect(scan(open())).rejects.toThrow('unknown content coding "zstd"')
    server.answer('/list', text(body, { 'content-type': 'application/json', 'content-encoding': 'gzip' }))
    await expect(scan(open())).rejects.toThrow('cannot be decoded')
    server.answer('/list', text(body, { 'content-type': 'application/json', 'content-encoding': 'gzip, gzip, gzip' }))
    await expect(scan(open())).rejects.toThrow('3 content codings')
    expect(server.requests).toHaveLength(3)
  })
})

describe('an unchanged page', () => {
  it('is recognised by its ETag, and its successor is still followed', async () => {
    server.answer('/list', tagged('"one"', [entry('a:1')], next('/2')))
    server.answer('/2', tagged('W/"two"', [entry('a:2')], next('/3')))
    server.answer('/3', json([entry('a:3')]))
    const reader = open()
    const known = stampsOf(await scan(reader))
    server.answer('/3', json([entry('a:3', 'new')]))
    expect(idsOf(await scan(reader, known))).toEqual(['unchanged', 'unchanged', 'a:3'])
    expect(server.requests.slice(3).map(({ headers }) => headers['if-none-match'])).toEqual([
      '"one"',
      'W/"two"',
      undefined,
    ])
    // Another gateway reads the source now. It has only the stamps.
    expect(idsOf(await scan(open(), known))).toEqual(['unchanged', 'unchanged', 'a:3'])
  })

  it('is recognised by its content if the server sends no ETag', async () => {
    server.answer('/list', json([entry('a:1')], next('/2')))
    server.answer('/2', json([entry('a:2')]))
    const reader = open()
    const known = stampsOf(await scan(reader))
    expect(idsOf(await scan(reader, known))).toEqual(['unchanged', 'unchanged'])
    server.answer('/2', json([entry('a:2')], next('/3')))
    server.answer('/3', json([entry('a:3')]))
    expect(idsOf(await scan(reader, known))).toEqual(['unchanged', 'a:2', 'a:3'])
  })

  it('may have a new successor', async () => {
    server.answer('/list', tagged('"one"', [entry('a:1')], {}, next('/2')))
    server.answer('/2', json([entry('a:2')]))
    const reader = open()
    const known = stampsOf(await scan(reader))
    expect(known.size).toBe(1)
    expect(idsOf(await scan(reader, known))).toEqual(['unchanged', 'a:2'])
  })

  it('is requested again if its successor is gone', async () => {
    server.answer('/list', tagged('"one"', [entry('a:1')], next('/2')))
    server.answer('/2', json([entry('a:2')]))
    const reader = open()
    const known = stampsOf(await scan(reader))
    server.answer('/list', tagged('"one"', [entry('a:1')]))
    server.answer('/2', text('', {}, 404))
    expect(idsOf(await scan(reader, known))).toEqual(['unchanged'])
    server.answer('/list', tagged('"one"', [entry('a:1')], next('/2')))
    await expect(scan(reader, known)).rejects.toThrow(`${server.origin}/2: it answered 404`)
  })

  it('is read again with another form or schema, and with a foreign stamp', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cadastre-http-'))
    const schema = join(folder, 'thing.json')
    writeFileSync(schema, '{}')
    server.answer('/list', tagged('"one"', [entry('a:1', 5)]))
    const reader = open({ schemas: { 'test.*': schema } })
    const known = stampsOf(await scan(reader))
    expect(idsOf(await scan(reader, known))).toEqual(['unchanged'])
    expect(idsOf(await scan(open(), known))).toEqual(['a:1'])
    expect(idsOf(await scan(reader, new Map([[`${server.origin}/list`, 'mtime=5']])))).toEqual(['a:1'])
    writeFileSync(schema, JSON.stringify({ properties: { data: { type: 'string' } } }))
    const changed = await scan(reader, known)
    expect(idsOf(changed)).toEqual([''])
    expect(messagesOf(changed[0])).toEqual(['a:1 at /0: /data must be string'])
    rmSync(folder, { recursive: true })
  })
})

describe('a faulty page', () => {
  it('reports faults with JSON pointers, and yields the other entries', async () => {
    server.answer(
      '/list',
      json([
        entry('a:1'),
        'text',
        { id: 'a:2' },
        { id: 'nocolon', kind: 'k' },
        { id: 'a:3', kind: 'not a kind' },
        { id: 'a:4', kind: 'k', meta: [] },
        { id: 'a:5', kind: 'k', colour: 'red' },
        entry('a:1', 'again'),
        { id: 'a:6', kind: 'k', data: '\u0000' },
        null,
        entry('a:7'),
      ]),
    )
    const all = await scan(open())
    expect(idsOf(all)).toEqual(['a:1 a:7'])
    const messages = messagesOf(all[0])
    expect(messages.map((message) => message.replace(/: .*/, ''))).toEqual([
      'null at /1',
      'null at /2',
      'nocolon at /3',
      'a:3 at /4',
      'a:4 at /5',
      'null at /6',
      'a:1 at /7',
      'a:6 at /8',
      'null at /9',
    ])
    expect(messages[3]).toMatch(/^a:3 at \/4: /)
    expect(messages[6]).toBe('a:1 at /7: is already defined at /0, which counts')
    expect(read(all[0]).failures.every(({ file }) => file === `${server.origin}/list`)).toBe(true)
  })

  it('is checked as strictly as files', async () => {
    server.answer(
      '/list',
      text('[{"id":"a:1","kind":"k","data":{"__proto__":{"x":1}}}]', { 'content-type': 'application/json' }),
      json([]),
    )
    expect(read((await scan(open()))[0]).entries[0]!.content.dataText).toBe('{"__proto__":{"x":1}}')
    for (const [body, why] of [
      ['[{"id":"a:1","kind":"k","kind":"k"}]', '0: duplicate key "kind"'],
      ['[{"id":"a:1","kind":"k","data":{"list":[1,{"n":1,"n":2}]}}]', '0.data.list.1: duplicate key "n"'],
      [
        '[{"id":"a:0","kind":"k"},{"id":"a:1","kind":"k","data":{"ids":[1,9007199254740993]}}]',
        '1.data.ids.1: 9007199254740993 would be rounded to 9007199254740992',
      ],
      ['[{"id":"a:1","kind":"k","data":{"n":1e-400}}]', '0.data.n: 1e-400 is too small'],
      ['[{"id":"a:1","kind":"k","data":tru}]', 'is not JSON: expected a value'],
      ['[{"id":"a:1","kind":"k","data":12345678901234567890123}]', 'would be rounded'],
      [`[{"id":"a:1","kind":"k","data":${'['.repeat(40_000)}${']'.repeat(40_000)}}]`, 'nested deeper than'],
    ] as const) {
      server.answer('/list', text(body, { 'content-type': 'application/json', ...next('/2') }))
      server.answer('/2', json([entry('a:2')]))
      const all = await scan(open())
      expect(idsOf(all)).toEqual(['', 'a:2'])
      expect(messagesOf(all[0])[0]).toContain(why)
      expect(read(all[0]).failures[0]!.line).toBe(1)
    }
  })

  it.each<[string, Answer, string]>([
    [
      'another type of content',
      text('<html>', { 'content-type': 'text/html' }),
      'the content is "text/html", not application/json',
    ],
    ['no JSON', text('[{"id":'), 'is not JSON'],
    ['nothing', text(''), 'is not JSON'],
    ['what is not UTF-8', text(Buffer.from('["\xff"]', 'latin1')), 'is not UTF-8 text'],
    ['no list', json({ entries: [] }), 'is an object, but a page must be a JSON array of entries'],
  ])(
    'as a whole (%s) is a failure of the page if its successor is known, or else of the source',
    async (_, answer, why) => {
      server.answer('/list', answer)
      await expect(scan(open())).rejects.toThrow(why)

      server.answer('/list', json([entry('a:1')], next('/2')))
      server.answer('/2', json([entry('a:2')]))
      const reader = open()
      const known = stampsOf(await scan(reader))
      server.answer('/list', answer)
      const all = await scan(reader, known)
      expect(idsOf(all)).toEqual(['', 'unchanged'])
      expect(messagesOf(all[0])[0]).toContain(why)
      // The last page, at a gateway that has only the stamps.
      server.answer('/list', json([entry('a:1')], next('/2')))
      server.answer('/2', answer)
      expect(idsOf(await scan(open(), known))).toEqual(['unchanged', ''])
      await expect(scan(open())).rejects.toThrow(why)
    },
  )

  it('may have another JSON media type, or a byte order mark', async () => {
    server.answer(
      '/list',
      text(`\ufeff${JSON.stringify([entry('a:1')])}`, {
        'content-type': 'application/vnd.registry+json; charset=utf-8',
      }),
    )
    expect(idsOf(await scan(open()))).toEqual(['a:1'])
    server.answer('/list', text(JSON.stringify([entry('a:1')]), {}))
    expect(idsOf(await scan(open()))).toEqual(['a:1'])
  })
})

describe('foreign pages', () => {
  it('are read by a mapping, element by element, each with its pointer', async () => {
    server.answer('/list', json([{ slug: 'one', n: 1 }, { other: true }, { slug: 'two', n: 'x' }, ['list']]))
    const all = await scan(
      open({ form: { id: '"shop:" & slug[$exists($)]', kind: '"shop.item"', data: '$number(n)' } }),
    )
    expect(idsOf(all)[0]).toContain('shop:one')
    expect(messagesOf(all[0]).some((message) => message.includes('at /2: the mapping'))).toBe(true)
  })

  it('are read by a mapping over the whole page, which then need not be a list', async () => {
    server.answer('/list', json({ items: [{ slug: 'one' }, { slug: 'two' }] }))
    expect(idsOf(await scan(open({ form: { each: 'items', id: '"shop:" & slug', kind: '"shop.item"' } })))).toEqual([
      'shop:one shop:two',
    ])
  })

  it('in the wippy form are wippy documents', async () => {
    server.answer(
      '/list',
      json([
        { namespace: 'app', entries: [{ name: 'a', kind: 'k', x: 1 }] },
        { other: 1 },
        { namespace: 'app', name: 'b', kind: 'k' },
      ]),
    )
    expect(idsOf(await scan(open({ form: 'wippy' })))).toEqual(['app:a app:b'])
  })
})

describe('a server in trouble', () => {
  it('gets no request before its Retry-After, in seconds or as a date', async () => {
    const order: string[] = []
    const busy =
      (header: string, ms: number): Answer =>
      (_, response) => {
        order.push('refused')
        setTimeout(() => order.push('almost allowed'), ms - 20)
        response.writeHead(429, { 'retry-after': header }).end()
      }
    const good: Answer = (request, response) => {
      order.push('answered')
      json([entry('a:1')])(request, response)
    }
    server.answer('/list', busy('1', 1_000), good)
    expect(idsOf(await scan(open()))).toEqual(['a:1'])
    expect(order.splice(0)).toEqual(['refused', 'almost allowed', 'answered'])

    const date = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000)
    server.answer('/list', busy(date.toUTCString(), date.getTime() - Date.now()), good)
    expect(idsOf(await scan(open()))).toEqual(['a:1'])
    expect(order).toEqual(['refused', 'almost allowed', 'answered'])
  })

  it('gets no request during a long Retry-After, and scans fail until then', async () => {
    server.answer('/list', text('', { 'retry-after': '3600' }, 503), json([entry('a:1')]))
    const reader = open({}, { longestQuietMs: 3_000 })
    await expect(scan(reader)).rejects.toThrow(`${server.origin}/list: it answered 503`)
    await expect(scan(reader)).rejects.toThrow(/forbids requests for \d s more/)
    expect(server.requests).toHaveLength(1)
    const idsOnceAllowed = () => scan(reader).then(idsOf, () => undefined)
    await expect.poll(idsOnceAllowed, { timeout: 60_000, interval: 100 }).toEqual(['a:1'])
    expect(server.requests).toHaveLength(2)
  })

  it.each([[500], [502], [503], [504], [429], [408]])('that answers %i is retried', async (status) => {
    server.answer('/list', text('', {}, status), text('', {}, status), json([entry('a:1')]))
    expect(idsOf(await scan(open()))).toEqual(['a:1'])
    expect(server.requests).toHaveLength(3)
  })

  it.each([[400], [401], [403], [404], [410], [501], [204], [206], [300]])(
    'that answers %i is not retried',
    async (status) => {
      server.answer('/list', text('', {}, status))
      await expect(scan(open())).rejects.toThrow(`${server.origin}/list: it answered ${status}`)
      expect(server.requests).toHaveLength(1)
    },
  )

  it('is given up after a bounded number of retries', async () => {
    server.answer('/list', text('', {}, 503))
    await expect(scan(open({}, { retries: 2 }))).rejects.toThrow('it answered 503')
    expect(server.requests).toHaveLength(3)
  })

  const drop: Answer = (request) => void request.socket.destroy()
  const half: Answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
    response.write('[{"id":"a:1"', () => response.destroy())
  }
  const halfPacked: Answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    response.write(gzipSync(JSON.stringify([entry('a:1')])).subarray(0, 20), () => response.destroy())
  }
  it.each([
    ['at once', drop],
    ['within the body', half],
    ['within a packed body', halfPacked],
  ])('that drops the connection %s is retried', async (_, broken) => {
    server.answer('/list', broken, broken, json([entry('a:1')]))
    expect(idsOf(await scan(open()))).toEqual(['a:1'])
    server.answer('/list', json([entry('a:1')], next('/2')))
    server.answer('/2', broken)
    await expect(scan(open({}, { retries: 1 }))).rejects.toThrow(`${server.origin}/2: the connection was dropped`)
  })

  it('that cannot be reached is an error without credentials', async () => {
    await server.close()
    const reader = open({ auth: { basic: { user: 'u', password: 'hunter2' } } }, { retries: 1 })
    const error = (await scan(reader).catch((thrown: unknown) => thrown)) as Error
    expect(error.message).toMatch(/ECONNREFUSED/)
    expect(JSON.stringify([error.message, error.stack, Object.entries(error)])).not.toContain('hunter2')
    server = await startHttpServer()
  })

  it('with a failing page fails the scan, because the pages after it are unknown', async () => {
    server.answer('/list', json([entry('a:1')], next('/2')))
    server.answer('/2', json([entry('a:2')], next('/3')))
    server.answer('/3', json([entry('a:3')]))
    const reader = open({}, { retries: 0 })
    const known = stampsOf(await scan(reader))
    server.answer('/2', text('', {}, 500))
    await expect(scan(reader, known)).rejects.toThrow(`${server.origin}/2: it answered 500`)
  })
})

describe('a slow server', () => {
  const limits = { headersMs: 80, idleMs: 80, bodyMs: 300, retries: 0 }
  const hold: ServerResponse[] = []
  const trickle =
    (ms: number): Answer =>
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('[')
      const timer = setInterval(() => response.write(' '), ms)
      response.on('close', () => clearInterval(timer))
    }

  it.each<[string, Answer, string]>([
    ['says nothing', (_, response) => void hold.push(response), 'the response headers took longer than 0.08 s'],
    [
      'stops within its answer',
      (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('['),
      'the next chunk of the response took longer than 0.08 s',
    ],
    ['sends byte by byte', trickle(10), 'the response body took longer than 0.3 s'],
  ])('that %s is given up', async (_, answer, why) => {
    server.answer('/list', answer)
    await expect(scan(open({}, limits))).rejects.toThrow(`${server.origin}/list: ${why}`)
  })

  it('is retried', async () => {
    server.answer('/list', (_, response) => void hold.push(response), json([entry('a:1')]))
    expect(idsOf(await scan(open({}, { ...limits, retries: 1 })))).toEqual(['a:1'])
  })

  it('is not awaited after the scan is aborted', async () => {
    server.answer('/list', trickle(10))
    const ending = new AbortController()
    const scanning = scan(open(), new Map(), ending.signal)
    setTimeout(() => ending.abort(new Error('enough')), 50)
    await expect(scanning).rejects.toThrow('enough')
    const reader = open()
    const another = scan(reader)
    setTimeout(() => void reader.close(), 50)
    await expect(another).rejects.toThrow('closed')
  })
})

describe('a body of 100 MiB', () => {
  const piece = Buffer.alloc(64 * 1024, ' ')
  const endless = (most: number, headers: Record<string, string> = {}): Answer & { sent: number } => {
    const answer = ((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers })
      response.on('error', () => {})
      const send = () => {
        while (answer.sent < most && !response.destroyed) {
          answer.sent += piece.length
          if (!response.write(piece)) return void response.once('drain', send)
        }
        response.end()
      }
      send()
    }) as Answer & { sent: number }
    answer.sent = 0
    return answer
  }
  const HUNDRED = 100 * 1024 * 1024

  it('is refused while it arrives, without a retry', async () => {
    const answer = endless(HUNDRED)
    server.answer('/list', answer)
    const grown = await growth(async () => {
      await expect(scan(open())).rejects.toThrow('the response has more than 33554432 bytes. Split it into pages')
    })
    expect(answer.sent).toBeLessThan(HUNDRED / 2)
    expect(grown).toBeLessThan(20 * 1024 * 1024)
    expect(server.requests).toHaveLength(1)
  })

  it('is refused at once if its length is declared', async () => {
    const answer = endless(HUNDRED, { 'content-length': String(HUNDRED) })
    server.answer('/list', answer)
    await expect(scan(open())).rejects.toThrow('has more than 33554432 bytes')
    expect(answer.sent).toBeLessThan(10 * 1024 * 1024)
  })
})

describe('watching an HTTP source', () => {
  it('polls until it is aborted, but not during a Retry-After', async () => {
    const ending = new AbortController()
    let polls = 0
    const reader = open({ pollSeconds: 0.02 })
    const watching = reader.watch!(() => void polls++, ending.signal)
    await expect.poll(() => polls, { timeout: 60_000 }).toBeGreaterThan(2)
    ending.abort()
    await watching
    const before = polls
    await sleep(100)
    expect(polls).toBe(before)

    server.answer('/list', text('', { 'retry-after': '3600' }, 503))
    const quiet = open({ pollSeconds: 0.02 }, { longestQuietMs: 400 })
    const order: string[] = []
    setTimeout(() => order.push('almost allowed'), 380)
    await expect(scan(quiet)).rejects.toThrow('503')
    const stillWatching = quiet.watch!(() => void order.push('polled'), new AbortController().signal)
    await expect.poll(() => order.includes('polled')).toBe(true)
    expect(order.slice(0, 2)).toEqual(['almost allowed', 'polled'])
    await quiet.close()
    await stillWatching
  })
})
