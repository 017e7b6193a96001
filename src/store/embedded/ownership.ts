import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, linkSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'

/** The right to use a data folder. At most one process has it at any time. */
export interface Ownership {
  release(): Promise<void>
}

// The owner listens on a Unix socket in the folder. The kernel closes the socket however the process ends, so an answer
// proves that the owner lives. A pid in a file does not, because pids are reused. Unlike a name in the abstract
// namespace, the socket is visible to containers that share the folder.
//
// If the owner is dead, exactly one of several processes must win. So the sockets are numbered: `owner.1`, `owner.2` …
// The highest number counts. To succeed n, a process links its listening socket as n + 1, which only one can do. The
// highest number is never freed. A process that linked a number below the highest sees the higher one and yields.
const numbered = /^owner\.(\d+)$/

/**
 * Makes this process the owner of the folder.
 * @param folder an existing folder of this user
 * @throws EmbeddedUnavailable if another process owns it, with its pid
 */
export async function takeOwnership(folder: string): Promise<Ownership> {
  // The path of a socket has at most 107 bytes. Through a file descriptor every path is short.
  const handle = openSync(folder, 'r')
  const at = (name: string) => (process.platform === 'linux' ? `/proc/self/fd/${handle}/${name}` : join(folder, name))
  const candidate = `owner-${process.pid}-${randomBytes(4).toString('hex')}`
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(`${process.pid}\n`)
  })
  const close = async () => {
    await new Promise<void>((resolve) => server.close(() => resolve()))
    closeSync(handle)
  }
  try {
    server.listen(at(candidate)).unref()
    await once(server, 'listening')
  } catch (cause) {
    closeSync(handle)
    throw new EmbeddedUnavailable(
      `no socket can be created in ${folder} (${(cause as Error).message}); choose a CADASTRE_DATA_DIR on a local disk, or ${DATABASE_URL_HINT}`,
      { cause },
    )
  }
  try {
    const number = await win(folder, candidate, (name) => askOwner(at(name)))
    return {
      release: async () => {
        retire(folder, number)
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  } finally {
    rmSync(join(folder, candidate), { force: true })
  }
}

type Answer = { readonly alive: false } | { readonly alive: true; readonly pid: string | undefined }

async function win(folder: string, candidate: string, ask: (name: string) => Promise<Answer>): Promise<number> {
  for (;;) {
    const highest = highestNumber(folder)
    const holder = highest === 0 ? { alive: false as const } : await ask(`owner.${highest}`)
    if (holder.alive) {
      const who = holder.pid === undefined ? 'another gateway' : `the gateway with process id ${holder.pid}`
      throw new EmbeddedUnavailable(
        `${folder} is in use by ${who}; stop that one, or give this one a CADASTRE_DATA_DIR of its own ` +
          `(several gateways on one registry need a server: ${DATABASE_URL_HINT})`,
      )
    }
    if (!tryLink(join(folder, candidate), join(folder, `owner.${highest + 1}`))) continue
    if (highestNumber(folder) === highest + 1) {
      for (const lower of numbers(folder).filter((number) => number <= highest))
        rmSync(join(folder, `owner.${lower}`), { force: true })
      return highest + 1
    }
    rmSync(join(folder, `owner.${highest + 1}`), { force: true })
  }
}

function tryLink(existing: string, name: string): boolean {
  try {
    linkSync(existing, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

// The number must remain in use, and a plain file is enough for that. So no socket of a stopped gateway remains.
function retire(folder: string, number: number): void {
  const name = join(folder, `owner.${number}`)
  try {
    // A symlink that somebody has put there must not lead to another file.
    rmSync(`${name}.retired`, { force: true })
    writeFileSync(`${name}.retired`, '', { flag: 'wx' })
    renameSync(`${name}.retired`, name)
  } catch (error) {
    // The folder has been removed in the meantime, and its numbers with it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function numbers(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => numbered.exec(name)?.[1] ?? [])
    .map(Number)
}

function highestNumber(folder: string): number {
  return Math.max(0, ...numbers(folder))
}

/** Asks the owner for its pid. An owner that accepts but does not answer is busy or suspended, and alive. */
async function askOwner(path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let output = ''
    let connected = false
    const socket = connect(path)
    const finish = (answer: Answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => finish({ alive: true, pid: undefined }))
    socket.once('connect', () => (connected = true))
    socket.on('data', (chunk: Buffer) => (output += chunk.toString()))
    socket.once('end', () => finish({ alive: true, pid: output.trim() || undefined }))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const dead = error.code === 'ECONNREFUSED' || error.code === 'ENOENT' || error.code === 'ENOTSOCK'
      if (dead || (connected && error.code === 'ECONNRESET')) finish({ alive: false })
      else if (error.code === 'EAGAIN') finish({ alive: true, pid: undefined })
      else
        reject(
          new EmbeddedUnavailable(
            `${path} cannot be asked for the folder's owner (${error.message}); ${DATABASE_URL_HINT}`,
            { cause: error },
          ),
        )
    })
  })
}
