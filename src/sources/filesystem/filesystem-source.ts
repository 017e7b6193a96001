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
  /** Hears what whoever runs the gateway should know: that the system refuses to watch. */
  readonly report?: (message: string) => void
  readonly timing?: Partial<WatchTiming>
  /** Shared with other sources, and closed by whoever gives it; one of its own where it is left out. */
  readonly thread?: ParsingThread
}

export interface WatchTiming {
  /** How often it is looked whether the folder itself is another one, and its schemas are. */
  readonly rootMs: number
  /** How often all files are looked at, should a watch have missed something. */
  readonly backstopMs: number
  /** The same where the system refuses to watch. */
  readonly pollMs: number
}

const TIMING: WatchTiming = { rootMs: 1_000, backstopMs: 60_000, pollMs: 5_000 }

/** Part of every stamp: to be raised where the same content would give other entries than before. */
const READER_VERSION = 1

/**
 * Reads the files of a folder: YAML, JSON, JSON lines, and ZIP archives of them. Locations are paths from the folder,
 * with slashes; in an archive `x.zip!/a/b.yaml`. What fails as a whole, an archive or a folder in it, has a
 * failure at its own location, which stands for all below it.
 * @throws InvalidMapping where an expression of the form does not parse
 */
export function openFilesystemSource(options: FilesystemSourceOptions): SourceReader {
  return new FilesystemSource(options)
}

class FilesystemSource implements SourceReader {
  readonly #limits: FilesystemLimits
  readonly #timing: WatchTiming
  readonly #memory = new FolderCache()
  readonly #verified = new VerifiedLocations()
  readonly #closed = new AbortController()
  readonly #thread: ParsingThread
  readonly #tooMuch: ReadingRules['tooMuch'] = new Map()
  #schemas: EntrySchemas | undefined
  #parsing: ParsingRules | undefined
  #by = ''
  #scans = 0
  /** Scans wanted to look at everything, and the last of them that one has done. */
  #wanted = 0
  #done = 0

  constructor(private readonly options: FilesystemSourceOptions) {
    compileForm(options.form)
    this.#thread = options.thread ?? new ParsingThread()
    this.#limits = { ...FILESYSTEM_LIMITS, ...options.limits }
    this.#timing = { ...TIMING, ...options.timing }
  }

  async *scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncGenerator<ScannedLocation> {
    const both = AbortSignal.any([signal, this.#closed.signal])
    // Every file that is being parsed listens to it.
    setMaxListeners(0, both)
    both.throwIfAborted()
    const root = await this.#root()
    this.#schemas = await loadSchemas(this.options.schemas ?? {}, this.#schemas)
    const rules = this.#rules(this.#schemas)
    const number = ++this.#scans
    const wanted = this.#wanted
    const { memory, verified } = { memory: this.#memory, verified: this.#verified }
    yield* scanFolder({ root, memory, verified, rules, number, whole: wanted > this.#done, known, signal: both })
    both.throwIfAborted()
    this.#done = Math.max(this.#done, wanted)
    memory.sweep(number)
    verified.sweep(number)
  }

  /** Resolves when the signal aborts or the source is closed; never rejects. `changed` is called once at the start, too. */
  async watch(changed: () => void, signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#closed.signal])
    if (both.aborted) return
    let refused = false
    this.#memory.startWatching(changed, (error) => {
      refused = true
      this.options.report?.(
        `${this.options.path} cannot be watched whole (${(error as Error).message}): it is looked at every ${this.#timing.pollMs / 1000} s instead. ` +
          'On Linux, fs.inotify.max_user_watches and max_user_instances say how much may be watched.',
      )
    })
    changed()
    await Promise.all([
      repeatedly(
        () => this.#identity(),
        () => this.#timing.rootMs,
        () => this.#lookAgain(changed),
        both,
      ),
      repeatedly(
        () => this.#digest(both),
        () => (refused ? this.#timing.pollMs : this.#timing.backstopMs),
        () => this.#lookAgain(changed),
        both,
      ),
    ])
    this.#memory.stopWatching()
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the source has been closed'))
    this.#memory.stopWatching()
    this.#verified.clear()
    if (this.options.thread === undefined) await this.#thread.close()
  }

  #lookAgain(changed: () => void): void {
    this.#wanted++
    changed()
  }

  async #root(): Promise<string> {
    const { path } = this.options
    let root: string
    try {
      root = await realpath(path)
      if ((await stat(root)).isDirectory()) return root
    } catch (error) {
      throw new Error(`the folder ${path} cannot be read: ${(error as Error).message}`)
    }
    throw new Error(`${path} is no folder`)
  }

  #rules(schemas: EntrySchemas): ReadingRules {
    const by = this.#fingerprint(schemas)
    if (by !== this.#by || this.#parsing === undefined) {
      this.#verified.clear()
      this.#tooMuch.clear()
      this.#parsing = { form: this.options.form, schemas: schemas.texts, entryBytes: this.#limits.entryBytes }
    }
    this.#by = by
    return { by, parsing: this.#parsing, thread: this.#thread, limits: this.#limits, tooMuch: this.#tooMuch }
  }

  #fingerprint(schemas: EntrySchemas): string {
    const parts = [READER_VERSION, this.options.form, schemas.fingerprint, this.#limits]
    return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16)
  }

  /** Which folder lies at the path, and the look of the schemas. */
  async #identity(): Promise<string> {
    const looks = [this.options.path, ...Object.values(this.options.schemas ?? {})].map(async (path, index) => {
      try {
        const found = await stat(path, { bigint: true })
        return index === 0 ? folderIdentity(found) : fileState(found).signature
      } catch (error) {
        return (error as NodeJS.ErrnoException).code
      }
    })
    return (await Promise.all(looks)).join()
  }

  async #digest(signal: AbortSignal): Promise<string> {
    try {
      return await folderDigest(await this.#root(), this.#verified.unvouchedIncludes(), signal)
    } catch (error) {
      return (error as Error).message
    }
  }
}

/** Looks now and then, and tells where it sees something else than the last time. */
async function repeatedly(
  look: () => Promise<string>,
  everyMs: () => number,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  let last = await look()
  for (;;) {
    await pauseUnless(signal, everyMs())
    if (signal.aborted) return
    const now = await look()
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
