import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Binaries } from './binaries.js'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'
import { CREATE_DATABASE, SUPERUSER, writeLogins } from './gateway-role.js'
import type { RunAs } from './run-as.js'
import { runProgram, runSingleUser } from './run-program.js'

const majorVersion = '18'

/**
 * Creates the data folder of a server unless it exists. It is created under another name and then renamed, so a folder
 * that exists is complete, even if a start was killed.
 * @param options.sync false for throwaway servers, which do not wait for the disk
 * @throws EmbeddedUnavailable if the folder cannot be created or is of another major version
 */
export async function prepareCluster(
  cluster: string,
  binaries: Binaries,
  as: RunAs,
  options: { readonly sync: boolean } = { sync: true },
): Promise<void> {
  if (existsSync(join(cluster, 'PG_VERSION'))) return checkVersion(cluster)
  if (existsSync(cluster)) {
    throw new EmbeddedUnavailable(`${cluster} exists but holds no database; move it away, or ${DATABASE_URL_HINT}`)
  }
  removeUnfinished(cluster)
  const unfinished = `${cluster}.unfinished-${process.pid}`
  mkdirSync(unfinished, { mode: 0o700 })
  if (as.user) chownSync(unfinished, as.user.uid, as.user.gid)
  await runProgram(as, binaries.initdb, [
    '-D',
    unfinished,
    '-U',
    SUPERUSER,
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-instructions',
    ...(options.sync ? [] : ['--no-sync']),
  ])
  writeLogins(unfinished, as)
  await runSingleUser({ as, binaries, cluster: unfinished, database: 'postgres', sync: options.sync }, CREATE_DATABASE)
  renameSync(unfinished, cluster)
  if (options.sync) syncFolder(dirname(cluster))
}

function checkVersion(cluster: string): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  if (found === majorVersion) return
  throw new EmbeddedUnavailable(
    `${cluster} was written by Postgres ${found}, and this is ${majorVersion}; export with the gateway that wrote it ` +
      `and apply that to an empty folder, or ${DATABASE_URL_HINT}`,
  )
}

function removeUnfinished(cluster: string): void {
  const folder = dirname(cluster)
  const leftovers = readdirSync(folder).filter((name) => name.startsWith(`${basename(cluster)}.unfinished-`))
  for (const name of leftovers) rmSync(join(folder, name), { recursive: true, force: true })
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
