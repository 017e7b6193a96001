// Registries for the measurements. Each is filled once by the store itself, and copied as a database for each use.
import { randomUUID } from 'node:crypto'
import { runAtOnce } from '../../dist/core/algorithms/steps.js'
import { compileDependencyPatterns } from '../../dist/core/dependency/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../dist/core/dependency/default-dependency-patterns.js'
import { sealContent } from '../../dist/core/entry/seal-content.js'
import { fingerprint } from '../../dist/server/gateway.js'
import { compileRegex } from '../../dist/store/planning/compile-regex.js'
import { sha256 } from '../../dist/store/planning/sha256.js'
import { openStore } from '../../dist/store/providers/open-store.js'
import { connect } from './connect.mjs'
import { startDatabaseServer } from './database-server.mjs'
import { entryOf, idOf } from './entries.mjs'
import { scratchFolder } from './processes.mjs'

const AT_ONCE = 10_000
const REPORT_EVERY = 200_000

export async function startDatabase(say = () => undefined) {
  const folder = scratchFolder('database')
  const server = await startDatabaseServer(folder.path)
  const urlOf = (name) => server.url.replace('/cadastre?', `/${name}?`)
  const admin = connect(server.url, { max: 1 })
  const made = new Map()
  let copies = 0
  async function filled(size) {
    if (!made.has(size)) {
      say(`filling a registry with ${size.toLocaleString('en')} entries`)
      const name = `filled_${size}`
      await admin.unsafe(`CREATE DATABASE ${name}`)
      made.set(size, { name, ...(await fill(urlOf(name), size, say)) })
    }
    const { name, oldRevision } = made.get(size)
    return { url: urlOf(name), size, oldRevision, name }
  }
  return {
    pid: () => server.pid(),
    version: async () => (await admin`SHOW server_version`)[0].server_version.split(' ')[0],
    urlOf,
    /** A database with a registry of this size, only for reading. Copies are made of it. */
    filled,
    /** A copy that may be written to. `remove` drops it. */
    async registry(size) {
      const { name: template, oldRevision } = await filled(size)
      const name = `copy_${++copies}`
      await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`)
      await admin`CHECKPOINT`
      return { url: urlOf(name), size, oldRevision, remove: () => admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`) }
    },
    async stop() {
      await admin.end({ timeout: 5 })
      await server.stop()
      folder.remove()
    },
  }
}

export function openHistory(url) {
  return openStore({
    backend: 'postgres',
    databaseUrl: url,
    dataDir: '',
    options: {
      references: compileDependencyPatterns(DEFAULT_DEPENDENCY_PATTERNS),
      referencesFingerprint: fingerprint(DEFAULT_DEPENDENCY_PATTERNS),
      compileRegex,
      readTimeoutMs: 60_000,
      commitTimeoutMs: 300_000,
    },
  })
}

export function commitRequest(operations) {
  return {
    id: randomUUID(),
    author: 'bench',
    message: null,
    idempotency: null,
    expectedHead: null,
    dryRun: false,
    action: {
      type: 'changeset',
      base: null,
      problems: [],
      operations: operations.map((operation, index) => ({ ...operation, index, ifRevision: null })),
    },
  }
}

export function sealed({ kind, meta, data }) {
  return runAtOnce(sealContent({ kind, meta, data }, { sha256, maxDepth: 1_000, maxEntryBytes: 1 << 20 })).content
}

/** Fills a registry and then changes ten entries, so that an old revision exists. */
async function fill(url, size, say) {
  const history = await openHistory(url)
  try {
    // Makes the next entries while the database writes the previous ones.
    let written = Promise.resolve()
    for (let from = 0; from < size; from += AT_ONCE) {
      if (from > 0 && from % REPORT_EVERY === 0) say(`${from.toLocaleString('en')} entries so far`)
      const numbers = Array.from({ length: Math.min(AT_ONCE, size - from) }, (_, i) => from + i)
      const request = commitRequest(numbers.map((i) => ({ kind: 'CREATE', id: idOf(i), content: sealed(entryOf(i)) })))
      await written
      written = history.commit([request])
      // Handled where it is awaited.
      written.catch(() => undefined)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await written
    const { revision } = await history.head()
    for (let i = 0; i < 10; i++) {
      const number = Math.floor((i * size) / 10)
      const entry = entryOf(number)
      await history.commit([
        commitRequest([
          { kind: 'UPDATE', id: entry.id, content: sealed({ ...entry, meta: { ...entry.meta, edited: true } }) },
        ]),
      ])
    }
    const sql = connect(url, { max: 1 })
    await sql`VACUUM ANALYZE`
    await sql.end()
    return { oldRevision: revision }
  } finally {
    await history.close()
  }
}
