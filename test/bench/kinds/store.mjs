// Measures reads of the store as the registry grows: in this process, one query at a time. The places that are compared (the head,
// an old revision, an old revision of the smallest registry) alternate query by query.

import { RetryingClient } from '../../../dist/store/postgres/base/retrying-client.js'
import { FindQuery, LOOKED_UP } from '../../../dist/store/postgres/find/find-query.js'
import { idOf, seeded } from '../entries.mjs'
import { openHistory } from '../registries.mjs'
import { median } from '../statistics.mjs'

const TIMES = 150
const WARM_UP = 20
const EVERYTHING = { all: [] }
const meta = (path, test) => ({ field: { meta: path }, test })
const page = (after = null) => ({ limit: 100, after, before: null, fromEnd: false })

/** The reads. Each receives a place and a number below the size of its registry. A read that returns a number has measured itself. */
const READS = {
  'get ms': ({ history, at }, n) => history.entries([idOf(n)], at),
  'page ms': ({ history, at }, n) => history.findEntries(EVERYTHING, 'ID_ASC', page({ id: idOf(n), revision: 0 }), at),
  'find 1 ms': (place, n) => find(place, meta('serial', { operator: 'equals', value: n })),
  'find by build ms': (place, n) => find(place, byBuild(n)),
  'find 100 by tag ms': (place, n) => find(place, byTag(n)),
  'find 100 by kind ms': (place) => find(place, byKind()),
  'by build, database ms': (place, n) => databaseTime(place, byBuild(n)),
  'by tag, database ms': (place, n) => databaseTime(place, byTag(n)),
  'by kind, database ms': (place) => databaseTime(place, byKind()),
}
const OLD_READS = {
  'open a snapshot ms': async ({ history, at }) => {
    await history.versions([at])
    await history.entryCount(at)
  },
  'delta of 10 ms': async ({ history, at }) => {
    const { length } = await history.delta(at, at + 10)
    if (length !== 10) throw new Error(`a delta of 10 changes holds ${length}`)
  },
}

/** Matches one entry in 10,000: a hundred of a million, which is all that the page returns. */
const byBuild = (n) => meta('build', { operator: 'equals', value: n % 10_000 })
/** Matches one entry in 1,000: the page has the first hundred of a thousand, in id order. */
const byTag = (n) => meta('tags', { operator: 'holdsAll', values: [`t${n % 1_000}`] })
/** Matches one entry in 12. */
const byKind = () => ({ field: { root: 'kind' }, test: { operator: 'equals', value: 'process.lua' } })
const find = ({ history, at }, criteria) => history.findEntries(criteria, 'ID_ASC', page(), at)

/** The database's own time for planning and running the statement of a find, in ms. */
async function databaseTime({ client, lookups, at }, criteria) {
  const query = new FindQuery(criteria)
  const build = query.isLookedUp ? 'lookup' : 'statement'
  const { text, params } = query[build]('ID_ASC', page(), page().limit + 1, at)
  const [row] = await (query.isLookedUp ? lookups : client).run((sql) =>
    sql.unsafe(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${text}`, params),
  )
  const [{ 'Planning Time': planning, 'Execution Time': execution }] = row['QUERY PLAN']
  return planning + execution
}

export const uses = () => 'filled'
export const NEEDS_SMALLEST = true

export async function open(_workload, { registry, smallest }) {
  const reading = await reader(registry)
  const beside = smallest === null ? null : await reader(smallest)
  const head = { ...reading, at: 'head' }
  const old = { ...reading, at: registry.oldRevision }
  const places = { head, old, ...(beside === null ? {} : { smallest: { ...beside, at: smallest.oldRevision } }) }
  return {
    async round(round) {
      const random = seeded(round)
      const figures = Object.fromEntries(Object.keys(places).map((place) => [place, {}]))
      const { head: _head, ...olds } = places
      for (const [name, read] of Object.entries(READS)) await inTurns(name, read, places, random, figures)
      for (const [name, read] of Object.entries(OLD_READS)) await inTurns(name, read, olds, random, figures)
      return figures
    },
    close: async () => {
      await reading.close()
      await beside?.close()
    },
  }
}

async function reader({ url, size }) {
  const history = await openHistory(url)
  // The same settings as the store's client, so the plans are the same.
  const client = new RetryingClient({ databaseUrl: url, connections: 1, timeoutMs: 60_000 })
  const lookups = new RetryingClient({ databaseUrl: url, connections: 1, timeoutMs: 60_000, settings: LOOKED_UP })
  const close = () => Promise.all([history.close(), client.close(), lookups.close()])
  return { history, client, lookups, size, close }
}

async function inTurns(name, read, places, random, figures) {
  const times = Object.fromEntries(Object.keys(places).map((place) => [place, []]))
  for (let i = 0; i < TIMES + WARM_UP; i++) {
    for (const [called, place] of Object.entries(places)) {
      const n = Math.floor(random() * place.size)
      const began = performance.now()
      const measured = await read(place, n)
      if (i >= WARM_UP) times[called].push(typeof measured === 'number' ? measured : performance.now() - began)
    }
  }
  for (const [place, each] of Object.entries(times)) figures[place][name] = median(each)
}
