import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, type TestGateway, testGateway } from '../server-fixture.js'

interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Sends a request as it is: `fetch` sets `accept-encoding` itself, and decompresses. */
function raw(url: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: new URL(url).port, path, headers, method }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
      .on('error', reject)
      .end()
  })
}

describe('a playground that is being built', () => {
  // The first visit of a fresh clone waited for the whole build, 19 seconds without an answer.
  it('is a page that loads itself again, at once, until the playground is there', async () => {
    const above = mkdtempSync(join(tmpdir(), 'cadastre-building-'))
    const folder = join(above, 'playground')
    mkdirSync(`${folder}.new`)
    const gateway = await testGateway({ playgroundDir: folder })
    try {
      const preparing = await raw(gateway.url, '/')
      expect(preparing.status).toBe(503)
      expect(preparing.headers).toMatchObject({
        'retry-after': '2',
        'cache-control': 'no-store',
        'content-type': 'text/html; charset=utf-8',
        'x-content-type-options': 'nosniff',
      })
      expect(preparing.body.toString()).toContain('<meta http-equiv="refresh" content="2" />')
      expect(await raw(gateway.url, '/', {}, 'HEAD')).toMatchObject({ status: 503, body: Buffer.alloc(0) })
      expect((await raw(gateway.url, '/', {}, 'POST')).status).toBe(405)
      expect((await raw(gateway.url, '/assets/main.js')).status).toBe(404)

      writeFileSync(join(`${folder}.new`, 'index.html'), 'here')
      renameSync(`${folder}.new`, folder)
      expect(await raw(gateway.url, '/')).toMatchObject({ status: 200, body: Buffer.from('here') })
      rmSync(folder, { recursive: true })
      expect((await raw(gateway.url, '/')).status).toBe(404)

      // It is built again under a running gateway, and the build is killed.
      mkdirSync(`${folder}.new`)
      expect((await raw(gateway.url, '/')).status).toBe(503)
      const longAgo = new Date(Date.now() - 3_600_000)
      utimesSync(`${folder}.new`, longAgo, longAgo)
      expect((await raw(gateway.url, '/')).status).toBe(404)
    } finally {
      await gateway.close()
      rmSync(above, { recursive: true })
    }
  })
})

describe('the files of the playground', () => {
  const SCRIPT = 'export const x = 1\n'.repeat(500)
  let gateway: TestGateway
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cadastre-compressed-'))
    mkdirSync(join(folder, 'assets'))
    for (const [name, text] of [
      ['index.html', '<!doctype html>'.repeat(100)],
      ['assets/main-Ab3dE6gh.js', SCRIPT],
    ] as const) {
      writeFileSync(join(folder, name), text)
      writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text))
      writeFileSync(join(folder, `${name}.gz`), gzipSync(text))
    }
    writeFileSync(join(folder, 'assets', 'plain-Ab3dE6gh.js'), SCRIPT)
    gateway = await testGateway({ playgroundDir: folder })
  })
  afterAll(async () => {
    await gateway.close()
    rmSync(folder, { recursive: true })
  })
  const PATH = '/assets/main-Ab3dE6gh.js'
  const encodingFor = async (accepted?: string) =>
    (await raw(gateway.url, PATH, accepted === undefined ? {} : { 'accept-encoding': accepted })).headers[
      'content-encoding'
    ]

  // The page took 6.4 MB.
  it('are sent as the build has compressed them', async () => {
    const br = await raw(gateway.url, PATH, { 'accept-encoding': 'gzip, deflate, br, zstd' })
    expect(br.headers).toMatchObject({
      'content-encoding': 'br',
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-length': String(br.body.length),
      vary: 'accept-encoding',
    })
    expect(brotliDecompressSync(br.body).toString()).toBe(SCRIPT)
    const gzip = await raw(gateway.url, PATH, { 'accept-encoding': 'gzip' })
    expect(gzip.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(gzip.body).toString()).toBe(SCRIPT)
    const plain = await raw(gateway.url, PATH)
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.headers).toMatchObject({ vary: 'accept-encoding', 'content-length': String(SCRIPT.length) })
    expect(plain.body.toString()).toBe(SCRIPT)
    expect(new Set([br, gzip, plain].map(({ headers }) => headers['etag'])).size).toBe(3)

    const page = await raw(gateway.url, '/', { 'accept-encoding': 'br' })
    expect(page.headers).toMatchObject({ 'content-encoding': 'br', 'content-type': 'text/html; charset=utf-8' })
    expect(page.headers).toMatchObject({ 'cache-control': 'no-cache' })
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
  })

  it.each([
    ['br;q=1.0, gzip;q=0.8', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['br; q=0.0', undefined],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['br;q=0, *', 'gzip'],
    ['identity', undefined],
    ['GZIP', 'gzip'],
    ['deflate, zstd', undefined],
    ['', undefined],
    ['br;q=nonsense', undefined],
    ['br;q=0.5, gzip;q=0.9', 'gzip'],
    ['gzip;q=0.5, *;q=0.5', 'br'],
    ['br;q=0.5, identity;q=0.8', undefined],
    ['br, identity', 'br'],
    ['br;q=0.001', 'br'],
    ['x-gzip', 'gzip'],
    ['br;q=0,gzip;q=0,identity;q=0', undefined],
    ['br;level=4;q=1', 'br'],
  ])('are compressed as %j allows: %s', async (accepted, encoding) => {
    expect(await encodingFor(accepted)).toBe(encoding)
  })

  it('are not compressed where the build has no compressed form', async () => {
    const plain = await raw(gateway.url, '/assets/plain-Ab3dE6gh.js', { 'accept-encoding': 'br, gzip' })
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.headers['vary']).toBeUndefined()
    expect(plain.body.toString()).toBe(SCRIPT)
  })

  it('keep conditions and ranges', async () => {
    const accept = { 'accept-encoding': 'br' }
    const { headers, body } = await raw(gateway.url, PATH, accept)
    const again = await raw(gateway.url, PATH, { ...accept, 'if-none-match': headers['etag']! })
    expect([again.status, again.body.length, again.headers['content-encoding']]).toEqual([304, 0, undefined])
    const head = await raw(gateway.url, PATH, accept, 'HEAD')
    expect([head.headers['content-length'], head.body.length]).toEqual([String(body.length), 0])
    const part = await raw(gateway.url, PATH, { ...accept, range: 'bytes=2-4' })
    expect([part.status, part.body]).toEqual([206, body.subarray(2, 5)])
    const beyond = await raw(gateway.url, PATH, { ...accept, range: 'bytes=100000-' })
    expect([beyond.status, beyond.headers['content-encoding'], beyond.body.toString()]).toEqual([
      416,
      undefined,
      'There is no such range.\n',
    ])
  })
})

describe('the playground, health and metrics', () => {
  let gateway: TestGateway
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cadastre-page-'))
    mkdirSync(join(folder, 'assets'))
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>here</title>')
    writeFileSync(join(folder, 'assets', 'main-Ab3dE6gh.js'), 'export {}')
    gateway = await testGateway({ playgroundDir: folder })
  })
  afterAll(async () => {
    await gateway.close()
    rmSync(folder, { recursive: true })
  })
  const get = (path: string, init?: RequestInit) => fetch(new URL(path, gateway.url), init)

  it('serves the page at / with a policy that allows no other origin', async () => {
    const response = await get('/')
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ])
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const policy = response.headers.get('content-security-policy')!
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/https?:/)
    expect(policy).not.toContain('unsafe-eval')
    expect(await response.text()).toContain('here')
  })

  it('makes assets immutable, answers a known ETag with 304 and HEAD without a body', async () => {
    const asset = await get('/assets/main-Ab3dE6gh.js')
    expect([asset.headers.get('content-type'), asset.headers.get('cache-control')]).toEqual([
      'text/javascript; charset=utf-8',
      'public, max-age=31536000, immutable',
    ])
    const again = await get('/', { headers: { 'if-none-match': (await get('/')).headers.get('etag')! } })
    expect([again.status, await again.text()]).toEqual([304, ''])
    const head = await get('/', { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '34', ''])
    expect((await get('/', { method: 'POST' })).status).toBe(405)
  })

  it('sends a range of a file', async () => {
    const part = await get('/', { headers: { range: 'bytes=10-13' } })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 10-13/34', 'html'])
    const beyond = await get('/', { headers: { range: 'bytes=100-' } })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */34'])
  })

  it('serves nothing outside of the folder', async () => {
    for (const path of [
      '/nothing',
      '/../package.json',
      '/..%2f..%2fetc/passwd',
      '/assets/',
      '/assets/..%5c..%5cx',
      '//etc/passwd',
      '/%00',
    ]) {
      const status = await new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: new URL(gateway.url).port, path }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
      expect([path, status]).toEqual([path, 404])
    }
  })

  it('reports liveness and readiness', async () => {
    expect((await get('/healthz')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(200)
  })

  it('counts operations by type and outcome', async () => {
    await post(gateway, '{ currentVersion { number } }')
    await post(gateway, '{ entries(first: -1) { totalCount } }')
    const text = await (await get('/metrics')).text()
    expect(text).toMatch(/cadastre_operations_total\{type="query",outcome="ok"\} [1-9]/)
    expect(text).toMatch(/cadastre_operations_total\{type="query",outcome="error"\} [1-9]/)
    expect(text).toContain('cadastre_operation_seconds_bucket')
  })

  it("counts the hits, misses and contents of the finder's cache", async () => {
    const counts = async () => {
      const text = await (await get('/metrics')).text()
      const number = (name: string) => Number(new RegExp(`^cadastre_finder_cache_${name} (\\d+)`, 'm').exec(text)?.[1])
      return {
        hits: number('total\\{outcome="hit"\\}'),
        misses: number('total\\{outcome="miss"\\}'),
        results: number('results'),
        bytes: number('bytes'),
      }
    }
    const find = () =>
      post(gateway, '{ snapshot(at: {revision: 0}) { entries(find: {counted: 1}) { totalCount nodes { entryId } } } }')
    const before = await counts()
    await find()
    const missed = await counts()
    expect(missed).toMatchObject({ hits: before.hits, misses: before.misses + 2, results: before.results + 2 })
    expect(missed.bytes).toBeGreaterThan(before.bytes)
    await find()
    expect(await counts()).toEqual({ ...missed, hits: missed.hits + 2 })
  })

  it('answers the introspection of tools unless it is closed', async () => {
    const { getIntrospectionQuery } = await import('graphql')
    const query = getIntrospectionQuery({
      descriptions: true,
      directiveIsRepeatable: true,
      inputValueDeprecation: true,
      oneOf: true,
      schemaDescription: true,
      specifiedByUrl: true,
    })
    expect((await post(gateway, query)).body.data!['__schema'].queryType.name).toBe('Query')
    const closed = await testGateway({}, { introspection: false })
    expect((await post(closed, query)).body.errors![0]!.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED')
    expect((await post(closed, '{ __typename }')).body.data).toEqual({ __typename: 'Query' })
    await closed.close()
  })
})
