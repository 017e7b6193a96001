import { lstat, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { ScannedLocation } from '../contract/source-reader.js'
import { type IncludedStamp, readFileStamp } from './file-stamp.js'
import { parsedBytes } from './filesystem-limits.js'
import type { FolderCache } from './folder-cache.js'
import { IncludedFiles } from './included-files.js'
import { contentHash, fileState, readInside } from './read-inside.js'
import { failedLocation, readLocation } from './read-location.js'
import { type FoundFile, failedScan, type ScanOptions, usableStamp } from './scan-options.js'
import type { VerifiedInclude } from './verified-locations.js'
import type { FoundLocation } from './walk-folder.js'

/** The result if it is known without I/O, or undefined. */
export function checkWithoutReading(found: FoundLocation, options: ScanOptions): ScannedLocation | undefined {
  const { location } = found
  if (found.type === 'fault') return failedLocation(location, found.message)
  if (found.type === 'archive') return undefined
  const { known, verified, number, folders, rules } = options
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
export async function examineFile(
  { location, path, stat: found }: FoundFile,
  options: ScanOptions,
): Promise<ScannedLocation | undefined> {
  const { root, rules, known, verified, number, signal } = options
  try {
    const stamp = known(location)
    const before = usableStamp(stamp, options)
    const state = found === undefined ? undefined : fileState(found)
    const unchanged = (signature: string, fresh: boolean, included: readonly VerifiedInclude[]): ScannedLocation => {
      verified.set(location, { stamp: stamp!, signature, fresh, included, scan: number })
      return { location, unchanged: true }
    }
    if (before !== undefined && state !== undefined && before.signature === state.signature) {
      const included = await sameIncluded(before.included, options)
      if (included !== undefined) return unchanged(state.signature, false, included)
    }
    const content = await readInside(root, path, parsedBytes(location, rules.limits), rules.links)
    if (content === undefined) return undefined
    if (before !== undefined && contentHash(content.bytes) === before.hash) {
      const included = await sameIncluded(before.included, options)
      if (included !== undefined) return unchanged(content.state.signature, content.state.fresh, included)
    }
    const places = new Map<string, Pick<VerifiedInclude, 'folder' | 'events'>>()
    const included = new IncludedFiles(location, rules.limits.fileBytes, async (file) => {
      places.set(file, await watchedFolderOf(file, options))
      return readInside(root, join(root, ...file.split('/')), rules.limits.fileBytes, rules.links)
    })
    const read = await readLocation(location, content, included, rules, signal)
    if (read.failures.length === 0) {
      const files = included.stamps.map(({ path: file, signature }) => ({
        path: file,
        signature,
        ...places.get(file)!,
      }))
      verified.set(location, {
        stamp: read.stamp,
        signature: content.state.signature,
        fresh: content.state.fresh,
        included: files,
        scan: number,
      })
    }
    return read
  } catch (error) {
    return failedScan(location, error, options)
  }
}

/** Checks included files by state, or else by content. Undefined if one has changed. */
async function sameIncluded(
  files: readonly IncludedStamp[],
  options: ScanOptions,
): Promise<readonly VerifiedInclude[] | undefined> {
  const { root, rules } = options
  const same: VerifiedInclude[] = []
  for (const { path, signature, hash } of files) {
    const absolute = join(root, ...path.split('/'))
    const watched = await watchedFolderOf(path, options)
    const state = await stat(absolute, { bigint: true }).then(
      (found) => fileState(found).signature,
      () => undefined,
    )
    if (state === undefined) return undefined
    if (state !== signature) {
      const content = await readInside(root, absolute, rules.limits.fileBytes, rules.links).catch(() => undefined)
      if (content === undefined || contentHash(content.bytes) !== hash) return undefined
      same.push({ path, signature: content.state.fresh ? '' : content.state.signature, ...watched })
    } else {
      same.push({ path, signature, ...watched })
    }
  }
  return same
}

/** The folder whose watcher covers a file. Must be read before the file's state. */
async function watchedFolderOf(
  path: string,
  options: ScanOptions,
): Promise<Pick<VerifiedInclude, 'folder' | 'events'>> {
  const folder = options.folders.get(folderOf(path))
  const events = folder?.events ?? 0
  if (folder === undefined || folder.linked || folder.watcher === undefined) return { folder: undefined, events }
  const link = await lstat(join(options.root, ...path.split('/'))).then(
    (found) => found.isSymbolicLink(),
    () => true,
  )
  return { folder: link ? undefined : folder, events }
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
