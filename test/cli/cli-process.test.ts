import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/server/gateway.js'
import type { TestDatabase } from '../support/test-postgres.js'
import { createEmptyDatabase } from '../support/test-postgres.js'
import type { BuiltCli } from './built-cli.js'
import { buildCli, runBuilt, startCli, until } from './built-cli.js'
import { openGateway, cli as runInProcess } from './cli-fixture.js'

const REGISTRY = fileURLToPath(new URL('../fixtures/registry', import.meta.url))

let built: BuiltCli
let folder: string

beforeAll(async () => {
  built = await buildCli()
  folder = await mkdtemp(join(tmpdir(), 'cadastre-process-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('cadastre as a process', () => {
  let gateway: Gateway
  let environment: Record<string, string>

  beforeAll(async () => {
    gateway = await openGateway()
    environment = { CADASTRE_URL: gateway.url }
    const lines = Array.from({ length: 5000 }, (_, i) =>
      JSON.stringify({ id: `many:${i}`, kind: 'thing', data: 'x'.repeat(200) }),
    )
    await writeFile(join(folder, 'many.jsonl'), lines.join('\n'))
    expect((await runInProcess(gateway, 'apply', join(folder, 'many.jsonl'))).code).toBe(0)
  })
  afterAll(() => gateway.close())

  it('finds its gateway by CADASTRE_URL or --url, and reports the outcome by its exit code', async () => {
    expect(await runBuilt(built, ['get', 'many:1'], environment)).toMatchObject({
      code: 0,
      out: expect.stringContaining('id: many:1'),
    })
    expect(await runBuilt(built, ['get', 'many:1', '--url', gateway.endpoint])).toMatchObject({ code: 0 })
    expect(await runBuilt(built, ['get', 'many:none'], environment)).toMatchObject({ code: 1, out: '' })
    expect(await runBuilt(built, ['get'], environment)).toMatchObject({ code: 2, out: '' })
    expect(await runBuilt(built, ['get', 'many:1', '--url', 'http://127.0.0.1:1'])).toMatchObject({ code: 3, out: '' })
  })

  it('exits quietly if the reader closes the pipe', async () => {
    const { PATH = '' } = process.env
    const pipe = spawn('sh', ['-c', '"$0" "$1" export | head -n 2', process.execPath, built.main], {
      env: { PATH, ...environment },
    })
    let out = ''
    let err = ''
    pipe.stdout.on('data', (text) => {
      out += text
    })
    pipe.stderr.on('data', (text) => {
      err += text
    })
    await new Promise((resolve) => pipe.on('close', resolve))
    expect(out.split('\n')).toHaveLength(3)
    expect(err).toBe('')
  })

  it('uses colours only if they are enabled', async () => {
    const plan = (more: Record<string, string>) => runBuilt(built, ['plan', REGISTRY], { ...environment, ...more })
    expect((await plan({})).out).not.toContain('\u001b')
    expect((await plan({ FORCE_COLOR: '1' })).out).toContain('\u001b[32m')
    expect((await plan({ FORCE_COLOR: '1', NO_COLOR: '1' })).out).not.toContain('\u001b')
  })
})

describe('with a store in Postgres', () => {
  let database: TestDatabase
  let store: Record<string, string>

  beforeAll(async () => {
    database = await createEmptyDatabase()
    store = { DATABASE_URL: database.url }
  })
  afterAll(() => database.drop())

  it('migrate creates the tables, and is idempotent', async () => {
    for (const _ of [1, 2]) {
      expect(await runBuilt(built, ['migrate'], store)).toEqual({
        code: 0,
        out: 'The tables of the store (postgres) are up to date.\n',
        err: '',
      })
    }
    expect(await runBuilt(built, ['migrate'], { DATABASE_URL: 'mysql://x' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('DATABASE_URL'),
    })
    expect(await runBuilt(built, ['migrate'], { DATABASE_URL: 'postgres://127.0.0.1:1/none' })).toMatchObject({
      code: 3,
      err: expect.stringContaining('The store cannot be opened'),
    })
  })

  it('serve runs a gateway that stops on SIGTERM', async () => {
    const gateway = startCli(built, ['serve'], { ...store, PORT: '0', CADASTRE_LOG_LEVEL: 'silent' })
    await until('a ready gateway', () => gateway.out().includes('ready'), gateway)
    const url = /http:\/\/\S+/.exec(gateway.out())![0]
    expect(await runBuilt(built, ['log', '--url', url])).toMatchObject({ code: 0 })
    gateway.child.kill('SIGTERM')
    expect(await gateway.ended).toBe(0)
  })

  it('verify accepts intact history, and names a changed row', async () => {
    const gateway = await openGateway({ ...store, CADASTRE_STORE: 'postgres' })
    expect((await runInProcess(gateway, 'apply', REGISTRY)).code).toBe(0)
    expect(await runBuilt(built, ['verify'], store)).toEqual({
      code: 0,
      out: '2 versions, 1 revisions and 9 changes: all intact.\n',
      err: '',
    })
    await gateway.close()

    const { default: postgres } = await import('postgres')
    const sql = postgres(database.url, { max: 1 })
    await sql`UPDATE version SET message = 'another' WHERE number = 1`
    const { code, out } = await runBuilt(built, ['verify', '--json'], store)
    await sql`UPDATE version SET message = NULL WHERE number = 1`
    await sql.end()
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ ok: false, corruptions: [{ part: 'version', where: 'v1' }] })
    expect(await runBuilt(built, ['verify'], { CADASTRE_STORE: 'memory' })).toMatchObject({ code: 2 })
  })

  it('verify does not create a missing store', async () => {
    const nothing = join(folder, 'nothing-here')
    const { code, out, err } = await runBuilt(built, ['verify'], {
      CADASTRE_STORE: 'embedded',
      CADASTRE_DATA_DIR: nothing,
    })
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toContain(`there is no store in ${nothing}`)
    expect(existsSync(nothing)).toBe(false)
  })

  it('verify uses the dependency patterns of plugins, and leaves the reference index unchanged', async () => {
    const plugin = join(folder, 'patterns.mjs')
    await writeFile(
      plugin,
      'export default (api) => api.dependencyPattern({ path: "data.wires.*", allowWildcard: true })',
    )
    await writeFile(join(folder, 'plugins.yaml'), `plugins: [${JSON.stringify(plugin)}]`)
    const environment = { ...store, CADASTRE_STORE: 'postgres', CADASTRE_CONFIG: join(folder, 'plugins.yaml') }
    const gateway = await openGateway(environment)
    await writeFile(
      join(folder, 'wired.json'),
      JSON.stringify({ id: 'wired:a', kind: 'thing', data: { wires: ['b'] } }),
    )
    expect((await runInProcess(gateway, 'apply', join(folder, 'wired.json'))).code).toBe(0)
    await gateway.close()
    const { default: postgres } = await import('postgres')
    const sql = postgres(database.url, { max: 1 })
    const indexed = async () => [
      await sql`SELECT references_fingerprint FROM head_pointer`,
      await sql`SELECT path FROM reference WHERE ns = 'wired'`,
    ]
    const before = await indexed()
    expect(before[1]).toHaveLength(1)
    expect(await runBuilt(built, ['verify'], environment)).toMatchObject({ code: 0 })
    expect(await indexed()).toEqual(before)
    await sql.end()
    await writeFile(join(folder, 'shelf.yaml'), 'store: { provider: shelf }')
    expect(await runBuilt(built, ['verify'], { ...store, CADASTRE_CONFIG: join(folder, 'shelf.yaml') })).toMatchObject({
      code: 2,
      err: expect.stringContaining('"shelf" belongs to a plugin'),
    })
  })

  it('watch resumes after a gateway restart without losing or repeating a change', async () => {
    const environment = { ...store, CADASTRE_STORE: 'postgres' }
    let gateway = await openGateway(environment)
    const port = new URL(gateway.url).port
    const base = Number(
      /"revision":(\d+)/.exec((await runInProcess(gateway, 'log', '--transitions', '--json')).out)![1],
    )
    const all = startCli(built, ['watch', '--json'], { CADASTRE_URL: gateway.url })
    const some = startCli(built, ['watch', '--initial', '--find', '.ns=watched', 'odd=true'], {
      CADASTRE_URL: gateway.url,
    })
    await until('the first batch', () => all.out().includes('"synced":true'), all, some)

    const path = join(folder, 'watched.json')
    const change = async (value: number) => {
      await writeFile(
        path,
        JSON.stringify(
          [1, 2].map((n) => ({ id: `watched:${n}`, kind: 'thing', meta: { odd: (value + n) % 2 === 1 }, data: value })),
        ),
      )
      expect((await runInProcess(gateway, 'apply', path)).code).toBe(0)
    }
    for (let round = 0; round < 3; round++) {
      await change(2 * round + 1)
      await gateway.close()
      gateway = await openGateway({ ...environment, PORT: port })
      // Written while the watchers reconnect.
      await change(2 * round + 2)
    }
    const last = `"revision":${base + 6},`
    await until('the last batch', () => all.out().includes(last) && some.out().includes(`r${base + 6} `), all, some)
    const processes = [all, some]
    for (const { child } of processes) child.kill('SIGINT')
    expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual([0, 0])

    const batches = all
      .out()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { revision: number; changes: { entryId: string }[]; cursor: string })
    const seen = batches.flatMap(({ revision, changes }) => changes.map(({ entryId }) => `${revision} ${entryId}`))
    expect(seen).toEqual([1, 2, 3, 4, 5, 6].flatMap((n) => [`${base + n} watched:1`, `${base + n} watched:2`]))
    // A line for each attempt filled logs: one for the loss and one for the return are enough.
    const states =
      all
        .err()
        .match(/^(connection lost|reconnected)/gm)
        ?.join() ?? ''
    expect(states).toMatch(/^(connection lost,reconnected,?){1,3}$/)
    // In a filtered stream an entry is created (+) when it begins to match and deleted (-) when it stops matching.
    const lines = some
      .out()
      .trim()
      .split('\n')
      .map((line) =>
        line.replace(
          /^r(\d+) v\d+ (. \S+) .*$/,
          (_, revision: string, what: string) => `${Number(revision) - base} ${what}`,
        ),
      )
    expect([...lines].sort()).toEqual(
      [1, 2, 3, 4, 5, 6]
        .flatMap((n) => [
          ...(n > 1 ? [`${n} - watched:${n % 2 === 0 ? 2 : 1}`] : []),
          `${n} + watched:${n % 2 === 0 ? 1 : 2}`,
        ])
        .sort(),
    )

    const after = batches.find(({ revision }) => revision === base + 4)!.cursor
    const resumed = startCli(built, ['watch', '--json', '--after', after], { CADASTRE_URL: gateway.url })
    await until('the remaining batches', () => resumed.out().includes(last), resumed)
    resumed.child.kill('SIGTERM')
    expect(await resumed.ended).toBe(0)
    expect(
      [...resumed.out().matchAll(/"revision":(\d+),"complete"/g)].map(([, revision]) => Number(revision) - base),
    ).toEqual([5, 6])
    await gateway.close()
  }, 240_000)

  it('watch exits with 1 if the gateway refuses the request', async () => {
    const gateway = await openGateway({ ...store, CADASTRE_STORE: 'postgres' })
    const run = (...argv: string[]) => runBuilt(built, ['watch', ...argv], { CADASTRE_URL: gateway.url })
    expect(await run('--after', 'nonsense')).toMatchObject({ code: 1, out: '', err: expect.stringContaining('cursor') })
    expect(await run('--find', '.colour=red')).toMatchObject({ code: 1, err: expect.stringContaining('.colour') })
    await gateway.close()
  })
})
