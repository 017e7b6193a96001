import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, type TestGateway, testGateway } from '../server-fixture.js'

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
