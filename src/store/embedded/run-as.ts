import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { chownSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Binaries } from './binaries.js'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'

interface User {
  readonly uid: number
  readonly gid: number
}

/** The user that runs the server's programs. Postgres refuses to run as root, so root must become another user. */
export interface RunAs {
  readonly description: string
  /** Comes before the program and its arguments. */
  readonly prefix: readonly string[]
  /** The user that runs the process and owns the data. */
  readonly user?: User
}

// The server has its own environment, so that variables such as PGPORT and LC_ALL of the caller do not reach it.
const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/** Starts a program in a session of its own, so that Ctrl-C at the terminal reaches only the gateway. */
export function spawnAs(
  as: RunAs,
  program: string,
  args: readonly string[],
  stdio: SpawnOptions['stdio'],
): ChildProcess {
  const [file, ...rest] = [...as.prefix, program, ...args]
  return spawn(file ?? program, rest, { stdio, detached: true, cwd: '/', env: environment, ...as.user })
}

// In its own user namespace the server does not see itself as root, while its files still belong to root. It works below
// folders that only root may enter.
const namespace = ['unshare', '--user', '--map-user=65534', '--map-group=65534']

// The kernel sends the server SIGINT (a fast shutdown) when its parent dies, for whatever reason. This must come last,
// because entering a namespace or changing the user resets it.
const untilParentDies = ['setpriv', '--pdeathsig', 'INT']

/**
 * Finds a way to run the server on data in `folder`, by trying the ways in order of preference.
 * @param folder an existing folder of this user; its content changes its owner if the chosen user is another one
 * @param ways for tests; by default every suitable way
 * @throws EmbeddedUnavailable with the error of each way
 */
export function chooseRunAs(
  binaries: Binaries,
  folder: string,
  ways: readonly RunAs[] = waysFor(binaries, folder),
): RunAs {
  const errors: string[] = []
  const before = lstatSync(join(folder, 'cluster'), { throwIfNoEntry: false }) ?? lstatSync(folder)
  for (const way of ways) {
    // Only the folder itself, so that a start that is killed here leaves the data as they were.
    if (way.user) chownSync(folder, way.user.uid, way.user.gid)
    const failure = attempt(way, binaries, folder)
    if (failure === undefined) {
      // The cluster's own folder changes its owner first: after a crash the next start sees whom to give the rest.
      if (way.user) giveTo(way.user, folder)
      return way
    }
    errors.push(`${way.description}: ${failure}`)
    // The next way, and the next start, must find the folder unchanged.
    if (way.user) chownSync(folder, before.uid, before.gid)
  }
  throw new EmbeddedUnavailable(
    `no way was found to run ${binaries.postgres} on ${folder} (${[...new Set(errors)].join('; ')}); ` +
      `start the gateway as a user other than root, or ${DATABASE_URL_HINT}`,
  )
}

function waysFor(binaries: Binaries, folder: string): RunAs[] {
  const plain: RunAs = { description: 'as the current user', prefix: [] }
  const ways = process.getuid?.() === 0 ? waysForRoot(binaries, folder) : [plain]
  if (process.platform !== 'linux') return ways
  return ways.flatMap((way) => [{ ...way, prefix: [...way.prefix, ...untilParentDies] }, way])
}

function waysForRoot(binaries: Binaries, folder: string): RunAs[] {
  const asUser = (user: User): RunAs => ({ description: `as user ${user.uid}`, prefix: [], user })
  const owner = lstatSync(join(folder, 'cluster'), { throwIfNoEntry: false })
  // Postgres accepts no data of another user, so the owner of existing data must serve it.
  if (owner && owner.uid !== 0) return [asUser({ uid: owner.uid, gid: owner.gid })]
  const { uid, gid } = lstatSync(binaries.postgres)
  const others = [...(uid === 0 ? [] : [{ uid, gid }]), ...knownUsers(['postgres', 'nobody'])]
  const inNamespace: RunAs = { description: 'in a user namespace', prefix: namespace }
  // In the namespace the server is still uid 0 to the kernel outside, so it comes last. It is for folders that no other
  // user can reach, and for systems without such users.
  return [...others.map(asUser), ...(process.platform === 'linux' ? [inNamespace] : [])]
}

function knownUsers(names: readonly string[]): User[] {
  const lines = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  return names.flatMap((name) => {
    const line = lines.find(([candidate]) => candidate === name)
    return line ? [{ uid: Number(line[2]), gid: Number(line[3]) }] : []
  })
}

function giveTo(user: User, path: string): void {
  const found = lstatSync(path)
  if (found.uid !== user.uid || found.gid !== user.gid) chownSync(path, user.uid, user.gid)
  if (!found.isDirectory()) return
  for (const name of readdirSync(path)) giveTo(user, join(path, name))
}

/** Tries to run the program in the folder. Returns the error, or undefined if the folder can be entered and written. */
function attempt(way: RunAs, binaries: Binaries, folder: string): string | undefined {
  const script = 'cd "$1" && test -w . && exec "$0" --version'
  const [file, ...args] = [...way.prefix, '/bin/sh', '-c', script, binaries.postgres, folder]
  const { status, stderr, error } = spawnSync(file ?? '', args, {
    cwd: '/',
    env: environment,
    encoding: 'utf8',
    timeout: 10_000,
    ...way.user,
  })
  if (status === 0) return undefined
  return error?.message ?? (stderr.trim().split('\n')[0] || `exit code ${status}`)
}
