import { createHash } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import { sep } from 'node:path'
import { platform } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { FileFault } from '../forms/file-fault.js'

export interface FileContent {
  readonly bytes: Buffer
  readonly state: FileState
}

/** What tells, without reading, that a file is the same as before. */
export interface FileState {
  /** Size, times and inode. */
  readonly signature: string
  /** Written so shortly before that another write might leave the same times: the signature proves nothing. */
  readonly fresh: boolean
  readonly modifiedAt: Date
}

/** Coarser than the clocks of all file systems in use; FAT's has 2 s. */
const FRESH_MS = 2_000
const TRIES = 3
const BETWEEN_TRIES_MS = 20
/** Never follows a link at the end, never waits for the other end of a pipe. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const GONE = new Set(['ENOENT', 'ENOTDIR', 'ESTALE'])

export function fileState(stat: BigIntStats, now = Date.now()): FileState {
  const latest = stat.mtimeMs > stat.ctimeMs ? stat.mtimeMs : stat.ctimeMs
  return {
    signature: [stat.size, stat.mtimeNs, stat.ctimeNs, stat.ino].map((part) => part.toString(36)).join('.'),
    fresh: Number(latest) > now - FRESH_MS,
    modifiedAt: new Date(Number(stat.mtimeMs)),
  }
}

export function tooLarge(bytes: number | bigint, most: number): string {
  return `has ${bytes} bytes; ${most} are read at most: split it`
}

export function contentHash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

export function isGone(error: unknown): boolean {
  return GONE.has((error as NodeJS.ErrnoException).code ?? '')
}

/** What an error of the file system says, without the path that it says it of. */
export function ioMessage(error: unknown): string {
  const { message } = error as Error
  return `cannot be read: ${/^[A-Z0-9]+: [^,]*/.exec(message)?.[0] ?? message}`
}

export function isInside(root: string, real: string): boolean {
  return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)
}

/** What something that is neither file nor folder is called; undefined for those two. */
export function specialName(
  stat: Pick<BigIntStats, 'isFIFO' | 'isSocket' | 'isCharacterDevice' | 'isBlockDevice'>,
): string | undefined {
  if (stat.isFIFO()) return 'a pipe'
  if (stat.isSocket()) return 'a socket'
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : undefined
}

/**
 * The whole of a file that lies in a folder, links within it followed. Undefined where there is none.
 * @param root the folder's real path
 * @throws FileFault for what lies elsewhere, is no file, is too large, cannot be read or does not hold still
 */
export async function readInside(root: string, path: string, maxBytes: number): Promise<FileContent | undefined> {
  for (let attempt = 1; ; attempt++) {
    const result = await withFile(root, path, async (handle, stat) => {
      if (stat.size > BigInt(maxBytes)) throw new FileFault(tooLarge(stat.size, maxBytes))
      const now = Date.now()
      const bytes = await readWhole(handle, Number(stat.size))
      return bytes !== undefined && (await holdsStill(handle, stat))
        ? { bytes, state: fileState(stat, now) }
        : ('moving' as const)
    })
    if (result !== 'moving') return result
    if (attempt === TRIES) throw new FileFault('changes while it is being read')
    await pause(BETWEEN_TRIES_MS * attempt)
  }
}

/** Whether an open file is still as it was. */
export async function holdsStill(handle: FileHandle, before: BigIntStats): Promise<boolean> {
  const { size, mtimeNs } = await handle.stat({ bigint: true })
  return size === before.size && mtimeNs === before.mtimeNs
}

/**
 * Works with an open file of the folder and closes it. Undefined where there is none.
 * @throws FileFault as `readInside` does, and what `work` throws
 */
export async function withFile<Result>(
  root: string,
  path: string,
  work: (handle: FileHandle, stat: BigIntStats) => Promise<Result>,
): Promise<Result | undefined> {
  const opened = await openInside(root, path)
  if (opened === undefined) return undefined
  try {
    return await work(opened.handle, opened.stat)
  } catch (error) {
    if (isIoError(error)) throw new FileFault(ioMessage(error))
    throw error
  } finally {
    await opened.handle.close()
  }
}

/** Whoever calls closes it. */
export async function openInside(
  root: string,
  path: string,
): Promise<{ handle: FileHandle; stat: BigIntStats } | undefined> {
  try {
    let target = path
    let found = await lstat(path, { bigint: true })
    if (found.isSymbolicLink()) {
      target = await realpath(path)
      if (!isInside(root, target)) throw new FileFault(OUTSIDE)
      found = await lstat(target, { bigint: true })
    }
    // Opening some devices has effects; so they are looked at first, and once more when open.
    refuseSpecial(found)
    const handle = await open(target, FLAGS)
    try {
      const stat = await handle.stat({ bigint: true })
      refuseSpecial(stat)
      // A folder on the way may be a link, or have become one meanwhile: what is open lies where the system says.
      if (!isInside(root, await placeOf(handle, target, stat))) throw new FileFault(OUTSIDE)
      return { handle, stat }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    if (isGone(error)) return undefined
    if (isIoError(error)) throw new FileFault(ioMessage(error))
    throw error
  }
}

const OUTSIDE = 'is a link that leads out of the folder'

async function placeOf(handle: FileHandle, path: string, opened: BigIntStats): Promise<string> {
  if (platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`)
  const real = await realpath(path)
  const found = await lstat(real, { bigint: true })
  if (found.ino !== opened.ino || found.dev !== opened.dev) throw new FileFault('changes while it is being read')
  return real
}

function refuseSpecial(stat: BigIntStats): void {
  if (stat.isFile()) return
  throw new FileFault(`is ${specialName(stat) ?? (stat.isDirectory() ? 'a folder' : 'no file')}, which is not read`)
}

function isIoError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** Undefined where the file is shorter by now; that it is longer is told by its size afterwards. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(size)
  for (let length = 0; length < size; ) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length)
    if (bytesRead === 0) return undefined
    length += bytesRead
  }
  return bytes
}
