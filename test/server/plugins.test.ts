import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadParticipants } from '../../src/server/load-participants.js'
import { directoryOf } from '../registry/participant-fixture.js'
import { create, memoryRegistry } from '../registry/registry-fixture.js'

const folder = mkdtempSync(join(tmpdir(), 'cadastre-plugins-'))
let files = 0
function plugin(text: string): string {
  const path = join(folder, `plugin-${++files}.mjs`)
  writeFileSync(path, text)
  return path
}
const load = (...plugins: string[]) => loadParticipants({ participants: [], plugins, transactions: { operationSeconds: 2, totalSeconds: 10 } })

describe('a plugin', () => {
  afterAll(() => rmSync(folder, { recursive: true }))

  it('registers participants in process, by its default export or by register', async () => {
    const heard = '__cadastrePluginHeard'
    const { participants } = await load(
      plugin(`export function register(api) {
        api.participant({ name: 'policy', kinds: ['test.**'],
          propose: ({ entryId, entry }) => entry.meta.bad ? { accept: false, reason: entryId + ' is bad' } : true,
          tell: ({ kind }) => (globalThis.${heard} ??= []).push(kind) })
      }`),
      plugin('export default async (api) => api.participant({ name: "other", onFailure: "pass", timeoutSeconds: 1, propose() { throw new Error("x") } })'),
    )
    expect(participants.map(({ name, kinds, onFailure, timeoutMs }) => ({ name, kinds, onFailure, timeoutMs }))).toEqual([
      { name: 'policy', kinds: ['test.**'], onFailure: 'refuse', timeoutMs: 2_000 },
      { name: 'other', kinds: ['**'], onFailure: 'pass', timeoutMs: 1_000 },
    ])
    const registry = memoryRegistry({ transactions: { participants: directoryOf(...participants) } })
    expect(await registry.applyChangeset({ operations: [create('a:1')] }, { author: null })).toMatchObject({ type: 'applied' })
    expect(await registry.applyChangeset({ operations: [create('a:2', { bad: true })] }, { author: null }))
      .toMatchObject({ type: 'refused', problems: [{ code: 'REJECTED', participant: 'policy', message: expect.stringContaining('a:2 is bad') as string }] })
    expect((globalThis as Record<string, unknown>)[heard]).toEqual(['registry.begin', 'registry.commit', 'registry.begin', 'registry.discard'])
    await registry.close()
  })

  it('has failed where it answers garbage', async () => {
    const { participants } = await load(plugin('export default (api) => api.participant({ name: "vague", propose: () => "perhaps" })'))
    const registry = memoryRegistry({ transactions: { participants: directoryOf(...participants) } })
    expect(await registry.applyChangeset({ operations: [create('a:1')] }, { author: null })).toMatchObject({ problems: [{ code: 'PARTICIPANT_FAILED', participant: 'vague' }] })
    await registry.close()
  })

  it.each([
    ['is not there', () => join(folder, 'gone.mjs'), 'gone.mjs'],
    ['throws', () => plugin('throw new Error("no licence")'), 'no licence'],
    ['exports nothing', () => plugin('export const x = 1'), 'register'],
    ['fails to register', () => plugin('export default () => { throw new Error("no database") }'), 'no database'],
    ['registers without a name', () => plugin('export default (api) => api.participant({ propose() {} })'), 'name'],
    ['registers what cannot be asked', () => plugin('export default (api) => api.participant({ name: "p" })'), 'propose'],
    ['names kinds that do not parse', () => plugin('export default (api) => api.participant({ name: "p", kinds: ["a..b"], propose() {} })'), 'a..b'],
    ['takes a name twice', () => plugin('export default (api) => { for (const i of [1, 2]) api.participant({ name: "p", propose() {} }) }'), '"p"'],
  ])('that %s is an error at the start', async (_, path, why) => {
    await expect(load(path())).rejects.toMatchObject({ name: 'StartError', message: expect.stringContaining(why) as string })
  })
})
