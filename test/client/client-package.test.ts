import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway } from '../gateway/gateway-fixture.js'

const ROOT = join(import.meta.dirname, '../..')
const MODULES = join(ROOT, 'node_modules')

/** A program that uses everything, and its types. */
const PROGRAM = `
import { createClient } from '@cadastre/client'
const client = createClient({ url: process.argv[2]!, webSocketImpl: null })
const replica = client.replica({ find: { '.ns': 'shop' } })
await replica.ready
const outcome = await client.apply([{ create: { id: 'shop:api', kind: 'k', data: { port: 80 } } }])
if (outcome.type === 'Refused') throw new Error(outcome.message)
while (replica.get('shop:api') === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
const held = await client.acquire('shop:api', { name: 'i', ttlSeconds: 60 })
await held.release()
await replica.close()
console.log(JSON.stringify(replica.entries().map(({ id, data }) => ({ id, data }))))
`

describe('the package of the client', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cadastre-client-'))
    const run = (file: string, ...args: string[]) => execFileSync(file, args, { cwd: folder, stdio: 'pipe' })
    run(process.execPath, join(ROOT, 'scripts/package-client.mjs'), join(folder, 'package'))
    run('npm', 'pack', './package', '--silent')
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
    mkdirSync(join(folder, 'node_modules/@cadastre/client'), { recursive: true })
    run('tar', 'xzf', tarball, '--strip-components', '1', '-C', 'node_modules/@cadastre/client')
    for (const name of ['graphql-ws', 'graphql', '@types'])
      symlinkSync(join(MODULES, name), join(folder, 'node_modules', name))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'program.ts'), PROGRAM)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('works from its tarball, with types', async () => {
    const options = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--types', 'node', 'program.ts']
    execFileSync(process.execPath, [join(MODULES, 'typescript/bin/tsc'), ...options], { cwd: folder, stdio: 'pipe' })
    const gateway = await startTestGateway('memory')
    const { stdout } = await promisify(execFile)(process.execPath, ['program.js', gateway.endpoint], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual([{ id: 'shop:api', data: { port: 80 } }])
    await gateway.close()
  })

  it('takes at most 12,288 bytes, minified and compressed, without graphql-ws', async () => {
    const { output } = (await build({
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        minify: true,
        lib: { entry: join(ROOT, 'src/client/create-client.ts'), formats: ['es'] },
        rolldownOptions: { external: ['graphql-ws'] },
      },
    }).then((built) => (Array.isArray(built) ? built[0]! : built))) as Rolldown.RolldownOutput
    const size = gzipSync(output[0].code).length
    expect(size).toBeGreaterThan(1_000)
    expect(size).toBeLessThanOrEqual(12_288)
  })
})
