import { type IncomingHttpHeaders, request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createEntries, type TestGateway, testGateway } from '../server-fixture.js'

interface Raw {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

let gateway: TestGateway
beforeAll(async () => {
  gateway = await testGateway()
  // Multi-byte characters and pairs of surrogates, so that pieces end within some.
  await createEntries(gateway, {
    'app:small': 1,
    'app:medium': 'é'.repeat(2_000),
    'app:large': `x${'😀é'.repeat(170_000)}`,
  })
})
afterAll(() => gateway.close())

/** `fetch` would decompress the body, and always sends `accept-encoding`. */
function send(query: string, headers: Record<string, string> = {}, method = 'POST'): Promise<Raw> {
  const body = JSON.stringify({ query })
  const url = method === 'GET' ? `${gateway.endpoint}?${new URLSearchParams({ query })}` : gateway.endpoint
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(method === 'GET' ? undefined : body)
  })
}

const entry = (name: string) => `{ entry(id: "app:${name}") { data } }`

describe('an answer', () => {
  it.each([
    ['medium', 'br', brotliDecompressSync],
    ['medium', 'gzip', gunzipSync],
    ['large', 'br', brotliDecompressSync],
    ['large', 'gzip', gunzipSync],
  ])('that is %s is the same after %s', async (name, encoding, decompress) => {
    const plain = await send(entry(name))
    const compressed = await send(entry(name), { 'accept-encoding': encoding })
    expect(compressed).toMatchObject({ status: 200, headers: { 'content-encoding': encoding } })
    expect(compressed.headers.vary).toContain('accept-encoding')
    expect(compressed.headers['content-type']).toBe(plain.headers['content-type'])
    expect(compressed.headers['x-content-type-options']).toBe('nosniff')
    expect(compressed.body.length).toBeLessThan(plain.body.length / 4)
    expect(decompress(compressed.body).equals(plain.body)).toBe(true)
  })

  it.each([
    ['is short', entry('small'), { 'accept-encoding': 'br, gzip' }],
    ['goes to a client that sends no Accept-Encoding', entry('medium'), {}],
    ['goes to a client that prefers it plain', entry('medium'), { 'accept-encoding': 'identity, gzip;q=0.1' }],
    ['goes to a client that accepts none', entry('medium'), { 'accept-encoding': 'gzip;q=0' }],
  ])('is plain if it %s', async (_name, query, headers) => {
    const { headers: received, body } = await send(query, headers)
    expect(received).toMatchObject({ 'content-length': String(body.length) })
    expect(received).not.toHaveProperty('content-encoding')
    expect(JSON.parse(body.toString())).toHaveProperty('data')
  })

  it('has the same tag compressed and plain, and 304 has no body', async () => {
    const plain = await send(entry('medium'), {}, 'GET')
    const compressed = await send(entry('medium'), { 'accept-encoding': 'br' }, 'GET')
    expect(compressed.headers).toMatchObject({ etag: plain.headers.etag, 'content-encoding': 'br' })
    const known = await send(entry('medium'), { 'accept-encoding': 'br', 'if-none-match': plain.headers.etag! }, 'GET')
    expect(known).toMatchObject({ status: 304, body: Buffer.alloc(0) })
    expect(known.headers).not.toHaveProperty('content-encoding')
  })

  it('has errors compressed too, with their status', async () => {
    const query = `{ ${'x'.repeat(2_000)} }`
    const headers = { 'accept-encoding': 'gzip', accept: 'application/graphql-response+json' }
    const { status, headers: received, body } = await send(query, headers)
    expect([status, received['cache-control']]).toEqual([400, 'no-store'])
    expect(JSON.parse(gunzipSync(body).toString())).toHaveProperty('errors')
  })
})

it('sends each of many answers, compressed or plain, if all come at once', async () => {
  const wanted = (await send(entry('large'))).body
  const all = await Promise.all(Array.from({ length: 30 }, () => send(entry('large'), { 'accept-encoding': 'gzip' })))
  for (const { headers, body } of all)
    expect((headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).equals(wanted)).toBe(true)
  const medium = await Promise.all(Array.from({ length: 50 }, () => send(entry('medium'), { 'accept-encoding': 'br' })))
  expect(new Set(medium.map(({ headers }) => headers['content-encoding']))).toEqual(new Set(['br']))
})

it('goes on after clients that leave in the middle', async () => {
  await Promise.all(
    Array.from({ length: 40 }, () => {
      return new Promise<void>((resolve) => {
        const headers = { 'content-type': 'application/json', 'accept-encoding': 'br' }
        const sent = request(gateway.endpoint, { method: 'POST', headers }, (response) => response.destroy())
        sent.on('error', () => undefined)
        sent.on('close', () => resolve())
        sent.end(JSON.stringify({ query: entry('large') }))
      })
    }),
  )
  // The gateway sees the connections end a moment later.
  await vi.waitFor(async () => {
    expect((await send(entry('large'), { 'accept-encoding': 'br' })).headers['content-encoding']).toBe('br')
  }, 20_000)
})

it('leaves event streams as they are', async () => {
  const query = 'subscription { entry(id: "app:medium") { data } }'
  const url = `${gateway.endpoint}?${new URLSearchParams({ query })}`
  const headers = await new Promise<IncomingHttpHeaders>((resolve) => {
    request(url, { headers: { accept: 'text/event-stream', 'accept-encoding': 'br' } }, (response) => {
      resolve(response.headers)
      response.destroy()
    }).end()
  })
  expect(headers).not.toHaveProperty('content-encoding')
})
