// A plugin with a source provider: it reads entries from a CSV file, one for each row. README.md describes it.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCsv } from './parse-csv.js'

const MAX_BYTES = 32 * 1024 * 1024

export function register(api) {
  api.provider('source', {
    name: 'csv',
    displayName: 'CSV file',
    version: '1.0.0',
    description: 'Entries from a CSV file whose first row names the fields, one for each row below it.',
    capabilities: ['scan', 'watch'],
    configSchema: {
      type: 'object',
      additionalProperties: false,
      required: ['path', 'namespace', 'key', 'kind'],
      properties: {
        path: { type: 'string', minLength: 1 },
        namespace: { type: 'string', minLength: 1 },
        key: { type: 'string', minLength: 1 },
        kind: { type: 'string', minLength: 1 },
        meta: { type: 'array', items: { type: 'string' }, default: [] },
        separator: { enum: [',', ';', '\t'], default: ',' },
        pollSeconds: { type: 'number', minimum: 0.1, maximum: 86_400, default: 2 },
      },
    },
    create: (config, host) => new CsvSource(config, host),
  })
}

class CsvSource {
  #config
  #host
  #path

  constructor(config, host) {
    this.#config = config
    this.#host = host
    // Relative to the configuration file, like every path in it.
    this.#path = resolve(host.folder, config.path)
  }

  /** Yields the file as its only location, unless it is unchanged since it was last applied. */
  async *scan(known, signal) {
    signal.throwIfAborted()
    const { path: location } = this.#config
    // An error here means that the source as a whole cannot be read. Then nothing is deleted.
    const { bytes, modifiedAt } = await readFile(this.#path)
    const stamp = createHash('sha256').update(JSON.stringify(this.#config)).update(bytes).digest('hex')
    if (known(location) === stamp) {
      yield { location, unchanged: true }
      return
    }
    const { rows, faults } = parseCsv(new TextDecoder('utf-8', { fatal: true }).decode(bytes), this.#config.separator)
    const failures = faults.map(({ line, message }) => ({ file: location, line, column: null, entryId: null, message }))
    const fields = rows.shift()?.cells ?? []
    for (const needed of [this.#config.key, ...this.#config.meta]) {
      if (!fields.includes(needed)) throw new Error(`${location}:1: the column ${JSON.stringify(needed)} is missing`)
    }
    const definitions = []
    for (const { line, cells } of rows) {
      if (cells.length === fields.length) definitions.push(this.#definition(line, fields, cells))
      else
        failures.push({
          file: location,
          line,
          column: null,
          entryId: null,
          message: `has ${cells.length} cells where the first row has ${fields.length}`,
        })
    }
    // The gateway checks ids, kinds and contents as for its own sources.
    const given = await this.#host.give(location, definitions)
    yield {
      location,
      unchanged: false,
      stamp,
      modifiedAt,
      entries: given.entries,
      failures: [...failures, ...given.failures],
    }
  }

  async watch(changed, signal) {
    let before = await this.#fingerprint()
    try {
      for (;;) {
        await sleep(this.#config.pollSeconds * 1_000, undefined, { signal })
        const now = await this.#fingerprint()
        if (now !== before) changed()
        before = now
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async close() {}

  #definition(line, fields, cells) {
    const { namespace, key, kind, meta } = this.#config
    const row = fields.map((field, i) => [field, cells[i]])
    return {
      id: { ns: namespace, name: cells[fields.indexOf(key)] },
      kind,
      meta: Object.fromEntries(row.filter(([field]) => meta.includes(field))),
      data: Object.fromEntries(row.filter(([field]) => field !== key && !meta.includes(field))),
      line,
    }
  }

  async #fingerprint() {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path)
      return `${mtimeMs} ${size} ${ino}`
    } catch (error) {
      return error.code
    }
  }
}

/** Checks and reads through one handle, so that nobody can exchange the file in between. */
async function readFile(path) {
  // Without O_NONBLOCK a named pipe would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await file.stat()
    const { size, mtime } = found
    if (!found.isFile()) throw new Error(`${path} is not a file`)
    if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes; at most ${MAX_BYTES} are read`)
    return { bytes: await file.readFile(), modifiedAt: mtime }
  } finally {
    await file.close()
  }
}
