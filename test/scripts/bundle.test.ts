import { cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltCli, buildCli, startCli } from '../cli/built-cli.js'

// The output shows which code runs: this one replaces a bundle, and the compiled files print that they are ready.
const STAND_IN = "export const serve = async () => { process.stdout.write('the bundle runs\\n') }\n"

describe('the bundle', () => {
  let built: BuiltCli
  let copy: string
  beforeAll(async () => {
    const { main } = await buildCli()
    // A copy, because these tests change it.
    const shared = dirname(dirname(dirname(main)))
    copy = `${shared}-copy`
    cpSync(shared, copy, { recursive: true, verbatimSymlinks: true })
    built = { main: join(copy, relative(shared, main)) }
  })
  afterAll(() => rmSync(copy, { recursive: true }))

  async function printed(bundleIsNewer: boolean, environment: Record<string, string> = {}): Promise<string> {
    const dist = dirname(dirname(built.main))
    mkdirSync(join(dist, 'bundle'), { recursive: true })
    writeFileSync(join(dist, 'bundle/serve.js'), STAND_IN)
    const now = Date.now() / 1_000
    utimesSync(join(dist, 'server/main.js'), now, now)
    utimesSync(join(dist, 'bundle/serve.js'), now, now + (bundleIsNewer ? 1 : -1))
    const gateway = startCli(built, ['serve'], {
      CADASTRE_STORE: 'memory',
      PORT: '0',
      CADASTRE_LOG_LEVEL: 'error',
      ...environment,
    })
    const line = await new Promise<string>((resolve) => gateway.child.stdout!.once('data', resolve))
    gateway.child.kill('SIGTERM')
    await gateway.ended
    return line
  }

  it('runs instead of the compiled files', async () => {
    expect(await printed(true)).toBe('the bundle runs\n')
  })

  it('does not run if the compiled files are newer', async () => {
    expect(await printed(false)).toContain('Cadastre is ready')
  })

  it('does not run if CADASTRE_WITHOUT names it', async () => {
    expect(await printed(true, { CADASTRE_WITHOUT: 'bundle' })).toContain('Cadastre is ready')
  })
})
