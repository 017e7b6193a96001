import type { ScannedLocation, SourceReader } from '../contract/source-reader.js'
import { type EntrySchemas, loadSchemas } from '../forms/entry-schemas.js'
import { type ParsingRules, packEntry } from './parse-job.js'
import type { ParsingThread } from './parsing-thread.js'

/**
 * Validates the entries of a reader that does not support schemas itself. The stamps include the fingerprint of the schemas,
 * so everything is read again if they change.
 * @param paths bus pattern of kinds to the absolute path of a JSON Schema
 */
export function withSchemas(
  reader: SourceReader,
  paths: Readonly<Record<string, string>>,
  thread: ParsingThread,
): SourceReader {
  let schemas: EntrySchemas | undefined
  let rules: ParsingRules | undefined

  async function checked(
    scanned: Extract<ScannedLocation, { unchanged: false }>,
    signal: AbortSignal,
  ): Promise<ScannedLocation> {
    const { location, entries, failures } = scanned
    if (entries.length === 0) return scanned
    const found = await thread.parse(rules!, { type: 'check', location, entries: entries.map(packEntry) }, { signal })
    return { ...scanned, entries: found.entries, failures: [...failures, ...found.failures] }
  }

  return {
    async *scan(known, signal) {
      const before = schemas
      schemas = await loadSchemas(paths, before)
      if (schemas !== before || rules === undefined)
        rules = { form: 'entry', schemas: schemas.texts, entryBytes: Infinity }
      const prefix = `${schemas.fingerprint.slice(0, 16)} `
      const knownToReader = (location: string) => {
        const stamp = known(location)
        return stamp?.startsWith(prefix) === true ? stamp.slice(prefix.length) : undefined
      }
      for await (const scanned of reader.scan(knownToReader, signal)) {
        yield scanned.unchanged ? scanned : await checked({ ...scanned, stamp: prefix + scanned.stamp }, signal)
      }
    },
    ...(reader.watch && { watch: (changed, signal) => reader.watch!(changed, signal) }),
    close: () => reader.close(),
  }
}
