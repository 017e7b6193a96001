import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, linkSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { DATABASE_URL_HINT, EmbeddedUnavailable } from './embedded-unavailable.js'

/** The right to use a data folder; at most one process has it at any time. */
export interface Ownership {
  release(): Promise<void>
}

// The owner listens on a Unix socket in the folder. The kernel closes it however the process ends, so "does anybody
// answer" is the truth, which no pid in a file is (pids come again); and unlike a name in the abstract namespace it is
// seen by containers that share the folder.
//
// Taking over from a dead owner must let one of several win. So the sockets are numbered, `owner.1`, `owner.2` …, the
// highest number counts, and to follow n is to link a socket that already listens as n + 1, which exactly one can do.
// A number is never free again while it is the highest; who linked a number that others have since passed sees the
// higher one and yields.
const numbered = /^owner\.(\d+)$/

/**
 * Makes this process the owner of the folder.
 * @param folder an existing folder of ours
 * @throws EmbeddedUnavailable naming the present owner's pid where one lives.
 */
export async function takeOwnership(folder: string): Promise<Ownership> {
  // A socket's path may have 107 bytes, and a folder's may be longer: by way of a file descriptor every path is short.
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
      `no socket can be made in ${folder} (${(cause as Error).message}); choose a CADASTRE_DATA_DIR on a local disk, or ${DATABASE_URL_HINT}`,
      { cause },
    )
  }
  try {
    const number = await win(folder, candidate, (name) => whoListens(at(name)))
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

// The number has to stay taken, but an ordinary file is enough for that: no socket remains of a gateway that stopped.
function retire(folder: string, number: number): void {
  const name = join(folder, `owner.${number}`)
  try {
    writeFileSync(`${name}.retired`, '')
    renameSync(`${name}.retired`, name)
  } catch (error) {
    // Somebody removed the folder under us: then there is nothing left to keep.
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

/** Asks who listens. One that accepts but says nothing (it is busy, or suspended) lives all the same. */
async function whoListens(path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let said = ''
    let connected = false
    const socket = connect(path)
    const finish = (answer: Answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => finish({ alive: true, pid: undefined }))
    socket.once('connect', () => (connected = true))
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()))
    socket.once('end', () => finish({ alive: true, pid: said.trim() || undefined }))
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
