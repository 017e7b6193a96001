// What reading costs as the registry grows: the store by itself, in this process, one question at a time.
import { idOf, seeded } from '../entries.mjs'
import { openHistory } from '../registries.mjs'
import { median } from '../statistics.mjs'

const TIMES = 50
const EVERYTHING = { all: [] }
const meta = (path, test) => ({ field: { meta: path }, test })

export async function open(_workload, { registry: { url, size, oldRevision } }) {
  const history = await openHistory(url)
  return {
    async round(round) {
      const random = seeded(round)
      const any = () => Math.floor(random() * size)
      const page = (after = null) => ({ limit: 100, after, before: null, fromEnd: false })
      const find = (criteria, at) => history.findEntries(criteria, 'ID_ASC', page(), at)
      const reads = async (at) => ({
        'get ms': await timed(() => history.entries([idOf(any())], at)),
        'page ms': await timed(() => history.findEntries(EVERYTHING, 'ID_ASC', page({ id: idOf(any()), revision: 0 }), at)),
        'find 1 ms': await timed(() => find(meta('serial', { operator: 'equals', value: any() }), at)),
        'find 100 by tag ms': await timed(() => find(meta('tags', { operator: 'holdsAll', values: [`t${any() % 1_000}`] }), at)),
        'find 100 by kind ms': await timed(() => find({ field: { root: 'kind' }, test: { operator: 'equals', value: 'process.lua' } }, at)),
      })
      return {
        head: await reads('head'),
        old: {
          ...await reads(oldRevision),
          'open a snapshot ms': await timed(async () => { await history.versions([1]); await history.entryCount(oldRevision) }),
          'delta of 10 ms': await timed(() => history.delta(oldRevision, oldRevision + 10)),
        },
      }
    },
    close: () => history.close(),
  }
}

async function timed(read) {
  const times = []
  for (let i = 0; i < TIMES; i++) {
    const began = performance.now()
    await read()
    times.push(performance.now() - began)
  }
  return median(times.slice(5))
}
