import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { EntryId } from '../../core/entry/entry-id.js'
import { compareText } from '../../core/entry/text.js'
import type { SourceFailure } from '../contract/source-failure.js'
import { decodeText } from '../forms/decode-text.js'
import type { FileReading, SourceEntry } from '../forms/parse-entries.js'
import { PARSERS, parseEntries } from '../forms/parse-entries.js'

export interface FolderReading {
  /** By id, in the order found. If an id is defined twice, the first definition counts. */
  readonly entries: ReadonlyMap<EntryId, SourceEntry>
  readonly failures: readonly SourceFailure[]
  /** Namespaces that the files declare, including empty ones. */
  readonly namespaces: ReadonlySet<string>
  /** Number of files read. */
  readonly files: number
}

export interface ReadFolderOptions {
  /** Called with the number of files read and their total. */
  readonly progress?: (done: number, of: number) => void
  readonly signal?: AbortSignal
}

/** @bound Size of a file that the command line reads. A larger file cannot fit into a changeset. */
const MAX_FILE_BYTES = 128 * 1024 * 1024

/**
 * Reads the entries of a folder (recursively) or of one file. A file that cannot be read becomes a failure and does not
 * stop the rest. Files are read in the order of their paths, so "first" means the same everywhere.
 * @throws Error if the path itself cannot be read
 */
export async function readFolder(path: string, options: ReadFolderOptions = {}): Promise<FolderReading> {
  const single = !(await stat(path)).isDirectory()
  const failures: SourceFailure[] = []
  const files = single ? [path] : await listFiles(path, failures)
  const entries = new Map<EntryId, SourceEntry>()
  const namespaces = new Set<string>()
  let done = 0
  for (const file of files) {
    options.signal?.throwIfAborted()
    const reading = await readOne(file)
    failures.push(...reading.failures)
    for (const namespace of reading.namespaces) namespaces.add(namespace)
    for (const entry of reading.entries) {
      const first = entries.get(entry.id)
      if (first === undefined) entries.set(entry.id, entry)
      else {
        const message = `is already defined at ${first.file}:${first.line}, which counts`
        failures.push(wholeFile(file, message, entry.line, entry.id))
      }
    }
    // A folder may contain foreign files. A file named by the user is expected to define entries.
    if (single && reading.entries.length === 0 && reading.failures.length === 0 && reading.namespaces.size === 0) {
      failures.push(wholeFile(file, 'defines no entries. It needs a namespace with entries, or {id, kind, meta, data}'))
    }
    options.progress?.(++done, files.length)
  }
  return { entries, failures, namespaces, files: files.length }
}

async function readOne(file: string): Promise<FileReading> {
  const failed = (message: string, line: number | null = null): FileReading => ({
    entries: [],
    failures: [wholeFile(file, message, line)],
    namespaces: new Set(),
    passedOver: 0,
  })
  const parse = PARSERS[extname(file).toLowerCase()]
  if (parse === undefined)
    return failed(`has an unknown extension. Files of entries end in ${Object.keys(PARSERS).join(', ')}`)
  let bytes: Buffer
  try {
    const found = await stat(file)
    // Reading a device may never end.
    if (!found.isFile()) return failed('is not a regular file')
    const { size } = found
    if (size > MAX_FILE_BYTES) return failed(`has ${size} bytes, more than the maximum of ${MAX_FILE_BYTES}. Split it`)
    bytes = await readFile(file)
  } catch (error) {
    return failed((error as Error).message)
  }
  const decoded = decodeText(bytes)
  return 'badLine' in decoded ? failed('is not UTF-8 text', decoded.badLine) : parseEntries(file, decoded.text, parse)
}

async function listFiles(folder: string, failures: SourceFailure[]): Promise<string[]> {
  const files: string[] = []
  /** Real paths of the folders above, because a link to one of them would be an endless cycle. */
  const walk = async (path: string, above: ReadonlySet<string>): Promise<void> => {
    const real = await realpath(path)
    if (above.has(real)) return
    const inside = new Set([...above, real])
    const names = (await readdir(path)).filter((name) => !name.startsWith('.') && name !== 'node_modules')
    for (const name of names.sort(compareText)) {
      const child = join(path, name)
      try {
        const found = await stat(child)
        if (found.isDirectory()) await walk(child, inside)
        else if (found.isFile() && PARSERS[extname(name).toLowerCase()] !== undefined) files.push(child)
      } catch (error) {
        // A dangling link to a file without entries is ignored, like its target would be.
        if (PARSERS[extname(name).toLowerCase()] !== undefined || (error as NodeJS.ErrnoException).code !== 'ENOENT') {
          failures.push(wholeFile(child, (error as Error).message))
        }
      }
    }
  }
  await walk(folder, new Set())
  return files
}

function wholeFile(
  file: string,
  message: string,
  line: number | null = null,
  entryId: string | null = null,
): SourceFailure {
  return { file, line, column: null, entryId, message }
}
