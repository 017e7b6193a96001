import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'graphql-ws'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createEmptyDatabase, type TestDatabase } from '../support/test-postgres.js'
import { type GatewayProcess, type GatewayProcesses, gatewayProcesses } from './gateway-process.js'

const SOURCES = join(import.meta.dirname, '../../src')

/** The texts of the last arguments of every call of `setTimeout` in a text. */
function delaysIn(code: string): string[] {
  return [...code.matchAll(/\bsetTimeout\(/g)].map(({ index }) => {
    let depth = 0
    let start = index + 'setTimeout('.length
    for (let at = start; at < code.length; at++) {
      const character = code[at]!
      if (depth === 0 && character === ',' && !/^[\s,]*\)/.test(code.slice(at))) start = at + 1
      if (depth === 0 && character === ')') return code.slice(start, at).trim().replace(/,$/, '')
      if ('([{'.includes(character)) depth++
      if (')]}'.includes(character)) depth--
    }
    return ''
  })
}

describe('a timer', () => {
  // "TimeoutNegativeWarning: -0.0087 is a negative number" on the terminal of Node 24.
  it('is never started with a difference of times that may be negative', () => {
    const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const delays = files.flatMap((file) =>
      delaysIn(readFileSync(join(SOURCES, file), 'utf8')).map((delay) => ({ file, delay })),
    )
    expect(delays.length).toBeGreaterThan(20)
    expect(delays.filter(({ delay }) => delay.includes(' - ') && !delay.startsWith('Math.max('))).toEqual([])
    expect(delaysIn('setTimeout(() => f(1, 2), due - now())')).toEqual(['due - now()'])
  })
})

describe('standard error of a gateway', () => {
  let processes: GatewayProcesses
  let database: TestDatabase
  let folder: string
  let list: { url: string; close(): void }
  beforeAll(async () => {
    processes = await gatewayProcesses()
    database = await createEmptyDatabase()
    folder = await mkdtemp(join(tmpdir(), 'cadastre-warnings-'))
    const server = createServer((request, response) => {
      request.resume()
      response.setHeader('content-type', 'application/json')
      response.end(request.method === 'POST' ? '{"accept": true}' : '[{"id": "http:a", "kind": "thing"}]')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    list = {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: () => {
        server.closeAllConnections()
        server.close()
      },
    }
    await mkdir(join(folder, 'registry'))
    await writeFile(join(folder, 'registry', 'a.yaml'), 'namespace: app\nentries: [{ name: a, kind: thing }]\n')
    await writeFile(join(folder, 'thing.json'), '{}')
    await writeFile(join(folder, 'plugin.mjs'), 'export default (api) => api.dependencyPattern({ path: "data.wire" })')
    await writeFile(
      join(folder, 'cadastre.yaml'),
      JSON.stringify({
        sources: [
          { name: 'app', provider: 'filesystem', path: './registry', schemas: { thing: './thing.json' } },
          { name: 'list', provider: 'http', url: list.url, pollSeconds: 1 },
        ],
        participants: [{ name: 'hook', url: list.url, kinds: ['asked'] }],
        plugins: ['./plugin.mjs'],
      }),
    )
  })
  afterAll(async () => {
    await processes.remove()
    await database.drop()
    list.close()
    await rm(folder, { recursive: true })
  })
  let gateway: GatewayProcess | undefined
  afterEach(() => gateway?.child.kill('SIGKILL'))

  async function query(text: string, find: object = {}): Promise<unknown> {
    const response = await fetch(gateway!.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: text, variables: text.includes('$find') ? { find } : {} }),
    })
    const { data, errors } = (await response.json()) as { data?: unknown; errors?: unknown }
    expect(errors).toBeUndefined()
    return data
  }
  const create = (id: string, kind: string) =>
    query(
      `mutation { applyChangeset(input: { operations: [{ create: { id: "${id}", kind: "${kind}" } }] }) { __typename } }`,
    )

  it.each(['memory', 'none', 'postgres'])('has no warning of Node, with the store %s', async (store) => {
    gateway = await processes.start({
      CADASTRE_STORE: store,
      ...(store === 'postgres' ? { DATABASE_URL: database.url } : {}),
      CADASTRE_CONFIG: join(folder, 'cadastre.yaml'),
      NODE_OPTIONS: '--throw-deprecation --trace-warnings',
    })
    const { said, exited, child, endpoint, url } = gateway
    const client = createClient({ url: endpoint.replace(/^http/, 'ws'), webSocketImpl: WebSocket })
    const seen: unknown[] = []
    const stop = client.subscribe(
      {
        query: 'subscription ($find: JSONObject!) { changes(find: $find) { revision changes { entryId } } }',
        variables: { find: { '.ns': 'x' } },
      },
      { next: (result) => void seen.push(result), error: (error) => void seen.push(error), complete: () => {} },
    )
    await expect.poll(() => seen.length, { timeout: 60_000 }).toBeGreaterThan(0)
    expect(await create('x:a', 'thing')).toEqual({ applyChangeset: { __typename: 'Applied' } })
    expect(await create('x:b', 'asked')).toEqual({ applyChangeset: { __typename: 'Applied' } })
    const found = 'query ($find: JSONObject!) { entries(find: $find) { nodes { entryId dependencies { path } } } }'
    expect(await query(found, { '~.name': '^b' })).toEqual({
      entries: { nodes: [{ entryId: 'x:b', dependencies: [] }] },
    })
    // Instances that expire, so that the timers of the sweeper run.
    await query('mutation { acquireInstance(input: { entry: "x:a", name: "w", ttlSeconds: 1 }) { id } }')
    const instances = () => query('{ entry(id: "x:a") { instances { name } } }')
    await expect.poll(instances, { timeout: 60_000 }).toEqual({ entry: { instances: [] } })
    const loaded = async () => JSON.stringify(await query(found, { '.kind': 'thing' }))
    await expect.poll(loaded, { timeout: 60_000 }).toContain('http:a')
    await expect.poll(loaded, { timeout: 60_000 }).toContain('app:a')
    await expect.poll(() => JSON.stringify(seen), { timeout: 60_000 }).toContain('x:b')
    for (const path of ['', 'metrics', 'readyz']) await (await fetch(new URL(path, url))).text()
    stop()
    await client.dispose()
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    // The log has one JSON object a line.
    expect(said.err.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([])
    expect(said.err).not.toMatch(/"level":[56]0/)
  })
})
