import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { post, type TestGateway, testGateway } from '../server/server-fixture.js'

let folder: string
let gateway: TestGateway | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cadastre-hostile-'))
  mkdirSync(join(folder, 'registry'))
  writeFileSync(join(folder, 'registry', 'a.json'), '{"id":"app:a","kind":"test.thing","data":1}')
  // Takes about 20 s to parse.
  writeFileSync(join(folder, 'registry', 'hostile.yaml'), '"'.repeat(4_000_000))
  writeFileSync(join(folder, 'registry', 'z.json'), '{"id":"app:z","kind":"test.thing","data":1}')
})
afterEach(async () => {
  await gateway?.close()
  rmSync(folder, { recursive: true })
})

const source = (name: string) => ({
  name,
  provider: 'filesystem',
  watch: true,
  missing: 'delete' as const,
  conflict: 'source' as const,
  allowEmpty: false,
  options: { path: join(folder, 'registry'), form: 'entry' },
})

describe('a gateway with a hostile file in its folder', () => {
  it('answers while the file is read, reports it, and loads the others', async () => {
    gateway = await testGateway({}, { sources: [source('app')] })
    let state: any
    let readsWhileLoading = 0
    const until = Date.now() + 120_000
    do {
      const { body } = await post(
        gateway,
        '{ entries { totalCount } source(name: "app") { status loaded failed reloadCount failures { location message } } }',
      )
      state = body.data!['source']
      if (state.status === 'LOADING') readsWhileLoading += 1
    } while (state.reloadCount === 0 && Date.now() < until)
    expect(state).toMatchObject({
      status: 'WATCHING',
      loaded: 2,
      failed: 1,
      failures: [{ location: 'hostile.yaml', message: expect.stringMatching(/^takes longer than \d+ s to parse$/) }],
    })
    expect(readsWhileLoading).toBeGreaterThan(20)

    // While the hostile file is unchanged, it is not read again.
    writeFileSync(join(folder, 'registry', 'a.json'), '{"id":"app:a","kind":"test.thing","data":2}')
    await expect
      .poll(async () => (await post(gateway!, '{ entry(id: "app:a") { data } }')).body.data!['entry'].data, {
        timeout: 60_000,
      })
      .toBe(2)
  }, 240_000)

  it('stops while the file is read', async () => {
    gateway = await testGateway({}, { sources: [source('app')] })
    await expect
      .poll(async () => (await post(gateway!, '{ source(name: "app") { status } }')).body.data!['source'].status, {
        timeout: 60_000,
      })
      .toBe('LOADING')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const { logged } = gateway
    await gateway.close()
    gateway = undefined
    expect(logged.map(({ msg }) => msg)).not.toContain('loaded the source')
  })
})
