import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import type { TestProject } from 'vitest/node'
import { migrateDatabase } from '../../src/store/postgres/base/migrate.js'
import { startThrowawayServer } from './throwaway-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the shared server's maintenance database. */
    postgresUrl: string
    /** The name of a database with this version's tables, for copies. */
    migratedDatabase: string
    /** The folder of `madeOnce`. */
    sharedFolder: string
  }
}

/** Starts the server that the whole run shares. The returned function stops it and removes its folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // To use another server, for example of another version: `CADASTRE_TEST_POSTGRES=postgres://… npm test`.
  const given = process.env['CADASTRE_TEST_POSTGRES']
  const server = given === undefined ? await startThrowawayServer({ durable: false }) : null
  const url = given ?? server!.url('postgres')
  const migrated = `test_migrated_${process.pid}`
  await prepareMigrated(url, migrated)
  project.provide('postgresUrl', url)
  project.provide('migratedDatabase', migrated)
  // Below node_modules, so that packages are found from there.
  const shared = fileURLToPath(new URL(`../../node_modules/.cadastre-test/run-${process.pid}`, import.meta.url))
  project.provide('sharedFolder', shared)
  return async () => {
    rmSync(shared, { recursive: true, force: true })
    if (server !== null) await server.remove()
    else await onServer(url, `DROP DATABASE IF EXISTS ${migrated}`)
  }
}

async function prepareMigrated(maintenance: string, name: string): Promise<void> {
  await onServer(maintenance, `DROP DATABASE IF EXISTS ${name}`, `CREATE DATABASE ${name} TEMPLATE template0`)
  const url = new URL(maintenance)
  url.pathname = `/${name}`
  await migrateDatabase(url.href)
  // Only a database without connections can be copied.
  await onServer(maintenance, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
}

async function onServer(url: string, ...statements: string[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  for (const statement of statements) await sql.unsafe(statement)
  await sql.end({ timeout: 5 })
}
