import { setImmediate as yieldToEventLoop } from 'node:timers/promises'
import type { ScannedLocation } from '../contract/source-reader.js'
import { FileFault } from '../forms/file-fault.js'
import type { IncludedStamp } from './file-stamp.js'
import { parsedBytes } from './filesystem-limits.js'
import { IncludedFiles } from './included-files.js'
import { OpenArchive } from './open-archive.js'
import { contentHash, type FileContent, fileState, isUnchanged, openInside, tooLarge } from './read-inside.js'
import { failedLocation, readLocation } from './read-location.js'
import { type FoundFile, failedScan, type ScanOptions, together, usableStamp } from './scan-options.js'
import type { VerifiedLocation } from './verified-locations.js'

/** Unchanged locations that are yielded together. */
const SLICE = 512

/** Yields the locations in an archive. Those that may have changed are read. */
export async function* scanArchive(found: FoundFile, options: ScanOptions): AsyncGenerator<ScannedLocation> {
  const { root, known, verified, number } = options
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
    const opened = await openInside(root, found.path, options.rules.links)
    if (opened === undefined) return
    try {
      yield* archivedFiles(location, opened, options)
    } finally {
      await opened.handle.close()
    }
  } catch (error) {
    yield failedScan(location, error, options)
  }
}

async function* archivedFiles(
  location: string,
  { handle, stat: opened }: NonNullable<Awaited<ReturnType<typeof openInside>>>,
  options: ScanOptions,
): AsyncGenerator<ScannedLocation> {
  const { rules, verified, number, signal } = options
  const state = fileState(opened)
  const archive = await OpenArchive.open(handle, opened, rules.limits)
  let sound = true
  for (const { name, fault } of archive.files) {
    signal.throwIfAborted()
    const inside = `${location}!/${name}`
    const scanned =
      fault === undefined
        ? await examineInArchive(archive, name, inside, state, options)
        : failedLocation(inside, fault)
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

async function examineInArchive(
  archive: OpenArchive,
  name: string,
  location: string,
  state: FileContent['state'],
  options: ScanOptions,
): Promise<ScannedLocation> {
  const { rules, known, verified, number, signal } = options
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
    const before = usableStamp(stamp, options)
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
      verified.set(location, {
        stamp: scanned.stamp,
        signature: content.state.signature,
        fresh: content.state.fresh,
        included: [],
        scan: number,
      })
    return scanned
  } catch (error) {
    return failedScan(location, error, options)
  }
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
