import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/server/gateway.js'
import { freePort } from '../support/throwaway-server.js'
import { type BuiltCli, buildCli, runBuilt } from './built-cli.js'
import { openGateway, cli as runInProcess } from './cli-fixture.js'

let built: BuiltCli
let folder: string
let gateway: Gateway

beforeAll(async () => {
  built = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'cadastre-output-'))
  gateway = await openGateway()
  const lines = Array.from({ length: 50 }, (_, i) => JSON.stringify({ id: `a:${i}`, kind: 'k', data: 'x'.repeat(100) }))
  await writeFile(join(folder, 'a.jsonl'), lines.join('\n'))
  expect((await runInProcess(gateway, 'apply', join(folder, 'a.jsonl'))).code).toBe(0)
  await writeFile(join(folder, 'b.json'), JSON.stringify({ id: 'a:1', kind: 'k', data: 'y' }))
})
afterAll(async () => {
  await gateway.close()
  await rm(folder, { recursive: true })
})

interface Run {
  readonly code: number | string | null
  readonly out: string
  readonly err: string
}

/** Runs the program as `$0 $1` of a shell script. */
function shell(script: string, environment: Record<string, string> = {}): Promise<Run> {
  const env = { PATH: process.env['PATH'], CADASTRE_URL: gateway.url, ...environment }
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-c', script, process.execPath, built.main],
      { cwd: folder, env, timeout: 60_000 },
      (error, out, err) => resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), out, err }),
    )
  })
}

describe.runIf(process.platform === 'linux')('a command whose output cannot be written', () => {
  // It printed a stack trace of Node's streams.
  it.each([
    'log',
    'log --transitions',
    'find',
    'get a:1',
    'diff v0 v1',
    'export',
    'plan b.json',
    'apply b.json --dry-run',
    'rollback v0 --dry-run',
    'revert v1 --dry-run',
    'compact r1 --dry-run',
    'tag',
    'source list',
    'instances a:1',
    'watch --initial',
    '--help',
    '--version',
    'apply --help',
  ])('prints one line and exits with 1: %s > /dev/full', async (command) => {
    expect(await shell(`"$0" "$1" ${command} > /dev/full`)).toEqual({
      code: 1,
      out: '',
      err: 'error Standard output cannot be written: no space left on device (ENOSPC)\n',
    })
  })

  it.each(['log', 'export', 'apply b.json --dry-run', '--version'])('prints its code as JSON: %s', async (command) => {
    const { code, err } = await shell(`"$0" "$1" ${command} --json > /dev/full`)
    expect({ code, ...JSON.parse(err) }).toMatchObject({ code: 1, error: { code: 'ENOSPC' } })
  })

  it('exits with its code if not even the error can be written', async () => {
    expect(await shell('"$0" "$1" log > /dev/full 2> /dev/full')).toMatchObject({ code: 1 })
    expect(await shell('"$0" "$1" get a:none 2> /dev/full')).toMatchObject({ code: 1 })
    expect(await shell('"$0" "$1" get 2> /dev/full')).toMatchObject({ code: 2 })
  })

  // Node's stream for files ignores how much of a text the system accepted, so that the end was missing without an error.
  it('notices that a file has accepted only part of the output', async () => {
    const { code, err } = await shell('ulimit -f 2; "$0" "$1" export > part.jsonl')
    expect({ code, err }).toEqual({ code: 1, err: 'error Standard output cannot be written: file too large (EFBIG)\n' })
    expect((await stat(join(folder, 'part.jsonl'))).size).toBeLessThanOrEqual(2048)
    const into = await shell('ulimit -f 2; "$0" "$1" export part')
    expect(into).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^error part\/a\/_index\.yaml .*EFBIG/) })
  })
})

describe('export to a place that it cannot write', () => {
  it.each([
    ['an existing file', 'a.jsonl', 'a.jsonl is not a folder. Export to a new folder, or redirect', 'NOT_A_FOLDER'],
    ['a folder below a file', 'a.jsonl/below', 'a.jsonl/below cannot be written: not a directory', 'ENOTDIR'],
    ['a folder with other files', '.', '. is not empty. Export to a new folder, or add --overwrite', 'NOT_EMPTY'],
    ['a device', '/dev/null', '/dev/null is not a folder', 'NOT_A_FOLDER'],
    // Node's recursive mkdir never returns here.
    ['a folder that cannot be created', '/proc/x', '/proc/x cannot be written: no such file or directory', 'ENOENT'],
    ['one below it', '/proc/x/y', '/proc/x/y cannot be written: no such file or directory', 'ENOENT'],
  ])('prints one line and exits with 1: %s', async (_, target, message, errorCode) => {
    if (target.startsWith('/proc') && process.platform !== 'linux') return
    const { code, out, err } = await shell(`"$0" "$1" export ${target}`)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^error [^\n]*\n$/)
    expect(err).toContain(message)
    const machine = await shell(`"$0" "$1" export ${target} --json`)
    expect(JSON.parse(machine.err)).toMatchObject({ error: { code: errorCode } })
  })

  it('overwrites files with --overwrite, and names one that it cannot', async () => {
    expect(await shell('"$0" "$1" export over && "$0" "$1" export over --overwrite')).toMatchObject({
      code: 0,
      err: '',
    })
    await shell('rm over/a/_index.yaml && mkdir over/a/_index.yaml')
    expect(await shell('"$0" "$1" export over --overwrite')).toEqual({
      code: 1,
      out: '',
      err: 'error over/a/_index.yaml cannot be written: illegal operation on a directory (EISDIR)\n',
    })
  })
})

describe.runIf(process.platform === 'linux')('the store of a command in a place that cannot be written', () => {
  it.each(['migrate', 'serve', 'verify'])('is one line and an exit code: %s', async (command) => {
    for (const CADASTRE_DATA_DIR of ['/proc/x', '/dev/null', join(folder, 'a.jsonl')]) {
      const environment = { CADASTRE_STORE: 'embedded', CADASTRE_DATA_DIR, PORT: '0' }
      const { code, out, err } = await runBuilt(built, [command], environment)
      expect({ code, out }).toEqual({ code: command === 'serve' ? 1 : 3, out: '' })
      expect(err.trim().split('\n')).toHaveLength(1)
      const machine = await runBuilt(built, [command, '--json'], environment)
      expect(JSON.parse(machine.err)).toMatchObject({
        error: { code: command === 'serve' ? 'NOT_STARTED' : 'STORE' },
      })
    }
  })
})

describe('serve', () => {
  it.each([
    [{ PORT: 'abc' }, 'PORT is "abc"'],
    [{ PORT: '70000' }, 'PORT is "70000"'],
    [{ CADASTRE_STORE: 'cloud' }, 'CADASTRE_STORE'],
    [{ CADASTRE_LOG_LEVEL: 'loud' }, 'CADASTRE_LOG_LEVEL'],
    [{ CADASTRE_CONFIG: '/nowhere.yaml' }, 'CADASTRE_CONFIG'],
    [{ CADASTRE_CONFIG: 'unknown-key.yaml' }, 'surprise'],
    [{ CADASTRE_CONFIG: 'wrong-source.yaml' }, 'The source "app"'],
  ])('exits with 2 if its configuration is wrong: %j', async (environment, message) => {
    await writeFile(join(folder, 'unknown-key.yaml'), 'surprise: 1\n')
    await writeFile(join(folder, 'wrong-source.yaml'), 'sources: [{ name: app, provider: filesystem, path: 1 }]\n')
    const script = (more: string) => `cd ${JSON.stringify(folder)} && "$0" "$1" serve ${more}`
    const settings = { CADASTRE_STORE: 'memory', PORT: '0', ...(environment as Record<string, string>) }
    expect(await shell(script(''), settings)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(message),
    })
    const machine = await shell(script('--json'), settings)
    expect(machine.code).toBe(2)
    expect(JSON.parse(machine.err)).toMatchObject({
      error: { code: 'CONFIGURATION', message: expect.stringContaining(message) },
    })
  })

  // A full disk under its log ended the gateway.
  it
    .runIf(process.platform === 'linux')
    .each(['> /dev/full', '2> /dev/full', '> /dev/full 2> /dev/full', '2>&1 | head -n 1'])(
    'goes on if its output cannot be written: %s',
    async (redirection) => {
      const port = String(await freePort())
      const settings = { CADASTRE_STORE: 'memory', PORT: port, HOST: '127.0.0.1' }
      const script = `{ "$0" "$1" serve & echo $! > serve.pid; wait; } ${redirection} &
        for i in $(seq 600); do "$0" "$1" log --url http://127.0.0.1:${port} && break; sleep 0.1; done
        "$0" "$1" get x:y --url http://127.0.0.1:${port}
        kill $(cat serve.pid)`
      const { err } = await shell(script, settings)
      expect(err).toContain('There is no entry x:y')
    },
  )
})
