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
  // Some 20 s of parsing.
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
  options: { path: join(folder, 'registry'), form: 'entry' },
})

describe('a gateway with a hostile file in its folder', () => {
  it('answers while the file is read, reports it, and loads the others', async () => {
    gateway = await testGateway({}, { sources: [source('app')] })
    let longest = 0
    let state: any
    let reads = 0
    const until = Date.now() + 50_000
    do {
      const began = performance.now()
      const { body } = await post(
        gateway,
        '{ entries { totalCount } source(name: "app") { status loaded failed reloadCount failures { location message } } }',
      )
      longest = Math.max(longest, performance.now() - began)
      reads += 1
      state = body.data!['source']
    } while (state.reloadCount === 0 && Date.now() < until)
    expect(state).toMatchObject({
      status: 'WATCHING',
      loaded: 2,
      failed: 1,
      failures: [{ location: 'hostile.yaml', message: expect.stringMatching(/^takes longer than \d+ s to parse$/) }],
    })
    expect(longest).toBeLessThan(3_000)
    expect(reads).toBeGreaterThan(100)

    // As long as it is the same, it costs nobody anything again.
    writeFileSync(join(folder, 'registry', 'a.json'), '{"id":"app:a","kind":"test.thing","data":2}')
    const began = performance.now()
    await expect
      .poll(async () => (await post(gateway!, '{ entry(id: "app:a") { data } }')).body.data!['entry'].data, {
        timeout: 10_000,
      })
      .toBe(2)
    expect(performance.now() - began).toBeLessThan(8_000)
  }, 90_000)

  it('stops while the file is read', async () => {
    gateway = await testGateway({}, { sources: [source('app')] })
    await expect
      .poll(async () => (await post(gateway!, '{ source(name: "app") { status } }')).body.data!['source'].status, {
        timeout: 10_000,
      })
      .toBe('LOADING')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const began = performance.now()
    await gateway.close()
    gateway = undefined
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})
