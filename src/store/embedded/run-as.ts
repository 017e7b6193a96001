import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Binaries } from './binaries.js'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'
import { inMountNamespace } from './mount-namespace.js'

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
  /** The prefix is run as root and changes the user itself. */
  readonly changesUser?: true
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
  return spawn(file ?? program, rest, { stdio, detached: true, cwd: '/', env: environment, ...spawnUser(as) })
}

const spawnUser = (as: RunAs): User | undefined => (as.changesUser ? undefined : as.user)

// In its own user namespace the server does not see itself as root, while its files still belong to root. It works below
// folders that only root may enter.
const namespace = ['unshare', '--user', '--map-user=65534', '--map-group=65534']

// The kernel sends the server SIGINT (a fast shutdown) when its parent dies, for whatever reason. This must come last,
// because entering a namespace or changing the user resets it.
const untilParentDies = ['setpriv', '--pdeathsig', 'INT']

/**
 * Finds a way to run the server on data in `folder`, by trying the ways in order of preference. The folder stays this
 * user's, so that the server's user cannot replace the files in it that the gateway opens. The server's user may only
 * pass through it, to the cluster and to the socket.
 * @param folder an existing folder of this user; the cluster in it changes its owner if the chosen user is another one
 * @param ways for tests; by default every suitable way
 * @throws EmbeddedUnavailable with the error of each way
 */
export function chooseRunAs(
  binaries: Binaries,
  folder: string,
  ways: readonly RunAs[] = waysFor(binaries, folder),
): RunAs {
  const errors: string[] = []
  const { mode } = lstatSync(folder)
  for (const way of ways) {
    chmodSync(folder, way.user ? 0o711 : 0o700)
    const failure = attempt(way, binaries, folder)
    if (failure === undefined) {
      if (way.user) giveTo(way.user, join(folder, 'cluster'))
      return way
    }
    errors.push(`${way.description}: ${failure}`)
  }
  chmodSync(folder, mode & 0o777)
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
  const mounts = process.platform === 'linux' ? inMountNamespace([folder, binaries.native]) : undefined
  const asUsers = (users: readonly User[]): RunAs[] => [
    ...users.map((user) => ({ description: `as user ${user.uid}`, prefix: [], user })),
    ...(mounts === undefined ? [] : users.map((user) => asUserWith(mounts, user))),
  ]
  const owner = statSync(join(folder, 'cluster'), { throwIfNoEntry: false })
  // Postgres accepts no data of another user, so the owner of existing data must serve it.
  if (owner && owner.uid !== 0) return asUsers([{ uid: owner.uid, gid: owner.gid }])
  const { uid, gid } = lstatSync(binaries.postgres)
  const others = [...(uid === 0 ? [] : [{ uid, gid }]), ...knownUsers(['postgres', 'nobody'])]
  const inNamespace: RunAs = { description: 'in a user namespace', prefix: namespace }
  // In the user namespace the server is still uid 0 to the kernel outside, so it comes last. It is for systems without
  // such users, or on which root may not mount.
  return [...asUsers(others), ...(process.platform === 'linux' ? [inNamespace] : [])]
}

function asUserWith(mounts: readonly string[], user: User): RunAs {
  const change = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  const description = `as user ${user.uid} in a mount namespace`
  return { description, prefix: [...mounts, ...change], user, changesUser: true }
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

/**
 * Gives a cluster to the server's user. Its own folder comes last: until then nobody but root gets into it, and the start
 * after a crash continues. A symlink is given, not what it leads to.
 */
function giveTo(user: User, path: string): void {
  if (!existsSync(path)) return
  // An operator may have moved the cluster to another disk.
  const cluster = realpathSync(path)
  const foreign = pathsBelow(cluster).filter((each) => !belongsTo(user, each))
  if (foreign.length > 0) {
    lchownSync(cluster, 0, 0)
    for (const each of foreign) lchownSync(each, user.uid, user.gid)
  }
  if (!belongsTo(user, cluster)) lchownSync(cluster, user.uid, user.gid)
}

function belongsTo(user: User, path: string): boolean {
  const { uid, gid } = lstatSync(path)
  return uid === user.uid && gid === user.gid
}

function pathsBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? [path, ...pathsBelow(path)] : [path]
  })
}

/**
 * Tries to run the program, and to write in a folder in `folder`.
 * @returns the error, or undefined if both work
 */
function attempt(way: RunAs, binaries: Binaries, folder: string): string | undefined {
  const trial = join(folder, 'trial')
  mkdirSync(trial, { recursive: true, mode: 0o700 })
  try {
    if (way.user) chownSync(trial, way.user.uid, way.user.gid)
    const script = 'cd "$1" && test -w . && exec "$0" --version'
    const [file, ...args] = [...way.prefix, '/bin/sh', '-c', script, binaries.postgres, trial]
    const { status, stderr, error } = spawnSync(file ?? '', args, {
      cwd: '/',
      env: environment,
      encoding: 'utf8',
      timeout: 10_000,
      ...spawnUser(way),
    })
    if (status === 0) return undefined
    return error?.message ?? (stderr.trim().split('\n')[0] || `exit code ${status}`)
  } finally {
    rmSync(trial, { recursive: true })
  }
}
