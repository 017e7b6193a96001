import { lstat, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import type { ScannedLocation } from '../contract/source-reader.js'
import { FileFault } from '../forms/file-fault.js'
import { ParsingEnded } from '../parsing/parsing-thread.js'
import { type FileStamp, type IncludedStamp, readFileStamp } from './file-stamp.js'
import { parsedBytes } from './filesystem-limits.js'
import type { FolderCache } from './folder-cache.js'
import { IncludedFiles } from './included-files.js'
import { OpenArchive } from './open-archive.js'
import {
  contentHash,
  type FileContent,
  fileState,
  isUnchanged,
  openInside,
  readInside,
  tooLarge,
} from './read-inside.js'
import { failedLocation, type ReadingRules, readLocation } from './read-location.js'
import type { VerifiedInclude, VerifiedLocation, VerifiedLocations } from './verified-locations.js'
import { type FoundLocation, walkFolder } from './walk-folder.js'

export interface ScanOptions {
  /** Real path. */
  readonly root: string
  readonly folders: FolderCache
  readonly verified: VerifiedLocations
  readonly rules: ReadingRules
  /** Grows from scan to scan. */
  readonly number: number
  readonly whole: boolean
  readonly known: (location: string) => string | undefined
  readonly signal: AbortSignal
}

type FoundFile = Extract<FoundLocation, { type: 'file' | 'archive' }>

/** @bound Files that are read ahead. They are sent to the parsing thread in batches. */
const READ_AHEAD = 64
/** @bound Size of the files that are read ahead. */
const READ_AHEAD_BYTES = 8 * 1024 * 1024
const SLICE = 512

/** Yields every location of a folder in the order of the walk. Locations that may have changed are read. */
export async function* scanFolder(options: ScanOptions): AsyncGenerator<ScannedLocation> {
  const scan = new FolderScan(options)
  for await (const batch of walkFolder(options)) {
    const checked = batch.map((found) => scan.checkWithoutReading(found))
    const jobs = batch.filter(
      (found, index): found is FoundFile => checked[index] === undefined && found.type === 'file',
    )
    const results = inOrder(jobs, (found) => scan.examine(found))
    let same: string[] = []
    for (const [index, found] of batch.entries()) {
      options.signal.throwIfAborted()
      const at = checked[index]
      if (at?.unchanged === true) {
        same.push(at.location)
        continue
      }
      if (same.length > 0) yield together(same)
      same = []
      if (at !== undefined) yield at
      else if (found.type === 'archive') yield* scan.archive(found)
      else {
        const scanned = (await results.next()).value as ScannedLocation | undefined
        if (scanned !== undefined) yield scanned
      }
    }
    if (same.length > 0) yield together(same)
  }
}

function together([location, ...also]: readonly string[]): ScannedLocation {
  return { location: location!, unchanged: true, also }
}

/** Yields results in order, and starts some work ahead. */
async function* inOrder(
  items: readonly FoundFile[],
  work: (item: FoundFile) => Promise<ScannedLocation | undefined>,
): AsyncGenerator<ScannedLocation | undefined> {
  const begun: { readonly result: Promise<ScannedLocation | undefined>; readonly bytes: number }[] = []
  let bytes = 0
  let next = 0
  while (next < items.length || begun.length > 0) {
    for (let item = items[next]; item !== undefined && begun.length < READ_AHEAD; item = items[next]) {
      const size = Number(item.stat?.size ?? 0)
      if (begun.length > 0 && bytes + size > READ_AHEAD_BYTES) break
      const result = work(item)
      // If an earlier one fails, nothing awaits this promise.
      result.catch(() => {})
      begun.push({ result, bytes: size })
      bytes += size
      next++
    }
    const first = begun.shift()!
    yield await first.result
    bytes -= first.bytes
  }
}

class FolderScan {
  constructor(private readonly options: ScanOptions) {}

  /** The result if it is known without I/O, or undefined. */
  checkWithoutReading(found: FoundLocation): ScannedLocation | undefined {
    const { location } = found
    if (found.type === 'fault') return failedLocation(location, found.message)
    if (found.type === 'archive') return undefined
    const { known, verified, number, folders, rules } = this.options
    const stamp = known(location)
    if (stamp === undefined) return undefined
    const state = found.stat === undefined ? undefined : fileState(found.stat)
    const before = verified.get(location)
    if (before?.stamp === stamp) {
      const same = state === undefined || (!before.fresh && before.signature === state.signature)
      if (same && before.included.every((file) => isUnchangedInclude(file, folders))) {
        before.scan = number
        return { location, unchanged: true }
      }
      if (!same) verified.delete(location)
      return undefined
    }
    verified.delete(location)
    const read = readFileStamp(stamp)
    if (state === undefined || read?.by !== rules.by || read.signature !== state.signature || read.included.length > 0)
      return undefined
    verified.set(location, { stamp, signature: state.signature, fresh: false, included: [], scan: number })
    return { location, unchanged: true }
  }

  /** Checks a file, and reads it if its state proves nothing. Undefined if the file is gone. @throws the signal's reason, ParsingEnded */
  async examine({ location, path, stat: found }: FoundFile): Promise<ScannedLocation | undefined> {
    const { root, rules, known, verified, number, signal } = this.options
    try {
      const stamp = known(location)
      const before = this.#stampOf(stamp)
      const state = found === undefined ? undefined : fileState(found)
      const unchanged = (signature: string, fresh: boolean, included: readonly VerifiedInclude[]): ScannedLocation => {
        verified.set(location, { stamp: stamp!, signature, fresh, included, scan: number })
        return { location, unchanged: true }
      }
      if (before !== undefined && state !== undefined && before.signature === state.signature) {
        const included = await this.#sameIncluded(before.included)
        if (included !== undefined) return unchanged(state.signature, false, included)
      }
      const content = await readInside(root, path, parsedBytes(location, rules.limits))
      if (content === undefined) return undefined
      if (before !== undefined && contentHash(content.bytes) === before.hash) {
        const included = await this.#sameIncluded(before.included)
        if (included !== undefined) return unchanged(content.state.signature, content.state.fresh, included)
      }
      const places = new Map<string, Pick<VerifiedInclude, 'folder' | 'events'>>()
      const included = new IncludedFiles(location, rules.limits.fileBytes, async (file) => {
        places.set(file, await this.#watchedFolderOf(file))
        return readInside(root, join(root, ...file.split('/')), rules.limits.fileBytes)
      })
      const read = await readLocation(location, content, included, rules, signal)
      if (read.failures.length === 0) {
        const files = included.stamps.map(({ path: file, signature }) => ({
          path: file,
          signature,
          ...places.get(file)!,
        }))
        verified.set(location, { stamp: read.stamp, ...pick(content), included: files, scan: number })
      }
      return read
    } catch (error) {
      return this.#failedLocation(location, error)
    }
  }

  async *archive(found: FoundFile): AsyncGenerator<ScannedLocation> {
    const { root, known, verified, number } = this.options
    const { location } = found
    const listed = verified.archive(location)
    const state = found.stat === undefined ? undefined : fileState(found.stat)
    if (listed !== undefined && (state === undefined || (!listed.fresh && listed.signature === state.signature))) {
      const before = listed.locations.map((inside): VerifiedLocation | undefined => verified.get(inside))
      if (before.every((one, index) => one !== undefined && one.stamp === known(listed.locations[index]!))) {
        listed.scan = number
        for (const one of before) one!.scan = number
        for (let from = 0; from < listed.locations.length; from += SLICE) {
          yield together(listed.locations.slice(from, from + SLICE))
          await yieldToEventLoop()
        }
        return
      }
    }
    verified.deleteArchive(location)
    try {
      const opened = await openInside(root, found.path)
      if (opened === undefined) return
      try {
        yield* this.#archived(location, opened)
      } finally {
        await opened.handle.close()
      }
    } catch (error) {
      yield this.#failedLocation(location, error)
    }
  }

  async *#archived(
    location: string,
    { handle, stat: opened }: NonNullable<Awaited<ReturnType<typeof openInside>>>,
  ): AsyncGenerator<ScannedLocation> {
    const { rules, verified, number, signal } = this.options
    const state = fileState(opened)
    const archive = await OpenArchive.open(handle, opened, rules.limits)
    let sound = true
    for (const { name, fault } of archive.files) {
      signal.throwIfAborted()
      const inside = `${location}!/${name}`
      const scanned =
        fault === undefined ? await this.#inArchive(archive, name, inside, state) : failedLocation(inside, fault)
      if (!(await isUnchanged(handle, opened))) throw new FileFault('changed while it was read')
      if (!scanned.unchanged && scanned.failures.length > 0) sound = false
      yield scanned
    }
    if (sound)
      verified.setArchive(
        location,
        state.signature,
        state.fresh,
        archive.files.map(({ name }) => `${location}!/${name}`),
        number,
      )
  }

  async #inArchive(
    archive: OpenArchive,
    name: string,
    location: string,
    state: FileContent['state'],
  ): Promise<ScannedLocation> {
    const { rules, known, verified, number, signal } = this.options
    const read = async (file: string): Promise<FileContent | undefined> => {
      const bytes = await archive.read(file)
      return bytes === undefined
        ? undefined
        : { bytes, state: { ...state, signature: `${state.signature}:${archive.checksum(file)}` } }
    }
    const unchanged = (stamp: string): ScannedLocation => {
      verified.set(location, { stamp, signature: state.signature, fresh: state.fresh, included: [], scan: number })
      return { location, unchanged: true }
    }
    try {
      const stamp = known(location)
      const before = this.#stampOf(stamp)
      // The signature covers the whole archive, and so the included files too.
      if (before !== undefined && before.signature === `${state.signature}:${archive.checksum(name)}`)
        return unchanged(stamp!)
      const content = (await read(name))!
      const most = parsedBytes(name, rules.limits)
      if (content.bytes.length > most) throw new FileFault(tooLarge(content.bytes.length, most))
      if (
        before !== undefined &&
        before.hash === contentHash(content.bytes) &&
        (await sameContents(before.included, read))
      )
        return unchanged(stamp!)
      const scanned = await readLocation(
        location,
        content,
        new IncludedFiles(name, rules.limits.fileBytes, read),
        rules,
        signal,
      )
      if (scanned.failures.length === 0)
        verified.set(location, { stamp: scanned.stamp, ...pick(content), included: [], scan: number })
      return scanned
    } catch (error) {
      return this.#failedLocation(location, error)
    }
  }

  /** Turns an error into a failed location. @throws errors that are not about the file */
  #failedLocation(location: string, error: unknown): ScannedLocation {
    this.options.signal.throwIfAborted()
    if (error instanceof ParsingEnded) throw error
    return failedLocation(
      location,
      error instanceof FileFault ? error.message : `cannot be read: ${(error as Error).message}`,
    )
  }

  #stampOf(stamp: string | undefined): FileStamp | undefined {
    const read = stamp === undefined ? undefined : readFileStamp(stamp)
    return read?.by === this.options.rules.by ? read : undefined
  }

  /** Checks included files by state, or else by content. Undefined if one has changed. */
  async #sameIncluded(files: readonly IncludedStamp[]): Promise<readonly VerifiedInclude[] | undefined> {
    const { root, rules } = this.options
    const same: VerifiedInclude[] = []
    for (const { path, signature, hash } of files) {
      const absolute = join(root, ...path.split('/'))
      const watched = await this.#watchedFolderOf(path)
      const state = await stat(absolute, { bigint: true }).then(
        (found) => fileState(found).signature,
        () => undefined,
      )
      if (state === undefined) return undefined
      if (state !== signature) {
        const content = await readInside(root, absolute, rules.limits.fileBytes).catch(() => undefined)
        if (content === undefined || contentHash(content.bytes) !== hash) return undefined
        same.push({ path, signature: content.state.fresh ? '' : content.state.signature, ...watched })
      } else {
        same.push({ path, signature, ...watched })
      }
    }
    return same
  }

  /** The folder whose watcher covers a file. Must be read before the file's state. */
  async #watchedFolderOf(path: string): Promise<Pick<VerifiedInclude, 'folder' | 'events'>> {
    const folder = this.options.folders.get(folderOf(path))
    const events = folder?.events ?? 0
    if (folder === undefined || folder.linked || folder.watcher === undefined) return { folder: undefined, events }
    const link = await lstat(join(this.options.root, ...path.split('/'))).then(
      (found) => found.isSymbolicLink(),
      () => true,
    )
    return { folder: link ? undefined : folder, events }
  }
}

function pick({ state: { signature, fresh } }: FileContent): { signature: string; fresh: boolean } {
  return { signature, fresh }
}

function folderOf(path: string): string {
  const folder = posix.dirname(path)
  return folder === '.' ? '' : folder
}

/** Whether an included file is certainly unchanged since its last check. */
function isUnchangedInclude({ path, folder, events }: VerifiedInclude, folders: FolderCache): boolean {
  return (
    folder !== undefined &&
    folder.watcher !== undefined &&
    folder.events === events &&
    folders.get(folderOf(path)) === folder
  )
}

async function sameContents(
  files: readonly IncludedStamp[],
  read: (path: string) => Promise<FileContent | undefined>,
): Promise<boolean> {
  for (const { path, hash } of files) {
    const content = await read(path).catch(() => undefined)
    if (content === undefined || contentHash(content.bytes) !== hash) return false
  }
  return true
}
