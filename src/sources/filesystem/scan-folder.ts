import type { ScannedLocation } from '../contract/source-reader.js'
import { checkWithoutReading, examineFile } from './examine-file.js'
import { scanArchive } from './scan-archive.js'
import { type FoundFile, type ScanOptions, together } from './scan-options.js'
import { walkFolder } from './walk-folder.js'

/** @bound Files that are read ahead. They are sent to the parsing thread in batches. */
const READ_AHEAD = 64
/** @bound Size of the files that are read ahead. */
const READ_AHEAD_BYTES = 8 * 1024 * 1024

/** Yields every location of a folder in the order of the walk. Locations that may have changed are read. */
export async function* scanFolder(options: ScanOptions): AsyncGenerator<ScannedLocation> {
  for await (const batch of walkFolder(options)) {
    const checked = batch.map((found) => checkWithoutReading(found, options))
    const jobs = batch.filter(
      (found, index): found is FoundFile => checked[index] === undefined && found.type === 'file',
    )
    const results = inOrder(jobs, (found) => examineFile(found, options))
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
      else if (found.type === 'archive') yield* scanArchive(found, options)
      else {
        const scanned = (await results.next()).value as ScannedLocation | undefined
        if (scanned !== undefined) yield scanned
      }
    }
    if (same.length > 0) yield together(same)
  }
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
