import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPLY, createEntries, FOLLOW, post, postBody, type TestGateway, testGateway } from '../server-fixture.js'

describe('bad requests', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway(
      {},
      { limits: { entryBytes: 1024 * 1024, changesetOperations: 100_000, changesetBytes: 4 * 1024 * 1024 } },
    )
  })
  afterAll(async () => {
    // Whatever was sent, the gateway still serves and nothing of it was unexpected.
    expect((await post(gateway, '{ currentVersion { number } }')).body).toEqual({
      data: { currentVersion: { number: expect.any(Number) as number } },
    })
    expect(gateway.logged.filter(({ level }) => Number(level) >= 50)).toEqual([])
    await gateway.close()
  })

  it.each<[string, string, string, number, string]>([
    ['no JSON', '{"query": ', 'application/json', 400, 'BAD_USER_INPUT'],
    ['a list', '[{"query": "{ __typename }"}]', 'application/json', 400, 'BAD_USER_INPUT'],
    ['another type of body', 'query=%7B__typename%7D', 'application/x-www-form-urlencoded', 415, 'BAD_USER_INPUT'],
    ['another charset', '{"query": "{ __typename }"}', 'application/json; charset=utf-16', 415, 'BAD_USER_INPUT'],
    [
      'variables that are a list',
      '{"query": "{ __typename }", "variables": []}',
      'application/json',
      400,
      'BAD_USER_INPUT',
    ],
    [
      'a document without an operation',
      '{"query": "fragment f on Query { __typename }"}',
      'application/json',
      200,
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'an operation that is not there',
      '{"query": "query a { __typename }", "operationName": "b"}',
      'application/json',
      200,
      'BAD_USER_INPUT',
    ],
    ['a syntax error', '{"query": "{ __typename"}', 'application/json', 200, 'GRAPHQL_PARSE_FAILED'],
    ['an unknown field', '{"query": "{ nothing }"}', 'application/json', 200, 'GRAPHQL_VALIDATION_FAILED'],
    [
      'a variable of another type',
      '{"query": "query ($n: SafeInt!) { version(number: $n) { number } }", "variables": {"n": "x"}}',
      'application/json',
      200,
      'BAD_USER_INPUT',
    ],
  ])('answers %s with a code', async (_name, body, type, status, code) => {
    const answer = await postBody(gateway, body, { 'content-type': type })
    expect([answer.status, answer.body.errors![0]!.extensions['code']]).toEqual([status, code])
    expect(Object.keys(answer.body.errors![0]!.extensions)).toEqual(['code'])
  })

  it('refuses a body that is not UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"query": "{ __typename } #'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ])
    const { status, body } = await postBody(gateway, bytes)
    expect(status).toBe(400)
    expect(body.errors![0]).toMatchObject({
      message: expect.stringContaining('UTF-8') as string,
      extensions: { code: 'BAD_USER_INPUT' },
    })
  })

  it('refuses a body that is too large without reading it, with and without Content-Length', async () => {
    const large = Buffer.alloc(10 * 1024 * 1024, 0x20)
    expect(await postBody(gateway, large)).toMatchObject({
      status: 413,
      body: { errors: [{ extensions: { code: 'TOO_LARGE' } }] },
    })
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => undefined)
    socket.write(
      'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    )
    let answer = ''
    socket.on('data', (data: Buffer) => {
      answer += data.toString()
    })
    const closed = once(socket, 'close')
    for (let i = 0; i < 160 && answer === '' && !socket.destroyed; i++) {
      socket.write(`10000\r\n${' '.repeat(0x10000)}\r\n`)
      await new Promise(setImmediate)
    }
    await closed
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('TOO_LARGE')
  })

  it('refuses a filter that nests too deeply to be read', async () => {
    for (const levels of [3_000, 50_000]) {
      const where = `${'{"and":['.repeat(levels)}{}${']}'.repeat(levels)}`
      const response = await fetch(gateway.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"query":"query ($w: EntryFilter) { entries(where: $w) { totalCount } }","variables":{"w":${where}}}`,
      })
      expect((await response.json()).errors[0].extensions.code).toBe('TOO_LARGE')
    }
  })

  it('refuses content and criteria that nest 100,000 levels deep', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const entry = await postBody(
      gateway,
      `{"query": ${JSON.stringify(APPLY)}, "variables": {"input": {"operations": [{"create": {"id": "a:1", "kind": "k", "data": ${deep}}}]}}}`,
    )
    expect(entry.body.data!['applyChangeset']).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'INVALID_ENTRY', operation: 0 }],
    })
    const find = await postBody(
      gateway,
      `{"query": "query ($find: JSONObject) { entries(find: $find) { totalCount } }", "variables": {"find": {"x": ${deep}}}}`,
    )
    expect(find.body.errors![0]!.extensions['code']).toBe('INVALID_CRITERIA')
  })

  it('refuses a query that nests 20,000 levels deep, in braces, lists or parentheses', async () => {
    for (const query of [
      '{ a '.repeat(20_000) + '}'.repeat(20_000),
      `{ entries(find: {x: ${'['.repeat(20_000)}${']'.repeat(20_000)}}) { totalCount } }`,
      `query ($a: ${'['.repeat(20_000)}Int${']'.repeat(20_000)}) { __typename }`,
    ]) {
      const { body } = await post(gateway, query)
      expect(body.errors![0]).toMatchObject({
        message: expect.stringContaining('250') as string,
        extensions: { code: 'QUERY_TOO_COMPLEX' },
      })
    }
  })

  it('refuses 10,000 aliases, 50,000 fields, 300,000 tokens and 3 million characters', async () => {
    for (const query of [
      `{ ${Array.from({ length: 10_000 }, (_, i) => `a${i}: __typename`).join(' ')} }`,
      `{ ${'__typename '.repeat(49_000)} }`,
      'query q { a } '.repeat(60_000),
      `{ __typename } #${'x'.repeat(3_000_000)}`,
    ]) {
      const { body } = await post(gateway, query)
      expect(body.errors![0]!.extensions['code']).toBe('QUERY_TOO_COMPLEX')
    }
  })

  it('validates the largest document within the limits', async () => {
    const { body } = await post(gateway, `{ ${'currentVersion { number parent: previous { number } } '.repeat(150)} }`)
    expect(body.data).toBeDefined()
    const twice = await post(gateway, `{ ${'currentVersion { number } '.repeat(2_400)} }`)
    expect(twice.body.errors![0]!.extensions['code']).toBe('QUERY_TOO_COMPLEX')
    const bomb = Array.from(
      { length: 40 },
      (_, i) => `fragment f${i} on Version { a: previous { ...f${i + 1} } b: previous { ...f${i + 1} } }`,
    ).join(' ')
    const spread = await post(gateway, `{ currentVersion { ...f0 } } ${bomb} fragment f40 on Version { number }`)
    expect(spread.body.errors![0]!.extensions['code']).toBe('QUERY_TOO_COMPLEX')
  })

  it('ignores brackets in strings and comments', async () => {
    const query = `{ # ${'{'.repeat(500)}\n a: parseId(id: "x:${'['.repeat(300)}\\"(") { name } b: parseId(id: """y:${'{'.repeat(300)} \\""" ( .""") { ns } }`
    expect((await post(gateway, query)).body).toMatchObject({
      data: { a: { name: `${'['.repeat(300)}"(` }, b: { ns: 'y' } },
    })
  })

  it('refuses 300 aliases of a delta, and says what weighs too much', async () => {
    // They took the median of everyone else's answers from 9 to 2,125 ms.
    const delta = 'delta(from: {version: 0}, to: {version: 0}) { created }'
    const aliases = Array.from({ length: 300 }, (_, i) => `a${i}: ${delta}`).join(' ')
    const { body } = await post(gateway, `{ ${aliases} }`)
    expect(body.errors![0]).toMatchObject({
      message: expect.stringMatching(
        /weighs 7500300, more than the limit of 500000\. "a0: delta" weighs 25001 of it/,
      ) as string,
      extensions: { code: 'QUERY_TOO_COMPLEX' },
    })
    expect((await post(gateway, `{ ${delta} }`)).body.errors).toBeUndefined()
  })

  it('refuses queries for more than 500,000 objects, also through fragments', async () => {
    const history = '{ history(first: 100) { nodes { entry { history(first: 100) { nodes { entryId } } } } } }'
    for (const query of [
      `{ entries(first: 100) { nodes ${history} } }`,
      `query ($n: Int = 1000) { entries(first: $n) { edges { node { ...f } } } } fragment f on Entry { history(first: 1000) { nodes { version { number } } } }`,
      '{ versions(first: 1000) { nodes { ...f } } } fragment f on Version { children { children { children { number } } } }',
    ]) {
      const { body } = await post(gateway, query)
      expect(body.errors![0]).toMatchObject({
        message: expect.stringContaining('500000') as string,
        extensions: { code: 'QUERY_TOO_COMPLEX' },
      })
    }
    const modest = await post(
      gateway,
      '{ entries(first: 100) { nodes { history(first: 20) { nodes { version { number } } } dependents { source } } } }',
    )
    expect(modest.body.errors).toBeUndefined()
  })

  it('refuses an unknown cursor, a cursor of another registry and one from the future', async () => {
    await createEntries(gateway, { 'cursor:1': 1 })
    const forged = (...fields: unknown[]) => Buffer.from(fields.join(' ')).toString('base64url')
    for (const after of ['nonsense', forged(1, 'l', 'another', 0, 'e'), forged(1, 'l', 'x', 99, 'e')]) {
      const response = await fetch(gateway.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query: FOLLOW, variables: { after } }),
      })
      const text = await response.text()
      expect(text).toContain('"code":"INVALID_CURSOR"')
      expect(text).toContain('event: complete')
    }
  })

  it.each([
    ['GET', 200],
    ['HEAD', 405],
    ['PUT', 405],
    ['DELETE', 405],
  ])('answers %s as it must', async (method, status) => {
    const response = await fetch(`${gateway.endpoint}?query=${encodeURIComponent('{ __typename }')}`, { method })
    expect(response.status).toBe(status)
  })

  it('does not execute mutations by GET', async () => {
    const response = await fetch(
      `${gateway.endpoint}?query=${encodeURIComponent('mutation { applyVersion(input: {version: 0}) { __typename } }')}`,
    )
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('POST')
  })

  it('answers requests that are not HTTP and paths that are no URL', async () => {
    for (const [sent, status] of [
      ['nonsense\r\n\r\n', 400],
      ['GET http:// HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
      [`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, 431],
    ] as const) {
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
      let answer = ''
      socket.on('data', (data: Buffer) => {
        answer += data.toString()
      })
      socket.on('error', () => undefined)
      socket.write(sent)
      await once(socket, 'data')
      socket.destroy()
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    }
  })

  const author = async (header: Record<string, string>) => {
    const operations = [{ create: { id: `author:${Math.random()}`, kind: 'k' } }]
    return (await post(gateway, APPLY, { input: { operations } }, header)).body
  }

  it('accepts an author in UTF-8 or Latin-1, and refuses one that cannot be stored', async () => {
    expect(
      (await author({ 'x-cadastre-author': Buffer.from('Zoë ✓').toString('latin1') })).data!['applyChangeset'].version
        .author,
    ).toBe('Zoë ✓')
    expect((await author({ 'x-cadastre-author': 'Zo\u00eb' })).data!['applyChangeset'].version.author).toBe('Zoë')
    expect((await author({})).data!['applyChangeset'].version.author).toBeNull()
    for (const bad of ['a'.repeat(300), Buffer.from('a\u0085b').toString('latin1')]) {
      expect((await author({ 'x-cadastre-author': bad })).errors![0]!.extensions['code']).toBe('BAD_USER_INPUT')
    }
  })

  // The header's two lines were joined to one name that neither client had sent.
  it('refuses two authors, and names that are reserved', async () => {
    const { port } = new URL(gateway.endpoint)
    const body = '{"query":"{ __typename }"}'
    const twice = await exchange(
      Number(port),
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n` +
        `x-cadastre-author: ann\r\nX-Cadastre-Author: bob\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    expect(twice).toMatch(/^HTTP\/1\.1 400 .*is sent twice/s)
    for (const reserved of ['source/app', ' SOURCE/app', 'System:x', 'system:', 'sour\u00adce/app', '\uff33ystem:x']) {
      const answer = await author({ 'x-cadastre-author': Buffer.from(reserved).toString('latin1') })
      expect([reserved, answer]).toMatchObject([reserved, { errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }])
    }
    expect(await author({ 'x-cadastre-author': 'ann, bob of source/app' })).not.toHaveProperty('errors')
  })

  // A page of evil.example whose name is pointed to this machine had the gateway's own origin, and could write.
  it('refuses names that are not its own, save to the health checks', async () => {
    const { port } = new URL(gateway.endpoint)
    const get = (path: string, host: string, more = '') =>
      exchange(Number(port), `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${more}\r\n`)
    const query = '/graphql?query=%7B__typename%7D'
    for (const host of [
      'localhost',
      `LocalHost:${port}`,
      'localhost.',
      '127.0.0.1',
      '10.1.2.3:80',
      '[::1]:4000',
      '[fe80::1]',
    ])
      expect([host, await get(query, host)]).toEqual([host, expect.stringMatching(/^HTTP\/1\.1 200/)])
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '[::1',
      'a@localhost',
      '',
    ]) {
      for (const path of [query, '/', '/metrics', '/graphql/../graphql'])
        expect([host, path, await get(path, host)]).toEqual([host, path, expect.stringMatching(/^HTTP\/1\.1 421/)])
    }
    expect(await get('/healthz', 'evil.example')).toMatch(/^HTTP\/1\.1 200/)
    expect(await get('/readyz', 'evil.example')).toMatch(/^HTTP\/1\.1 200/)
    const upgrade =
      'GET /graphql HTTP/1.1\r\nhost: evil.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n'
    expect(await exchange(Number(port), upgrade)).toMatch(/^HTTP\/1\.1 421/)
  })

  it('is known by the names of CADASTRE_PUBLIC_URL, and to pages of this machine only while it listens to it alone', async () => {
    const open = await testGateway(
      {},
      { host: '0.0.0.0' },
      { CADASTRE_PUBLIC_URL: 'https://registry.example, http://cadastre:4000/' },
    )
    try {
      const { port } = new URL(open.endpoint)
      const get = (host: string, more: string) =>
        exchange(
          Number(port),
          `GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${more}\r\n`,
        )
      expect(await get('registry.example', '')).toMatch(/^HTTP\/1\.1 200/)
      expect(await get('cadastre:4000', '')).toMatch(/^HTTP\/1\.1 200/)
      expect(await get('other.example', '')).toMatch(/^HTTP\/1\.1 421/)
      expect(await get('registry.example', 'origin: https://registry.example\r\n')).toMatch(/^HTTP\/1\.1 200/)
      expect(await get('registry.example', 'origin: http://localhost:9999\r\n')).toMatch(/^HTTP\/1\.1 403/)
    } finally {
      await open.close()
    }
  })

  it('refuses a request of another site that has no origin, such as an image or a link', async () => {
    const site = async (name: string) =>
      (await fetch(`${gateway.endpoint}?query={__typename}`, { headers: { 'sec-fetch-site': name } })).status
    expect([await site('cross-site'), await site('same-origin'), await site('none')]).toEqual([403, 200, 200])
  })

  it('allows its own pages and those of this machine, and no others', async () => {
    const from = (origin: string, method = 'POST') =>
      fetch(gateway.endpoint, {
        method,
        headers: { origin, 'content-type': 'application/json' },
        ...(method === 'POST' && { body: '{"query":"{ __typename }"}' }),
      })
    const near = await from('http://localhost:5173')
    expect([near.status, near.headers.get('access-control-allow-origin')]).toEqual([200, 'http://localhost:5173'])
    expect((await from('http://localhost:5173', 'OPTIONS')).status).toBe(204)
    // Every client has headers of its own, which a fixed list refused.
    const asked = 'authorization,traceparent,apollographql-client-name'
    const preflight = await fetch(gateway.endpoint, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:5173', 'access-control-request-headers': asked },
    })
    expect(preflight.headers.get('access-control-allow-headers')).toBe(asked)
    for (const method of ['POST', 'OPTIONS']) {
      const far = await from('https://elsewhere.example', method)
      expect([far.status, far.headers.get('access-control-allow-origin')]).toEqual([403, null])
    }
  })
})

/** Sends bytes to a gateway of this machine and returns everything it answers until it closes the connection. */
async function exchange(port: number, sent: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('error', () => undefined)
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  socket.write(sent)
  await once(socket, 'close')
  return answer
}
