import { createHash } from 'node:crypto'
import type { ScannedLocation, SourceReader } from '../../../src/sources/contract/source-reader.js'
import { PARSERS, parseEntries } from '../../../src/sources/forms/parse-entries.js'

/** A source of texts in memory. Each location is a file of entries, parsed by its extension. */
export class MapSource implements SourceReader {
  readonly files = new Map<string, { text: string; modifiedAt: Date }>()
  /** Locations that were read, not only found unchanged. */
  reads: string[] = []
  /** Whether the source as a whole cannot be read. */
  broken: Error | null = null
  scans = 0
  readonly #listeners = new Set<() => void>()

  put(location: string, text: string | object, modifiedAt = new Date()): this {
    this.files.set(location, { text: typeof text === 'string' ? text : JSON.stringify(text), modifiedAt })
    this.touch()
    return this
  }

  remove(location: string): this {
    this.files.delete(location)
    this.touch()
    return this
  }

  touch(): void {
    for (const listener of this.#listeners) listener()
  }

  async *scan(known: (location: string) => string | undefined, signal: AbortSignal): AsyncIterable<ScannedLocation> {
    this.scans += 1
    for (const [location, { text, modifiedAt }] of [...this.files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      await Promise.resolve()
      signal.throwIfAborted()
      if (this.broken !== null) throw this.broken
      const stamp = createHash('sha256').update(text).digest('hex')
      if (known(location) === stamp) {
        yield { location, unchanged: true }
        continue
      }
      this.reads.push(location)
      const parse = PARSERS[location.slice(location.lastIndexOf('.'))]!
      const { entries, failures } = parseEntries(location, text, parse)
      yield { location, unchanged: false, stamp, modifiedAt, entries, failures }
    }
    if (this.broken !== null) throw this.broken
  }

  watch(changed: () => void, signal: AbortSignal): Promise<void> {
    this.#listeners.add(changed)
    return new Promise((resolve) =>
      signal.addEventListener(
        'abort',
        () => {
          this.#listeners.delete(changed)
          resolve()
        },
        { once: true },
      ),
    )
  }

  async close(): Promise<void> {}
}

/** A definition in the form `entry`. */
export function thing(id: string, data: unknown = null, meta: object = {}, kind = 'test.thing'): object {
  return { id, kind, meta, data }
}
