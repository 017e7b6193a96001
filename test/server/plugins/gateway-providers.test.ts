import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/server/config/config.js'
import { ConfigError } from '../../../src/server/config/config-error.js'
import { startGateway } from '../../../src/server/gateway.js'
import { createLog } from '../../../src/server/observing/log.js'
import { SOURCE_PROVIDERS } from '../../../src/server/plugins/gateway-providers.js'
import { BUS_PROVIDERS } from '../../../src/store/providers/bus-providers.js'
import { STORE_PROVIDERS } from '../../../src/store/providers/store-providers.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { createEntries, post, SocketClient, testGateway } from '../server-fixture.js'

const folder = mkdtempSync(join(tmpdir(), 'cadastre-providers-'))
let files = 0
afterAll(() => rmSync(folder, { recursive: true }))

/** A configuration of its own folder; `plugin` is the text of one. */
function configured(yaml: string, plugin?: string, environment: Record<string, string> = { CADASTRE_STORE: 'memory' }) {
  const own = join(folder, String(++files))
  const path = `${own}.mjs`
  if (plugin !== undefined) writeFileSync(path, plugin)
  writeFileSync(`${own}.yaml`, `${plugin === undefined ? '' : `plugins: [${JSON.stringify(path)}]\n`}${yaml}`)
  return loadConfig({ PORT: '0', CADASTRE_LOG_LEVEL: 'silent', CADASTRE_CONFIG: `${own}.yaml`, ...environment }, folder)
}
const start = (config: ReturnType<typeof configured>) =>
  startGateway(config, { log: createLog('silent'), playgroundDir: join(folder, 'page') })

const LIST =
  '{ providers { role name displayName version description capabilities isDefault instanceCount registeredAt isHealthy } }'
const find = 'query ($role: String, $capability: String) { providers(role: $role, capability: $capability) { name } }'

const BUILT_IN = [
  ['store', Object.values(STORE_PROVIDERS)],
  ['source', SOURCE_PROVIDERS],
  ['bus', BUS_PROVIDERS],
] as const

describe('the providers of a gateway', () => {
  it('include every provider file in src/sources', async () => {
    const sources = fileURLToPath(new URL('../../../src/sources/', import.meta.url))
    const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('-provider.ts') && !path.endsWith('/source-provider.ts'),
    )
    expect(files.length).toBeGreaterThanOrEqual(2)
    for (const file of files) {
      const exported: readonly unknown[] = Object.values((await import(join(sources, file))) as object)
      expect(
        SOURCE_PROVIDERS.filter((provider) => exported.includes(provider)),
        file,
      ).toHaveLength(1)
    }
  })

  it('include the built-in ones; the used ones are counted and healthy', async () => {
    const started = Date.now()
    const gateway = await testGateway()
    const { body } = await post(gateway, LIST)
    const rows = body.data!['providers'] as Record<string, any>[]
    expect(
      rows.map(({ role, name, isDefault, instanceCount, isHealthy }) => [
        role,
        name,
        isDefault,
        instanceCount,
        isHealthy,
      ]),
    ).toEqual(
      BUILT_IN.flatMap(([role, provided]) =>
        provided
          .map(({ name }) => name)
          .sort()
          .map((name) => {
            const isDefault = ['embedded', 'filesystem', 'in-process'].includes(name)
            const isUsed = (role === 'store' && name === 'memory') || (role === 'bus' && name === 'in-process')
            return [role, name, isDefault, isUsed ? 1 : 0, role === 'store' && isUsed ? true : null]
          }),
      ),
    )
    for (const { displayName, version, description, registeredAt } of rows) {
      expect([displayName, version, description].every((text) => (text as string).length > 0)).toBe(true)
      expect(Date.parse(registeredAt as string)).toBeGreaterThanOrEqual(started)
      expect(Date.parse(registeredAt as string)).toBeLessThanOrEqual(Date.now())
    }
    const names = async (variables: object) =>
      (await post(gateway, find, variables)).body.data!['providers'].map(({ name }: { name: string }) => name)
    expect(await names({ role: 'bus' })).toEqual(['in-process', 'postgres'])
    expect(await names({ capability: 'gateways' })).toEqual(['postgres', 'postgres'])
    const watching = SOURCE_PROVIDERS.filter(({ capabilities = [] }) => capabilities.includes('watch'))
    expect(await names({ role: 'source', capability: 'watch' })).toEqual(watching.map(({ name }) => name).sort())
    expect(watching.map(({ name }) => name)).toEqual(expect.arrayContaining(['filesystem', 'http']))
    expect(await names({ role: 'door' })).toEqual([])
    const one = 'query ($role: String!, $name: String!) { provider(role: $role, name: $name) { displayName } }'
    expect((await post(gateway, one, { role: 'store', name: 'memory' })).body).toEqual({
      data: { provider: { displayName: 'Memory' } },
    })
    expect((await post(gateway, one, { role: 'store', name: 'http' })).body).toEqual({ data: { provider: null } })
    await gateway.close()
  })

  it('are used over Postgres, by default if there is a DATABASE_URL', async () => {
    const database = await createTestDatabase()
    const gateway = await start(configured('{}', undefined, { DATABASE_URL: database.url }))
    const { body } = await post(gateway, LIST)
    expect(
      body
        .data!['providers'].filter(({ instanceCount }: any) => instanceCount > 0)
        .map(({ role, name, isDefault, isHealthy }: any) => [role, name, isDefault, isHealthy]),
    ).toEqual([
      ['store', 'postgres', true, true],
      ['bus', 'postgres', true, null],
    ])
    await gateway.close()
    await database.drop()
  })
})

const EVENTS = 'subscription { events(kind: "entry.create") { path } }'

/** Counts its events, so that the test notices a bus that is registered and never used. */
const COUNTING_BUS = `export function register(api) {
  api.provider('bus', {
    name: 'counting', version: '1.0.0', description: 'Counts events.', capabilities: ['events'],
    configSchema: { type: 'object', additionalProperties: false, required: ['prefix'], properties: { prefix: { type: 'string' } } },
    create({ prefix }) {
      const listeners = new Set()
      const counted = globalThis.__cadastreCounted = { prefix, events: 0, closed: 0 }
      return {
        hasListeners: () => listeners.size > 0,
        publish(event) { counted.events++; for (const listener of listeners) listener.event(event) },
        async listen(listener) { listeners.add(listener); return async () => void listeners.delete(listener) },
        async close() { counted.closed++ },
      }
    },
  })
}`

describe("a plugin's provider", () => {
  it('can be the bus, which transports events and is closed with the gateway', async () => {
    const gateway = await start(configured('bus: { provider: counting, prefix: x }', COUNTING_BUS))
    const client = await new SocketClient(gateway.endpoint).init()
    client.subscribe('1', EVENTS)
    await expect
      .poll(async () => {
        await createEntries(gateway, { [`a:${++files}`]: 1 })
        return client.messages.some(({ type }) => type === 'next')
      })
      .toBe(true)
    expect(client.messages.find(({ type }) => type === 'next').payload.data.events.path).toMatch(/^a:/)
    const { body } = await post(gateway, '{ provider(role: "bus", name: "counting") { instanceCount isDefault } }')
    expect(body.data).toEqual({ provider: { instanceCount: 1, isDefault: false } })
    client.close()
    await gateway.close()
    expect((globalThis as Record<string, any>)['__cadastreCounted']).toMatchObject({ prefix: 'x', closed: 1 })
    expect((globalThis as Record<string, any>)['__cadastreCounted'].events).toBeGreaterThan(0)
  })

  it.each([
    [
      'a bus that nobody has registered',
      'bus: { provider: nats }',
      'There is no bus provider "nats". Registered are: counting, in-process, postgres.',
    ],
    [
      'a configuration that does not fit',
      'bus: { provider: counting, prefix: 1, other: 2 }',
      /prefix: must be string.*other: is not a known key|other: is not a known key.*prefix: must be string/,
    ],
    [
      'a bus that does not go with the store',
      'bus: { provider: postgres }',
      'needs a store in Postgres. This one is "memory"',
    ],
    ['a store that nobody has registered', 'store: { provider: tape }', 'There is no store provider "tape"'],
  ])('is not used where there is %s: the gateway does not start', async (_, yaml, why) => {
    await expect(start(configured(yaml, COUNTING_BUS))).rejects.toMatchObject({ name: 'StartError' })
    await expect(start(configured(yaml, COUNTING_BUS))).rejects.toThrow(why)
  })

  it('can be the store by the configuration file, but built-in stores cannot', async () => {
    const url = new URL('../../../src/store/memory/memory-history.ts', import.meta.url).href
    const plugin = `import { openMemoryHistory } from ${JSON.stringify(url)}
      export default (api) => api.provider('store', {
        name: 'shelf', version: '1', description: 'Memory by another name.', configSchema: { type: 'object', required: ['size'] },
        create: (config, { options }) => openMemoryHistory(options),
      })`
    const gateway = await start(configured('store: { provider: shelf, size: 3 }', plugin))
    expect(await createEntries(gateway, { 'a:1': 1 })).toBe(1)
    expect(
      (await post(gateway, '{ provider(role: "store", name: "shelf") { instanceCount isHealthy } }')).body.data,
    ).toEqual({ provider: { instanceCount: 1, isHealthy: null } })
    await gateway.close()
    expect(() => configured('store: { provider: postgres, databaseUrl: x }')).toThrow(ConfigError)
    expect(() => configured('store: { provider: postgres, databaseUrl: x }')).toThrow(
      'Choose it by CADASTRE_STORE and DATABASE_URL',
    )
  })

  it('may come with dependency patterns that find references', async () => {
    const gateway = await start(
      configured(
        'dependencies: [{ path: meta.a }]',
        'export default (api) => api.dependencyPattern({ path: "data.wires.*", allowWildcard: true })',
      ),
    )
    const apply = `mutation { applyChangeset(input: { operations: [
      { create: { id: "a:1", kind: "k" } }, { create: { id: "a:2", kind: "k", meta: { a: "1" }, data: { wires: ["1"] } } }] }) { __typename } }`
    await post(gateway, apply)
    const { body } = await post(gateway, '{ entry(id: "a:1") { dependents { path } } }')
    expect(body.data!['entry'].dependents.map(({ path }: { path: string }) => path).sort()).toEqual([
      'data.wires.0',
      'meta.a',
    ])
    await gateway.close()
  })
})
