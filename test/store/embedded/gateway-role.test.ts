import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { findBinaries } from '../../../src/store/embedded/binaries.js'
import { durableSettings } from '../../../src/store/embedded/postgres-settings.js'
import { launchPostmaster } from '../../../src/store/embedded/postmaster.js'
import { chooseRunAs } from '../../../src/store/embedded/run-as.js'
import { runProgram, runSingleUser } from '../../../src/store/embedded/run-program.js'
import { socketFolder, unixSocketUrl } from '../../../src/store/embedded/socket-folder.js'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/store/embedded/start-embedded-postgres.js'
import { migrateDatabase } from '../../../src/store/postgres/base/migrate.js'
import { bundleForChild } from '../../support/bundle-for-child.js'

import { runChild } from './run-embedded-child.js'
import { query, scratchFolder } from './scratch-folder.js'

const OLD_LOGINS = 'local all all trust\nhost all all 127.0.0.1/32 trust\n'

/** Makes a data folder as older gateways did: their role was the superuser, and owned everything. */
async function makeOldDataFolder(dataDir: string): Promise<void> {
  const folder = join(dataDir, 'postgres')
  const cluster = join(folder, 'cluster')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const binaries = findBinaries()
  const as = chooseRunAs(binaries, folder)
  mkdirSync(cluster, { mode: 0o700 })
  chooseRunAs(binaries, folder)
  const encoding = ['-E', 'UTF8', '--locale=C', '--no-instructions', '--no-sync']
  await runProgram(as, binaries.initdb, ['-D', cluster, '-U', 'cadastre', '-A', 'trust', ...encoding])
  writeFileSync(join(cluster, 'pg_hba.conf'), OLD_LOGINS)
  await runSingleUser({ as, binaries, cluster, database: 'postgres', sync: false }, ['CREATE DATABASE cadastre'])
  const sockets = socketFolder(folder, as.user)
  const settings = durableSettings(sockets)
  const server = await launchPostmaster({ binaries, as, cluster, settings, log: () => undefined })
  const url = unixSocketUrl(sockets, 'cadastre')
  await migrateDatabase(url)
  await query(
    url,
    // An operator may have added these.
    'CREATE TABLE kept (id int GENERATED ALWAYS AS IDENTITY, number serial, part int) PARTITION BY LIST (part)',
    'CREATE TABLE kept_1 PARTITION OF kept FOR VALUES IN (1)',
    'CREATE VIEW seen AS SELECT id FROM kept',
    'CREATE SEQUENCE alone',
    "CREATE TYPE mood AS ENUM ('good')",
    "CREATE FUNCTION twice(number int) RETURNS int LANGUAGE sql AS 'SELECT 2 * number'",
    'CREATE TEMPORARY TABLE passing (id int)',
    'INSERT INTO kept (part) SELECT 1 FROM generate_series(1, 7)',
  )
  await server.stop()
}

const FOREIGN = `
  SELECT found.type, found.identity FROM (
    SELECT tableoid, oid, relowner AS owner FROM pg_class WHERE relpersistence <> 't' AND relkind <> 't'
    UNION ALL SELECT tableoid, oid, typowner FROM pg_type
    UNION ALL SELECT tableoid, oid, proowner FROM pg_proc
    UNION ALL SELECT tableoid, oid, nspowner FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%') AS o,
    pg_identify_object(o.tableoid, o.oid, 0) AS found
  WHERE o.oid >= 16384 AND o.owner <> 'cadastre'::regrole
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.tableoid AND d.objid = o.oid AND d.deptype = 'e')
    AND found.schema IS DISTINCT FROM 'pg_toast' AND found.type NOT LIKE '%toast%'
    AND found.identity NOT LIKE 'pg\\_temp%'`

async function expectPlainRole(url: string): Promise<void> {
  expect(
    await query(
      url,
      `SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS privileged,
        pg_catalog.pg_get_userbyid(datdba) AS owner
       FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()`,
    ),
  ).toEqual([{ rolname: 'cadastre', privileged: false, owner: 'cadastre' }])
  for (const statement of [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/cadastre-should-not-be-here'",
    "CREATE TEMPORARY TABLE lines (line text); COPY lines FROM '/etc/passwd'",
    'SET ROLE cadastre_superuser',
    'ALTER ROLE cadastre SUPERUSER',
    'CREATE ROLE other',
    'CREATE DATABASE other',
    "ALTER SYSTEM SET archive_command = 'true'",
  ])
    await expect(query(url, statement), statement).rejects.toThrow(/permission denied|must be superuser/)
}

describe.runIf(process.platform === 'linux')('the role of the gateway in the embedded Postgres', () => {
  const undo: (() => unknown)[] = []
  let bundle: string
  const shared = scratchFolder()
  let server: EmbeddedPostgres
  beforeAll(async () => {
    bundle = await bundleForChild('test/store/embedded/embedded-child.ts')
    server = await startEmbeddedPostgres({ dataDir: shared.path })
  })
  afterAll(async () => {
    await server.stop()
    shared.remove()
  })
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  const start = async (dataDir: string): Promise<EmbeddedPostgres> => {
    const started = await startEmbeddedPostgres({ dataDir })
    undo.push(started.stop)
    return started
  }
  const oldDataFolder = async (): Promise<string> => {
    const folder = scratchFolder()
    undo.push(folder.remove)
    await makeOldDataFolder(folder.path)
    return folder.path
  }

  // As a superuser, which it was, `pg_read_file` read the files of the server's user, and COPY ran programs.
  it('reads no files, runs no programs and creates no roles', async () => {
    await expectPlainRole(server.url)
  })

  it('is the only one that can connect, and only to its database', async () => {
    const as = (user: string, database: string) => {
      const url = new URL(server.url)
      url.username = user
      url.pathname = `/${database}`
      return query(url.href, 'SELECT 1 AS one')
    }
    for (const [user, database] of [
      ['cadastre_superuser', 'cadastre'],
      ['cadastre_superuser', 'postgres'],
      ['postgres', 'cadastre'],
      ['cadastre', 'postgres'],
      ['cadastre', 'template1'],
    ] as const)
      await expect(as(user, database), `${user} on ${database}`).rejects.toThrow('no pg_hba.conf entry')
    expect(await as('cadastre', 'cadastre')).toEqual([{ one: 1 }])
  })

  it('migrates a new data folder, with the extension for trigrams', async () => {
    await migrateDatabase(server.url)
    expect(await query(server.url, "SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'")).toHaveLength(1)
    expect(await query(server.url, FOREIGN)).toEqual([])
  })

  it('becomes a plain one in the data folder of an older gateway, and owns what it owned', async () => {
    const dataDir = await oldDataFolder()
    const first = await start(dataDir)
    await expectPlainRole(first.url)
    expect(await query(first.url, FOREIGN)).toEqual([])
    expect(await query(first.url, 'SELECT twice(count(*)::int) AS twice FROM seen')).toEqual([{ twice: 14 }])
    await migrateDatabase(first.url)
    await query(first.url, 'ALTER TABLE kept ADD more text', 'DROP FUNCTION twice(int)', 'DROP VIEW seen')
    await first.stop()

    // The second start finds that nothing is left to do.
    const logins = join(dataDir, 'postgres', 'cluster', 'pg_hba.conf')
    const { ino } = statSync(logins)
    const second = await start(dataDir)
    expect(statSync(logins).ino).toBe(ino)
    await expectPlainRole(second.url)
  })

  it('becomes a plain one although starts are killed at any moment', async () => {
    const dataDir = await oldDataFolder()
    const logins = join(dataDir, 'postgres', 'cluster', 'pg_hba.conf')
    for (let ms = 60; ms < 700; ms += 40) {
      const owner = runChild(bundle, 'serve', dataDir)
      await new Promise((resolve) => setTimeout(resolve, ms))
      await owner.kill9()
    }
    await (await start(dataDir)).stop()
    // A start that was killed after the statements, and before it wrote the file.
    writeFileSync(logins, OLD_LOGINS)
    const last = await start(dataDir)
    expect(readFileSync(logins, 'utf8')).toBe('local cadastre cadastre trust\n')
    await expectPlainRole(last.url)
    expect(await query(last.url, FOREIGN)).toEqual([])
    expect(await query(last.url, 'SELECT count(*)::int AS rows FROM kept')).toEqual([{ rows: 7 }])
  })
})
