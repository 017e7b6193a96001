// What reading costs as the registry grows: `npm run build && node test/bench/scale.mjs 10 10000 100000 1000000`.
// One run, one server, one client, in process: no HTTP. Prints medians in milliseconds, a column for each size.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { compileDependencyPatterns } from '../../dist/core/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../dist/core/default-dependency-patterns.js'
import { sealContent } from '../../dist/core/seal-content.js'
import { sha256 } from '../../dist/store/changeset-codec.js'
import { compileRegex } from '../../dist/store/compile-regex.js'
import { openStore } from '../../dist/store/open-store.js'

const SIZES = process.argv.slice(2).map(Number)
const AT_ONCE = 10_000
const RUNS = 50
const EVERYTHING = { all: [] }

const seal = (content) => sealContent(content, { sha256, maxDepth: 1_000, maxEntryBytes: 1 << 20 }).content
const id = (i) => `app.${i % 97}:entry-${String(i).padStart(7, '0')}`
/** About 300 bytes, as the median of real registries. */
const content = (i, edit = 0) => seal({
  kind: ['function.lua', 'library.lua', 'process.lua', 'registry.entry', 'http.endpoint'][i % 5],
  meta: { name: `Entry ${i}`, comment: 'What this entry is for, in a sentence of the usual length', tags: ['a', `t${i % 1000}`], serial: i, edit },
  data: { source: `file://entry-${i}.lua`, modules: ['json', 'time', 'http'], method: 'run', options: { retries: i % 7, ratio: i / 7 } },
})
const request = (operations, rest = {}) => ({
  id: randomUUID(), author: null, message: null, idempotency: null, expectedHead: null, dryRun: false,
  action: { type: 'changeset', base: null, problems: [], operations: operations.map((operation, index) => ({ ...operation, index, ifRevision: null })) }, ...rest,
})
const page = (limit) => ({ limit, after: null, before: null, fromEnd: false })

const dataDir = mkdtempSync(join(tmpdir(), 'cadastre-bench-'))
const history = await openStore({
  backend: 'embedded', databaseUrl: null, dataDir,
  options: {
    references: compileDependencyPatterns(DEFAULT_DEPENDENCY_PATTERNS), referencesFingerprint: 'default', compileRegex,
    readTimeoutMs: 60_000, commitTimeoutMs: 300_000,
  },
})
const columns = []
try {
  let count = 0
  for (const size of SIZES) {
    const began = performance.now()
    while (count < size) {
      const operations = []
      for (; operations.length < AT_ONCE && count < size; count++) operations.push({ kind: 'CREATE', id: id(count), content: content(count) })
      await history.commit([request(operations)])
    }
    const seeded = performance.now() - began
    const old = (await history.head()).revision
    const edited = Array.from({ length: 10 }, (_, i) => Math.floor((i * size) / 10))
    for (const i of new Set(edited)) await history.commit([request([{ kind: 'UPDATE', id: id(i), content: content(i, size) }])])
    const some = () => id(Math.floor(Math.random() * size))
    const field = (path, value) => ({ field: { meta: path }, test: { operator: 'equals', value } })
    columns.push({
      size, 'seeded in s': seeded / 1000,
      'get, head': await median(() => history.entries([some()], 'head')),
      'get, old revision': await median(() => history.entries([some()], old)),
      'page of 100, head': await median(() => history.findEntries(EVERYTHING, 'ID_ASC', { ...page(100), after: { id: some(), revision: 0 } }, 'head')),
      'page of 100, old revision': await median(() => history.findEntries(EVERYTHING, 'ID_ASC', { ...page(100), after: { id: some(), revision: 0 } }, old)),
      'open a snapshot': await median(async () => { await history.versions([1]); await history.entryCount(old) }),
      'delta of 10 changes': await median(() => history.delta(old, old + new Set(edited).size)),
      'find one by meta, head': await median(() => history.findEntries(field('serial', Math.floor(Math.random() * size)), 'ID_ASC', page(100), 'head')),
      'find one by meta, old': await median(() => history.findEntries(field('serial', Math.floor(Math.random() * size)), 'ID_ASC', page(100), old)),
      'find 100 by tag, head': await median(() => history.findEntries({ field: { meta: 'tags' }, test: { operator: 'holdsAll', values: [`t${Math.floor(Math.random() * 1000)}`] } }, 'ID_ASC', page(100), 'head')),
      'find 100 by kind, head': await median(() => history.findEntries({ field: { root: 'kind' }, test: { operator: 'equals', value: 'process.lua' } }, 'ID_ASC', page(100), 'head')),
      'one small changeset': await median(() => history.commit([request([{ kind: 'UPDATE', id: id(1), content: content(1, Math.random()) }])])),
    })
    console.error(`measured ${size}`)
  }
} finally {
  await history.close()
  rmSync(dataDir, { recursive: true, force: true })
}
const rows = Object.keys(columns[0])
console.log(rows.map((row) => `| ${row} | ${columns.map((column) => (row === 'size' ? column.size : column[row].toFixed(2))).join(' | ')} |`).join(`\n`))

async function median(run) {
  for (let i = 0; i < 5; i++) await run()
  const times = []
  for (let i = 0; i < RUNS; i++) {
    const began = performance.now()
    await run()
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)[RUNS >> 1]
}
