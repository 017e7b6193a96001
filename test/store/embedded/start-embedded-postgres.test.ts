import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/store/embedded/start-embedded-postgres.js'
import { bundleForChild } from '../../support/bundle-for-child.js'
import { type Child, runChild } from './run-embedded-child.js'
import { processesBelow, query, scratchFolder, until } from './scratch-folder.js'

describe.runIf(process.platform === 'linux')('the embedded Postgres', () => {
  let bundle: string
  const undo: (() => unknown)[] = []
  const made = scratchFolder()
  const shared = scratchFolder()
  beforeAll(async () => {
    bundle = await bundleForChild('test/store/embedded/embedded-child.ts')
    await (await startEmbeddedPostgres({ dataDir: made.path })).stop()
    withData(shared.path)
  })
  afterAll(async () => {
    made.remove()
    shared.remove()
  })
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  const scratch = (): string => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    return folder.path
  }
  /** Another folder with its data in place. Creating and copying are slow, so most tests use the one in `shared`. */
  const withData = (dataDir = scratch()): string => {
    const cluster = join('postgres', 'cluster')
    mkdirSync(dirname(join(dataDir, cluster)), { recursive: true, mode: 0o700 })
    cpSync(join(made.path, cluster), join(dataDir, cluster), { recursive: true })
    // Since Node 24 a copied folder has the default mode, and Postgres accepts only this one.
    chmodSync(join(dataDir, cluster), 0o700)
    return dataDir
  }
  const start = async (dataDir: string, log?: (line: string) => void): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir, ...(log && { log }) })
    undo.push(server.stop)
    return server
  }
  const child = (task: string, folder: string): Child => {
    const started = runChild(bundle, task, folder)
    undo.push(started.kill9)
    return started
  }

  it('runs with durable settings below a private folder whose path has a space', async () => {
    const dataDir = join(scratch(), 'a folder')
    const { url, stop } = await start(dataDir)
    const names = [
      'fsync',
      'synchronous_commit',
      'full_page_writes',
      'listen_addresses',
      'TimeZone',
      'server_encoding',
      'lc_collate',
      'lc_ctype',
    ]
    const rows = await query(url, `SELECT name, setting FROM pg_settings WHERE name = ANY('{${names.join()}}')`)
    const settings = Object.fromEntries(rows.map((row) => [row['name'], row['setting']]))
    expect(settings).toMatchObject({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      listen_addresses: '',
      TimeZone: 'UTC',
      server_encoding: 'UTF8',
    })
    expect(
      (await query(url, 'SELECT datcollate, datctype FROM pg_database WHERE datname = current_database()'))[0],
    ).toEqual({ datcollate: 'C', datctype: 'C' })
    expect(statSync(join(dataDir, 'postgres', 'socket')).mode & 0o777).toBe(0o700)
    expect(statSync(join(dataDir, 'postgres', 'cluster')).mode & 0o777).toBe(0o700)

    await query(url, 'CREATE TABLE kept (id int)', 'INSERT INTO kept VALUES (7)')
    await stop()
    const again = await start(dataDir)
    expect(await query(again.url, 'SELECT id FROM kept')).toEqual([{ id: 7 }])
  })

  it('leaves no process and no socket behind when it is stopped', async () => {
    const dataDir = shared.path
    const server = await start(dataDir)
    expect(processesBelow(dataDir).length).toBeGreaterThan(1)
    await Promise.all([server.stop(), server.stop()])
    expect(processesBelow(dataDir)).toEqual([])
    const left = readdirSync(join(dataDir, 'postgres'), { recursive: true, withFileTypes: true })
    expect(left.filter((entry) => entry.isSocket())).toEqual([])
    expect(existsSync(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'))).toBe(false)
  })

  it('works if the path is longer than that of a socket may be', async () => {
    const dataDir = withData(join(scratch(), 'long'.repeat(30), 'longer'.repeat(30)))
    const server = await start(dataDir)
    const socket = new URL(server.url).searchParams.get('host') ?? ''
    expect(Buffer.byteLength(socket)).toBeLessThan(90)
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow('is in use')
    await server.stop()
    expect(existsSync(socket)).toBe(false)
  })

  it('refuses a second owner while the first one lives, names it, and leaves the first one undisturbed', async () => {
    const dataDir = shared.path
    const owner = child('serve', dataDir)
    const url = (await owner.line('ready')).split(' ')[2] ?? ''
    const second = startEmbeddedPostgres({ dataDir })
    await expect(second).rejects.toThrow(`is in use by the gateway with process id ${owner.process.pid}`)
    await expect(second).rejects.toThrow('DATABASE_URL')
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('keeps acknowledged commits when its owner is killed with SIGKILL, and starts again at once', async () => {
    const dataDir = shared.path
    const owner = child('serve', dataDir)
    const url = (await owner.line('ready')).split(' ')[2] ?? ''
    await query(
      url,
      'DROP TABLE IF EXISTS kept',
      'CREATE TABLE kept (id int)',
      'INSERT INTO kept SELECT generate_series(1, 1000)',
    )
    await owner.kill9()
    const next = await start(dataDir)
    expect(await query(next.url, 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 1000 }])
  })

  it('does not outlive an owner that was killed with SIGKILL', async () => {
    const dataDir = shared.path
    const owner = child('serve', dataDir)
    await owner.line('ready')
    await owner.kill9()
    await until(() => processesBelow(dataDir).length === 0)
  })

  it('stops the server that a killed owner left running, and no other', async () => {
    const dataDir = withData()
    const folder = join(dataDir, 'postgres')
    const owner = child('abandon', folder)
    const pid = Number((await owner.line('ready')).split(' ')[1])
    await owner.kill9()
    const other = await start(shared.path)
    expect(processesBelow(folder)).toContain(pid)
    const next = await start(dataDir)
    expect(processesBelow(folder)).not.toContain(pid)
    for (const { url } of [next, other]) expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('ignores the reused pid in the file of a killed server', async () => {
    const dataDir = shared.path
    const cluster = join(dataDir, 'postgres', 'cluster')
    writeFileSync(join(cluster, 'postmaster.pid'), `${process.pid}\n${cluster}\n0\n5432\n\n\n0 0\nready\n`)
    const server = await start(dataDir)
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('restarts at the same address with all data when the server itself is killed', async () => {
    const said: string[] = []
    const server = await start(shared.path, (line) => said.push(line))
    await query(server.url, 'DROP TABLE IF EXISTS kept', 'CREATE TABLE kept (id int)', 'INSERT INTO kept VALUES (1)')
    for (const round of [1, 2]) {
      const before = server.pid() ?? 0
      process.kill(before, 'SIGKILL')
      await until(() => server.pid() !== undefined && server.pid() !== before)
      expect(await query(server.url, 'SELECT id FROM kept')).toEqual([{ id: 1 }])
      expect(said.filter((line) => line.includes('ended unexpectedly'))).toHaveLength(round)
    }
  })

  it('keeps running when a Ctrl-C reaches the whole process group of its owner', async () => {
    const owner = child('serve', shared.path)
    const url = (await owner.line('ready')).split(' ')[2] ?? ''
    process.kill(-(owner.process.pid ?? 0), 'SIGINT')
    await owner.line('received SIGINT')
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('serves two folders at once', async () => {
    const folders = [withData(), shared.path]
    const servers = await Promise.all(folders.map((folder) => start(folder)))
    for (const [index, { url }] of servers.entries())
      await query(url, 'DROP TABLE IF EXISTS here', `CREATE TABLE here AS SELECT ${index} AS id`)
    for (const [index, { url }] of servers.entries())
      expect(await query(url, 'SELECT id FROM here')).toEqual([{ id: index }])
  })

  it('creates its data again if the creation was interrupted', async () => {
    const dataDir = scratch()
    const unfinished = join(dataDir, 'postgres', 'cluster.unfinished-1')
    mkdirSync(unfinished, { recursive: true })
    writeFileSync(join(unfinished, 'PG_VERSION'), '18\n')
    const server = await start(dataDir)
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    expect(existsSync(unfinished)).toBe(false)
  })

  it.each([
    [
      'data of another major version',
      (folder: string) => {
        mkdirSync(join(folder, 'postgres', 'cluster'), { recursive: true })
        writeFileSync(join(folder, 'postgres', 'cluster', 'PG_VERSION'), '17\n')
        return folder
      },
      /written by Postgres 17, and this is 18.*DATABASE_URL/,
    ],
    [
      'a folder that is not a database',
      (folder: string) => {
        mkdirSync(join(folder, 'postgres', 'cluster'), { recursive: true })
        return folder
      },
      /holds no database.*DATABASE_URL/,
    ],
    [
      'a path that is none',
      (folder: string) => {
        writeFileSync(join(folder, 'file'), '')
        return join(folder, 'file')
      },
      /file\/postgres cannot be created.*CADASTRE_DATA_DIR.*DATABASE_URL/,
    ],
  ])('says what is wrong and what to do: %s', async (_name, make, message) => {
    const dataDir = make(scratch())
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(message)
    // It also releases the folder: the next attempt meets the same problem, not its predecessor.
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(message)
  })
})
