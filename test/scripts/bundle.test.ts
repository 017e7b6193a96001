import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BuiltCli, buildCli, startCli } from '../cli/built-cli.js'

// The output shows which code runs: this one replaces a bundle, and the compiled files print that they are ready.
const STAND_IN = "export const serve = async () => { process.stdout.write('the bundle runs\\n') }\n"

describe('the bundle', () => {
  let built: BuiltCli
  beforeAll(async () => {
    built = await buildCli()
  }, 60_000)
  afterAll(() => built.remove())

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
  }, 30_000)

  it('does not run if the compiled files are newer', async () => {
    expect(await printed(false)).toContain('Cadastre is ready')
  }, 30_000)

  it('does not run if CADASTRE_WITHOUT names it', async () => {
    expect(await printed(true, { CADASTRE_WITHOUT: 'bundle' })).toContain('Cadastre is ready')
  }, 30_000)
})
