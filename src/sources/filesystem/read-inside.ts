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

/** The state of a file by `stat`. Equal states mean equal content, unless `fresh`. */
export interface FileState {
  /** Size, times and inode. */
  readonly signature: string
  /** Written so recently that another write may leave the same times. Then the signature proves nothing. */
  readonly fresh: boolean
  readonly modifiedAt: Date
}

/** The coarsest timestamps of file systems in use: FAT's have 2 s. */
const FRESH_MS = 2_000
/** @bound Attempts to read a file that changes while it is read. */
const TRIES = 3
const BETWEEN_TRIES_MS = 20
/** Opens no link in the last component, and does not wait for the other end of a pipe. */
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
  return `has ${bytes} bytes, more than the maximum of ${most}. Split it`
}

export function contentHash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64url')
}

export function isGone(error: unknown): boolean {
  return GONE.has((error as NodeJS.ErrnoException).code ?? '')
}

/** The message of a file system error, without the path. */
export function ioMessage(error: unknown): string {
  const { message } = error as Error
  return `cannot be read: ${/^[A-Z0-9]+: [^,]*/.exec(message)?.[0] ?? message}`
}

export function isInside(root: string, real: string): boolean {
  return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)
}

/** The name of a special file; undefined for a regular file and for a folder. */
export function specialName(
  stat: Pick<BigIntStats, 'isFIFO' | 'isSocket' | 'isCharacterDevice' | 'isBlockDevice'>,
): string | undefined {
  if (stat.isFIFO()) return 'a pipe'
  if (stat.isSocket()) return 'a socket'
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : undefined
}

/**
 * Reads a file inside a folder. Symlinks within the folder are followed. Returns undefined if there is no such file.
 * @param root the real path of the folder
 * @throws FileFault if it is outside the folder, not a regular file, too large, unreadable, or changes while it is read
 */
export async function readInside(
  root: string,
  path: string,
  maxBytes: number,
  links: LinkRules = {},
): Promise<FileContent | undefined> {
  for (let attempt = 1; ; attempt++) {
    const result = await withFile(root, path, links, async (handle, stat) => {
      if (stat.size > BigInt(maxBytes)) throw new FileFault(tooLarge(stat.size, maxBytes))
      const now = Date.now()
      const bytes = await readWhole(handle, Number(stat.size))
      return bytes !== undefined && (await isUnchanged(handle, stat))
        ? { bytes, state: fileState(stat, now) }
        : ('moving' as const)
    })
    if (result !== 'moving') return result
    if (attempt === TRIES) throw new FileFault('changed while it was read')
    await pause(BETWEEN_TRIES_MS * attempt)
  }
}

/** Whether an open file is unchanged. */
export async function isUnchanged(handle: FileHandle, before: BigIntStats): Promise<boolean> {
  const { size, mtimeNs } = await handle.stat({ bigint: true })
  return size === before.size && mtimeNs === before.mtimeNs
}

/**
 * Opens a file inside the folder, runs `work` and closes it. Returns undefined if there is no such file.
 * @throws FileFault as `readInside` does, and whatever `work` throws
 */
async function withFile<Result>(
  root: string,
  path: string,
  links: LinkRules,
  work: (handle: FileHandle, stat: BigIntStats) => Promise<Result>,
): Promise<Result | undefined> {
  const opened = await openInside(root, path, links)
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

/** Opens a file inside the folder. The caller closes it. */
export async function openInside(
  root: string,
  path: string,
  { hardLinks = false }: LinkRules = {},
): Promise<{ handle: FileHandle; stat: BigIntStats } | undefined> {
  try {
    let target = path
    let found = await lstat(path, { bigint: true })
    if (found.isSymbolicLink()) {
      target = await realpath(path)
      if (!isInside(root, target)) throw new FileFault(OUTSIDE)
      found = await lstat(target, { bigint: true })
    }
    // Opening some devices has side effects, so the type is checked before opening, and again when open.
    refuseSpecial(found)
    const handle = await open(target, FLAGS)
    try {
      const stat = await handle.stat({ bigint: true })
      refuseSpecial(stat)
      if (stat.nlink > 1n && !hardLinks) throw new FileFault(HARD_LINK)
      // A folder in the path may be a link, or may have become one meanwhile. So the path of the open file is checked.
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

/** Which links are followed. */
export interface LinkRules {
  /** Files with several names. One of them may be outside the folder, and nothing tells which file was meant. */
  readonly hardLinks?: boolean
}

const HARD_LINK =
  'has several names (hard links), and one may be outside the folder. Copy the file, or set hardLinks: true for the source'
const OUTSIDE = 'is a link that points outside the folder'

async function placeOf(handle: FileHandle, path: string, opened: BigIntStats): Promise<string> {
  if (platform === 'linux') return readlink(`/proc/self/fd/${handle.fd}`)
  const real = await realpath(path)
  const found = await lstat(real, { bigint: true })
  if (found.ino !== opened.ino || found.dev !== opened.dev) throw new FileFault('changed while it was read')
  return real
}

function refuseSpecial(stat: BigIntStats): void {
  if (stat.isFile()) return
  throw new FileFault(
    `is ${specialName(stat) ?? (stat.isDirectory() ? 'a folder' : 'not a regular file')}, which cannot be read`,
  )
}

function isIoError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** Undefined if the file has become shorter. The caller detects a longer file by its size afterwards. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(size)
  for (let length = 0; length < size; ) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length)
    if (bytesRead === 0) return undefined
    length += bytesRead
  }
  return bytes
}
