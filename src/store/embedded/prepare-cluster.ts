import { once } from 'node:events'
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
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Binaries } from './binaries.js'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'
import { type RunAs, spawnAs } from './run-as.js'

/** The user and the database of a new cluster. */
export const DATABASE_NAME = 'cadastre'

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
  await run(as, binaries.initdb, [
    '-D',
    unfinished,
    '-U',
    DATABASE_NAME,
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-instructions',
    ...(options.sync ? [] : ['--no-sync']),
  ])
  // Only this user can reach the socket: its folder is closed to everybody else.
  writeFileSync(join(unfinished, 'pg_hba.conf'), 'local all all trust\nhost all all 127.0.0.1/32 trust\n')
  await run(
    as,
    binaries.postgres,
    ['--single', '-D', unfinished, ...(options.sync ? [] : ['-F']), 'postgres'],
    `CREATE DATABASE ${DATABASE_NAME}\n`,
  )
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

async function run(as: RunAs, program: string, args: readonly string[], input = ''): Promise<void> {
  const child = spawnAs(as, program, args, ['pipe', 'pipe', 'pipe'])
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  // The program may exit before it has read its input. Its exit code then reports the failure.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  // Creating a cluster takes a second, or a minute on a very slow disk.
  const deadline = setTimeout(() => child.kill('SIGKILL'), 180_000)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(deadline)
  if (code === 0 && !/\b(?:ERROR|FATAL|PANIC):/.test(output)) return
  throw new EmbeddedUnavailable(`${basename(program)} failed (${signal ?? code}): ${output.trim().slice(-2_000)}`)
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
