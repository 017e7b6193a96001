import { execFile, execFileSync, spawn } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEntries, type TestGateway, testGateway } from '../server/server-fixture.js'
import { INSTALL_MS, INTEROP, installInterop } from './packages.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

describe('the examples of clients', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadastre-clients-'))
  let gateway: TestGateway

  beforeAll(async () => {
    await installInterop()
    cpSync(join(ROOT, 'examples/clients'), folder, { recursive: true })
    symlinkSync(join(INTEROP, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    gateway = await testGateway()
    await createEntries(gateway, { 'shop:a': 1, 'shop:b': 2, 'shop:c': 3 })
  }, INSTALL_MS)
  afterAll(async () => {
    await gateway?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('read pages with Relay', async () => {
    copyFileSync(join(ROOT, 'schema/schema.graphql'), join(folder, 'relay/schema.graphql'))
    const compiler = join(INTEROP, 'node_modules/relay-compiler/cli.js')
    execFileSync(process.execPath, [compiler, 'relay.config.json'], { cwd: join(folder, 'relay') })
    const { stdout } = await run(process.execPath, [join(folder, 'relay/read-pages.js'), gateway.endpoint])
    expect(stdout).toBe('shop:a test.thing\nshop:b test.thing\nshop:c test.thing\n')
  })

  it('follow entries with Apollo Client', async () => {
    const follower = spawn(process.execPath, [join(folder, 'apollo/follow-entries.js'), gateway.endpoint, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines: string[] = []
    for await (const line of createInterface({ input: follower.stdout })) {
      lines.push(line)
      if (lines.length === 3) await createEntries(gateway, { 'shop:d': 4 })
    }
    expect(lines).toEqual([
      'read shop:a test.thing',
      'read shop:b test.thing',
      'read shop:c test.thing',
      'CREATE shop:d 4',
    ])
  })

  it('read twice with urql', async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'urql/read-twice.js'), gateway.endpoint])
    expect(stdout).toBe('before shop:a 1\nafter shop:a {"at":"urql"}\n')
  })
})
