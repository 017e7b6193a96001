import { chmodSync, chownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/server/config/config.js'
import { createGatewayProviders } from '../../../src/server/plugins/gateway-providers.js'
import { loadParticipants } from '../../../src/server/plugins/load-participants.js'
import { loadPlugins } from '../../../src/server/plugins/load-plugins.js'
import { createSourceHost } from '../../../src/sources/provider/source-host.js'
import { directoryOf } from '../../registry/participants/participant-fixture.js'
import { create, memoryRegistry } from '../../registry/registry-fixture.js'

const folder = mkdtempSync(join(tmpdir(), 'cadastre-plugins-'))
let files = 0
function plugin(text: string): string {
  const path = join(folder, `plugin-${++files}.mjs`)
  writeFileSync(path, text)
  return path
}
async function load(...plugins: string[]) {
  const providers = await createGatewayProviders()
  const loaded = await loadPlugins({ plugins, transactions: { operationSeconds: 2, totalSeconds: 10 } }, providers)
  return { ...loaded, ...loadParticipants({ participants: [] }, loaded.participants, () => {}), providers }
}

describe('a plugin', () => {
  afterAll(() => rmSync(folder, { recursive: true }))

  // A user who can write a plugin can run code as the gateway.
  it.each([
    ['its file', 0o666, 0o755],
    ['its folder', 0o644, 0o777],
    ['the file that it is a link to', 0o646, 0o755],
  ])('is not loaded if every user may write %s', async (what, fileMode, folderMode) => {
    const own = mkdtempSync(join(folder, 'own-'))
    const path = join(own, 'plugin.mjs')
    writeFileSync(path, 'export default () => { globalThis.__cadastreLoaded = true }')
    const link = join(folder, `link-${++files}.mjs`)
    symlinkSync(path, link)
    chmodSync(path, fileMode)
    chmodSync(own, folderMode)
    const named = what.includes('link') ? link : path
    await expect(load(named)).rejects.toThrow(/is not loaded, because every user may write .*own-.*chmod o-w/)
    expect(globalThis).not.toHaveProperty('__cadastreLoaded')
    // In a folder such as /tmp only the owner of a file may replace it.
    chmodSync(path, 0o644)
    chmodSync(own, 0o1777)
    await load(path)
    expect(globalThis).toHaveProperty('__cadastreLoaded')
    delete (globalThis as Record<string, unknown>)['__cadastreLoaded']
  })

  it('is not loaded by a configuration that every user may write', () => {
    const own = mkdtempSync(join(folder, 'own-'))
    const path = join(own, 'cadastre.yaml')
    writeFileSync(path, 'plugins: [./plugin.mjs]')
    chmodSync(path, 0o666)
    expect(() => loadConfig({}, own)).toThrow(/names plugins, and every user may write .*chmod o-w/)
    chmodSync(path, 0o644)
    expect(loadConfig({}, own).plugins).toHaveLength(1)
  })

  it.runIf(process.getuid?.() === 0)('of another user is loaded by root with a warning', async () => {
    const path = plugin('export default () => {}')
    chownSync(path, 65_534, 65_534)
    const warnings: string[] = []
    const providers = await createGatewayProviders()
    await loadPlugins({ plugins: [path], transactions: { operationSeconds: 2, totalSeconds: 10 } }, providers, (line) =>
      warnings.push(line),
    )
    expect(warnings).toEqual([expect.stringMatching(/^Root runs the plugin .*other users may write/)])
  })

  it('registers participants by its default export or by register', async () => {
    const notified = '__cadastrePluginNotified'
    const { participants } = await load(
      plugin(`export function register(api) {
        api.participant({ name: 'policy', kinds: ['test.**'],
          propose: ({ entryId, entry }) => entry.meta.bad ? { accept: false, reason: entryId + ' is bad' } : true,
          tell: ({ kind }) => (globalThis.${notified} ??= []).push(kind) })
      }`),
      plugin(
        'export default async (api) => api.participant({ name: "other", onFailure: "pass", timeoutSeconds: 1, propose() { throw new Error("x") } })',
      ),
    )
    expect(
      participants.map(({ name, kinds, onFailure, timeoutMs }) => ({ name, kinds, onFailure, timeoutMs })),
    ).toEqual([
      { name: 'policy', kinds: ['test.**'], onFailure: 'refuse', timeoutMs: 2_000 },
      { name: 'other', kinds: ['**'], onFailure: 'pass', timeoutMs: 1_000 },
    ])
    const registry = memoryRegistry({ transactions: { participants: directoryOf(...participants) } })
    expect(await registry.applyChangeset({ operations: [create('a:1')] }, { author: null })).toMatchObject({
      type: 'applied',
    })
    expect(
      await registry.applyChangeset({ operations: [create('a:2', { bad: true })] }, { author: null }),
    ).toMatchObject({
      type: 'refused',
      problems: [{ code: 'REJECTED', participant: 'policy', message: expect.stringContaining('a:2 is bad') as string }],
    })
    expect((globalThis as Record<string, unknown>)[notified]).toEqual([
      'registry.begin',
      'registry.commit',
      'registry.begin',
      'registry.discard',
    ])
    await registry.close()
  })

  it('counts as failed if its participant answers garbage', async () => {
    const { participants } = await load(
      plugin('export default (api) => api.participant({ name: "vague", propose: () => "perhaps" })'),
    )
    const registry = memoryRegistry({ transactions: { participants: directoryOf(...participants) } })
    expect(await registry.applyChangeset({ operations: [create('a:1')] }, { author: null })).toMatchObject({
      problems: [{ code: 'PARTICIPANT_FAILED', participant: 'vague' }],
    })
    await registry.close()
  })

  it('registers dependency patterns and providers, awaited or not', async () => {
    const { dependencies, providers } = await load(
      plugin(`export function register(api) {
      api.dependencyPattern({ path: 'data.wires.*', allowWildcard: true })
      api.dependencyPattern({ path: 'meta.friend' })
      api.provider('source', {
        name: 'clock', displayName: 'Clock', version: '0.1.0', description: 'Tells the time.', capabilities: ['time'],
        configSchema: { type: 'object', required: ['zone'], properties: { zone: { type: 'string' } } },
        onRegister: () => new Promise((resolve) => setTimeout(resolve, 30)),
        create: ({ zone }, { folder }) => ({ zone, folder, async *scan() {}, async close() {} }),
      })
    }`),
    )
    expect(dependencies).toEqual([
      { path: 'data.wires.*', allowWildcard: true },
      { path: 'meta.friend', allowWildcard: false },
    ])
    expect(providers.get('source', 'clock')).toMatchObject({
      displayName: 'Clock',
      capabilities: ['time'],
      isDefault: false,
      instanceCount: 0,
    })
    const host = createSourceHost(folder, 1_000)
    await expect(providers.create('source', 'clock', {}, host)).rejects.toMatchObject({
      code: 'INVALID_PROVIDER_CONFIG',
      details: { issues: [{ path: 'zone', message: 'is missing' }] },
    })
    const reader = await providers.create('source', 'clock', { zone: 'UTC' }, host)
    expect(reader).toMatchObject({ zone: 'UTC', folder })
    expect(providers.get('source', 'clock')!.instanceCount).toBe(1)
    await reader.close()
    expect(providers.get('source', 'clock')!.instanceCount).toBe(0)
  })

  it('may register providers later, but no participants or dependency patterns', async () => {
    const api = '__cadastrePluginApi'
    const { providers } = await load(plugin(`export default (api) => { globalThis.${api} = api }`))
    const late = (globalThis as Record<string, any>)[api]
    await late.provider('bus', {
      name: 'late',
      version: '1',
      description: 'Comes late.',
      configSchema: {},
      create: () => ({ close: async () => {} }),
    })
    expect(providers.get('bus', 'late')).not.toBeNull()
    expect(() => late.participant({ name: 'p', propose() {} })).toThrow('The gateway has started')
    expect(() => late.dependencyPattern({ path: 'meta.x' })).toThrow('The gateway has started')
  })

  it.each([
    ['registers a provider of no role', 'api.provider("door", {})', '"door"'],
    ['registers half a provider, unheard', 'void api.provider("source", { name: "half" })', '"version"'],
    [
      'takes the name of a built-in provider',
      'void api.provider("source", { name: "http", version: "1", description: "x", configSchema: {}, create() {} })',
      'already exists',
    ],
    [
      'has a hook that fails',
      'void api.provider("source", { name: "x", version: "1", description: "x", configSchema: {}, create() {}, onRegister() { throw new Error("no licence") } })',
      'no licence',
    ],
    ['names a path that does not parse', 'api.dependencyPattern({ path: "other.x" })', 'other.x'],
    ['names a pattern without a path', 'api.dependencyPattern("meta.x")', '"path"'],
  ])('that %s is an error at the start, by its own name', async (_, statement, why) => {
    const path = plugin(`export default (api) => { ${statement} }`)
    await expect(load(path)).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringContaining(why) as string,
    })
    await expect(load(path)).rejects.toThrow(path)
  })

  it.each([
    ['is not there', () => join(folder, 'gone.mjs'), 'gone.mjs'],
    ['throws', () => plugin('throw new Error("no licence")'), 'no licence'],
    ['exports nothing', () => plugin('export const x = 1'), 'register'],
    ['fails to register', () => plugin('export default () => { throw new Error("no database") }'), 'no database'],
    ['registers without a name', () => plugin('export default (api) => api.participant({ propose() {} })'), 'name'],
    [
      'registers what cannot be asked',
      () => plugin('export default (api) => api.participant({ name: "p" })'),
      'propose',
    ],
    [
      'names kinds that do not parse',
      () => plugin('export default (api) => api.participant({ name: "p", kinds: ["a..b"], propose() {} })'),
      'a..b',
    ],
    [
      'takes a name twice',
      () => plugin('export default (api) => { for (const i of [1, 2]) api.participant({ name: "p", propose() {} }) }'),
      '"p"',
    ],
  ])('that %s is an error at the start', async (_, path, why) => {
    await expect(load(path())).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringContaining(why) as string,
    })
  })
})
