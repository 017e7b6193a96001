import { createHash } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { realpath, stat } from 'node:fs/promises'
import type { ScannedLocation, SourceReader } from '../contract/source-reader.js'
import { type EntrySchemas, loadSchemas } from '../forms/entry-schemas.js'
import { compileForm, type SourceForm } from '../forms/source-form.js'
import type { ParsingRules } from '../parsing/parse-job.js'
import { ParsingThread } from '../parsing/parsing-thread.js'
import { FILESYSTEM_LIMITS, type FilesystemLimits } from './filesystem-limits.js'
import { FolderCache } from './folder-cache.js'
import { folderDigest } from './folder-digest.js'
import { fileState } from './read-inside.js'
import type { ReadingRules } from './read-location.js'
import { scanFolder } from './scan-folder.js'
import { VerifiedLocations } from './verified-locations.js'
import { folderIdentity } from './walk-folder.js'

export interface FilesystemSourceOptions {
  /** Absolute path of a folder. */
  readonly path: string
  readonly form: SourceForm
  /** Bus pattern of kinds to the absolute path of a JSON Schema. */
  readonly schemas?: Readonly<Record<string, string>>
  readonly limits?: Partial<FilesystemLimits>
  /** Whether files with several names (hard links) are read. False by default. */
  readonly hardLinks?: boolean
  /** Called with messages for the operator, for example that the system refuses to watch. */
  readonly report?: (message: string) => void
  readonly timing?: Partial<WatchTiming>
  /** A thread shared with other sources, which the caller closes. By default the source creates its own. */
  readonly thread?: ParsingThread
}

export interface WatchTiming {
  /** How often the identity of the folder and of its schemas is checked. */
  readonly rootMs: number
  /** How often the state of all files is checked, in case a watch missed a change. */
  readonly backstopMs: number
  /** The same if the system refuses to watch. */
  readonly pollMs: number
}

const TIMING: WatchTiming = { rootMs: 1_000, backstopMs: 60_000, pollMs: 5_000 }

/** Part of every stamp. Increase it if the same content produces other entries than before. */
const READER_VERSION = 1

/**
 * Reads the files of a folder: YAML, JSON, JSON lines, and ZIP archives of them. Locations are paths from the folder
 * with slashes. In an archive they have the form `x.zip!/a/b.yaml`. An archive or folder that fails as a whole has one
 * failure at its own location, for all locations below it.
 * @throws InvalidMapping if an expression of the form does not parse
 */
export function openFilesystemSource(options: FilesystemSourceOptions): SourceReader {
  return new FilesystemSource(options)
}

class FilesystemSource implements SourceReader {
  readonly #limits: FilesystemLimits
  readonly #timing: WatchTiming
  readonly #folders = new FolderCache()
  readonly #verified = new VerifiedLocations()
  readonly #closed = new AbortController()
  readonly #thread: ParsingThread
  readonly #tooCostly: ReadingRules['tooCostly'] = new Map()
  #schemas: EntrySchemas | undefined
  #parsing: ParsingRules | undefined
  #by = ''
  #scans = 0
  /** Number of full scans that were requested, and the last one that is done. */
  #fullScansWanted = 0
  #fullScansDone = 0

  constructor(private readonly options: FilesystemSourceOptions) {
    compileForm(options.form)
    this.#thread = options.thread ?? new ParsingThread()
    this.#limits = { ...FILESYSTEM_LIMITS, ...options.limits }
    this.#timing = { ...TIMING, ...options.timing }
  }

  async *scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncGenerator<ScannedLocation> {
    const both = AbortSignal.any([signal, this.#closed.signal])
    // Every file that is being parsed adds a listener.
    setMaxListeners(0, both)
    both.throwIfAborted()
    const root = await this.#root()
    this.#schemas = await loadSchemas(this.options.schemas ?? {}, this.#schemas)
    const rules = this.#rules(this.#schemas)
    const number = ++this.#scans
    const wanted = this.#fullScansWanted
    const { folders, verified } = { folders: this.#folders, verified: this.#verified }
    yield* scanFolder({
      root,
      folders,
      verified,
      rules,
      number,
      whole: wanted > this.#fullScansDone,
      known,
      signal: both,
    })
    both.throwIfAborted()
    this.#fullScansDone = Math.max(this.#fullScansDone, wanted)
    folders.sweep(number)
    verified.sweep(number)
  }

  /** Resolves when the signal aborts or the source is closed; never rejects. It also calls `changed` once at the start. */
  async watch(changed: () => void, signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#closed.signal])
    if (both.aborted) return
    let refused = false
    this.#folders.startWatching(changed, (error) => {
      refused = true
      this.options.report?.(
        `${this.options.path} cannot be watched completely (${(error as Error).message}). It is polled every ${this.#timing.pollMs / 1000} s instead. ` +
          'On Linux, increase fs.inotify.max_user_watches and fs.inotify.max_user_instances.',
      )
    })
    changed()
    await Promise.all([
      repeatedly(
        () => this.#identity(),
        () => this.#timing.rootMs,
        () => this.#rescanAll(changed),
        both,
      ),
      repeatedly(
        () => this.#digest(both),
        () => (refused ? this.#timing.pollMs : this.#timing.backstopMs),
        () => this.#rescanAll(changed),
        both,
      ),
    ])
    this.#folders.stopWatching()
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('The source has been closed'))
    this.#folders.stopWatching()
    this.#verified.clear()
    if (this.options.thread === undefined) await this.#thread.close()
  }

  #rescanAll(changed: () => void): void {
    this.#fullScansWanted++
    changed()
  }

  async #root(): Promise<string> {
    const { path } = this.options
    let root: string
    try {
      root = await realpath(path)
      if ((await stat(root)).isDirectory()) return root
    } catch (error) {
      throw new Error(`The folder ${path} cannot be read: ${(error as Error).message}`)
    }
    throw new Error(`${path} is not a folder`)
  }

  #rules(schemas: EntrySchemas): ReadingRules {
    const by = this.#fingerprint(schemas)
    if (by !== this.#by || this.#parsing === undefined) {
      this.#verified.clear()
      this.#tooCostly.clear()
      this.#parsing = { form: this.options.form, schemas: schemas.texts, entryBytes: this.#limits.entryBytes }
    }
    this.#by = by
    const links = { hardLinks: this.options.hardLinks ?? false }
    return { by, parsing: this.#parsing, thread: this.#thread, limits: this.#limits, links, tooCostly: this.#tooCostly }
  }

  #fingerprint(schemas: EntrySchemas): string {
    const parts = [READER_VERSION, this.options.form, schemas.fingerprint, this.#limits]
    return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16)
  }

  /** The identity of the folder at the path, and the state of the schemas. */
  async #identity(): Promise<string> {
    const states = [this.options.path, ...Object.values(this.options.schemas ?? {})].map(async (path, index) => {
      try {
        const found = await stat(path, { bigint: true })
        return index === 0 ? folderIdentity(found) : fileState(found).signature
      } catch (error) {
        return (error as NodeJS.ErrnoException).code
      }
    })
    return (await Promise.all(states)).join()
  }

  async #digest(signal: AbortSignal): Promise<string> {
    try {
      return await folderDigest(await this.#root(), this.#verified.unwatchedIncludes(), signal)
    } catch (error) {
      return (error as Error).message
    }
  }
}

/** Reads a value periodically and calls `changed` if it differs from the last one. */
async function repeatedly(
  read: () => Promise<string>,
  everyMs: () => number,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  let last = await read()
  for (;;) {
    await pauseUnless(signal, everyMs())
    if (signal.aborted) return
    const now = await read()
    if (now !== last && !signal.aborted) changed()
    last = now
  }
}

function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms).unref()
    signal.addEventListener('abort', end)
  })
}
