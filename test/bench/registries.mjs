// Registries to measure in: each filled once, by the store itself, and copied as a database for each use.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from './connect.mjs'
import { compileDependencyPatterns } from '../../dist/core/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../dist/core/default-dependency-patterns.js'
import { sealContent } from '../../dist/core/seal-content.js'
import { fingerprint } from '../../dist/server/gateway.js'
import { sha256 } from '../../dist/store/changeset-codec.js'
import { compileRegex } from '../../dist/store/compile-regex.js'
import { startEmbeddedPostgres } from '../../dist/store/embedded/start-embedded-postgres.js'
import { openStore } from '../../dist/store/open-store.js'
import { entryOf, idOf } from './entries.mjs'

const AT_ONCE = 10_000

export async function startDatabase() {
  const dataDir = mkdtempSync(join(tmpdir(), 'cadastre-bench-database-'))
  const server = await startEmbeddedPostgres({ dataDir })
  const urlOf = (name) => server.url.replace('/cadastre?', `/${name}?`)
  const admin = connect(server.url, { max: 1 })
  const filled = new Map()
  let copies = 0
  return {
    pid: () => server.pid(),
    version: async () => (await admin`SHOW server_version`)[0].server_version.split(' ')[0],
    urlOf,
    /** A database with a registry of this size; a copy of its own to be written to, with `remove`. */
    async registry(size) {
      if (!filled.has(size)) {
        const name = `filled_${size}`
        await admin.unsafe(`CREATE DATABASE ${name}`)
        filled.set(size, { name, ...await fill(urlOf(name), size) })
      }
      const { name: template, oldRevision } = filled.get(size)
      const name = `copy_${++copies}`
      await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`)
      await admin`CHECKPOINT`
      return { url: urlOf(name), size, oldRevision, remove: () => admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`) }
    },
    async stop() {
      await admin.end({ timeout: 5 })
      await server.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export function openHistory(url) {
  return openStore({
    backend: 'postgres', databaseUrl: url, dataDir: '',
    options: {
      references: compileDependencyPatterns(DEFAULT_DEPENDENCY_PATTERNS), referencesFingerprint: fingerprint(DEFAULT_DEPENDENCY_PATTERNS), compileRegex,
      readTimeoutMs: 60_000, commitTimeoutMs: 300_000,
    },
  })
}

export function commitRequest(operations) {
  return {
    id: randomUUID(), author: 'bench', message: null, idempotency: null, expectedHead: null, dryRun: false,
    action: { type: 'changeset', base: null, problems: [], operations: operations.map((operation, index) => ({ ...operation, index, ifRevision: null })) },
  }
}

export function sealed({ kind, meta, data }) {
  return sealContent({ kind, meta, data }, { sha256, maxDepth: 1_000, maxEntryBytes: 1 << 20 }).content
}

/** Then ten entries are changed, so that what was before them is an old revision. */
async function fill(url, size) {
  const history = await openHistory(url)
  try {
    for (let from = 0; from < size; from += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, size - from) }, (_, i) => from + i)
      await history.commit([commitRequest(numbers.map((i) => ({ kind: 'CREATE', id: idOf(i), content: sealed(entryOf(i)) })))])
    }
    const { revision } = await history.head()
    for (let i = 0; i < 10; i++) {
      const number = Math.floor((i * size) / 10)
      const entry = entryOf(number)
      await history.commit([commitRequest([{ kind: 'UPDATE', id: entry.id, content: sealed({ ...entry, meta: { ...entry.meta, edited: true } }) }])])
    }
    const sql = connect(url, { max: 1 })
    await sql`VACUUM ANALYZE`
    await sql.end()
    return { oldRevision: revision }
  } finally {
    await history.close()
  }
}
