// Measures the cost of many instances and the delay of their expiry: `npm run build && node test/bench/instances.mjs 50000`.
// It runs the registries of two gateways over one embedded server, in process and without HTTP. All instances expire at one instant:
// first spread over 1,000 entries, one of which is followed, then all of one entry, followed at the other gateway.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { compileDependencyPatterns } from '../../dist/core/dependency/compile-dependency-patterns.js'
import { createRegistry } from '../../dist/registry/create-registry.js'
import { startEmbeddedPostgres } from '../../dist/store/embedded/start-embedded-postgres.js'
import { compileRegex } from '../../dist/store/planning/compile-regex.js'
import { connectionOptions } from '../../dist/store/postgres/base/connection-options.js'
import { openPostgresHistory } from '../../dist/store/postgres/postgres-history.js'

const COUNT = Number(process.argv[2] ?? 50_000)
const ENTRIES = 1_000
const AT_ONCE = 2_000
const dataDir = mkdtempSync(join(tmpdir(), 'cadastre-bench-'))
const server = await startEmbeddedPostgres({ dataDir })
const references = compileDependencyPatterns([])
const open = async () => {
  const history = await openPostgresHistory({
    references,
    referencesFingerprint: 'none',
    compileRegex,
    readTimeoutMs: 30_000,
    commitTimeoutMs: 60_000,
    databaseUrl: server.url,
    backend: 'embedded',
  })
  return createRegistry({ history, references, compileRegex })
}
const [here, there] = [await open(), await open()]
const sql = postgres({ ...connectionOptions(server.url), max: 1, onnotice: () => {} })

async function timed(what, work) {
  const begun = performance.now()
  const result = await work()
  const ms = performance.now() - begun
  console.log(`${what.padEnd(64)} ${(ms / 1000).toFixed(2)} s`)
  return result
}

async function all(items, each) {
  const results = []
  for (let i = 0; i < items.length; i += AT_ONCE)
    results.push(...(await Promise.all(items.slice(i, i + AT_ONCE).map(each))))
  return results
}

const acquireAll = (entryOf) =>
  all(
    Array.from({ length: COUNT }, (_, i) => i),
    (i) =>
      (i % 2 === 0 ? here : there).instances.acquire({
        entry: entryOf(i),
        name: `worker ${i}`,
        ttlSeconds: 600,
        metadata: { host: `10.0.0.${i % 250}` },
      }),
  )

/** Makes all instances expire at one instant. Returns that instant on this process's clock. */
async function expireAllIn(seconds) {
  const [{ left }] = await sql`
    WITH moved AS (UPDATE instance SET expires_at = clock.at FROM (SELECT clock_timestamp() + ${seconds} * interval '1 second' AS at) clock RETURNING expires_at)
    SELECT extract(epoch FROM min(expires_at) - clock_timestamp())::float8 * 1000 AS left FROM moved`
  const at = performance.now() + left
  await sql`SELECT pg_notify('cadastre_instance', '*')`
  // The gateways did not see the update, so an acquire reminds them when to sweep.
  await here.instances.acquire({ entry: 'app:999', name: randomUUID(), ttlSeconds: seconds })
  return at
}

async function expiry(stream, wanted) {
  const at = await expireAllIn(8)
  let first = 0
  let expiredCount = 0
  const following = (async () => {
    while (expiredCount < wanted) {
      const { value } = await stream.next()
      const expired = value.changes.filter(({ kind }) => kind === 'EXPIRED').length
      if (expired > 0 && first === 0) first = performance.now() - at
      expiredCount += expired
    }
    return performance.now() - at
  })()
  let removed = 0
  const watching = (async () => {
    for (;;) {
      const [{ n }] = await sql`SELECT count(*)::int AS n FROM instance`
      if (n === 0) return
      removed = 0
      await sleep(100)
    }
  })().then(() => {
    removed = performance.now() - at
  })
  const last = await following
  await watching
  console.log(
    `  a follower received the first after ${first.toFixed(0)} ms, the last (${expiredCount}) after ${last.toFixed(0)} ms; the rows were gone after ${removed.toFixed(0)} ms`,
  )
}

try {
  const id = (i) => `app:${i % ENTRIES}`
  const operations = Array.from({ length: ENTRIES }, (_, i) => ({
    kind: 'CREATE',
    id: id(i),
    entryKind: 'service',
    data: null,
  }))
  await here.applyChangeset({ operations }, { author: null })

  const held = await timed(`${COUNT} acquired over ${ENTRIES} entries, by two gateways`, () => acquireAll(id))
  await timed(`${COUNT} renewed`, () => all(held, ({ id }) => here.instances.renew(id, null)))
  await timed('live instances of 1,000 entries read, in one statement', () =>
    here.history.instances.live(operations.map(({ id }) => id)),
  )
  const abort = new AbortController()
  const spread = there.instances.follow('app:0', abort.signal)
  await spread.next()
  console.log('all expire at one instant, spread over the entries:')
  await expiry(spread, COUNT / ENTRIES)

  await timed(`${COUNT} acquired of one entry, by two gateways`, () => acquireAll(() => 'app:1'))
  const one = there.instances.follow('app:1', abort.signal)
  let listed = 0
  await timed('they are listed to a new follower', async () => {
    for (let synced = false; !synced; ) {
      const { value } = await one.next()
      listed += value.changes.length
      synced = value.synced
    }
  })
  console.log(`all of one entry expire at one instant (${listed} listed):`)
  await expiry(one, COUNT)
  abort.abort()

  const request = { id: randomUUID() }
  await acquireAll(id)
  await timed(`a forced delete of ${ENTRIES} entries with ${COUNT} instances`, () =>
    here.applyChangeset(
      {
        operations: operations.map(({ id }) => ({ kind: 'DELETE', id, force: true })),
        idempotencyKey: request.id,
      },
      { author: null },
    ),
  )
} finally {
  for (const registry of [here, there]) {
    await registry.close()
    await registry.history.close()
  }
  await sql.end()
  await server.stop()
  rmSync(dataDir, { recursive: true, force: true })
}
