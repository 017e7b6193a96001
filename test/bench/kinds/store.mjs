// What reading costs as the registry grows: the store by itself, in this process, one question at a time. All places that are held
// against each other (the head, an old revision, an old revision of the smallest registry) are asked in turns, question by question.
import { idOf, seeded } from '../entries.mjs'
import { openHistory } from '../registries.mjs'
import { median } from '../statistics.mjs'

const TIMES = 150
const WARM_UP = 20
const EVERYTHING = { all: [] }
const meta = (path, test) => ({ field: { meta: path }, test })
const page = (after = null) => ({ limit: 100, after, before: null, fromEnd: false })

/** What is asked; each is given a place and a number below the size of its registry. */
const READS = {
  'get ms': ({ history, at }, n) => history.entries([idOf(n)], at),
  'page ms': ({ history, at }, n) => history.findEntries(EVERYTHING, 'ID_ASC', page({ id: idOf(n), revision: 0 }), at),
  'find 1 ms': (place, n) => find(place, meta('serial', { operator: 'equals', value: n })),
  'find 100 by tag ms': (place, n) => find(place, meta('tags', { operator: 'holdsAll', values: [`t${n % 1_000}`] })),
  'find 100 by kind ms': (place) => find(place, { field: { root: 'kind' }, test: { operator: 'equals', value: 'process.lua' } }),
}
const OLD_READS = {
  'open a snapshot ms': async ({ history, at }) => { await history.versions([at]); await history.entryCount(at) },
  'delta of 10 ms': async ({ history, at }) => {
    const { length } = await history.delta(at, at + 10)
    if (length !== 10) throw new Error(`a delta of 10 changes holds ${length}`)
  },
}

const find = ({ history, at }, criteria) => history.findEntries(criteria, 'ID_ASC', page(), at)

export const uses = () => 'filled'

export async function open(_workload, { registry, smallest }) {
  const history = await openHistory(registry.url)
  const small = smallest === null ? null : await openHistory(smallest.url)
  const head = { history, size: registry.size, at: 'head' }
  const old = { history, size: registry.size, at: registry.oldRevision }
  const beside = small === null ? {} : { smallest: { history: small, size: smallest.size, at: smallest.oldRevision } }
  return {
    async round(round) {
      const random = seeded(round)
      const figures = { head: {}, old: {}, ...(small === null ? {} : { smallest: {} }) }
      for (const [name, read] of Object.entries(READS)) await inTurns(name, read, { head, old, ...beside }, random, figures)
      for (const [name, read] of Object.entries(OLD_READS)) await inTurns(name, read, { old, ...beside }, random, figures)
      return figures
    },
    close: async () => { await history.close(); await small?.close() },
  }
}

async function inTurns(name, read, places, random, figures) {
  const times = Object.fromEntries(Object.keys(places).map((place) => [place, []]))
  for (let i = 0; i < TIMES + WARM_UP; i++) {
    for (const [called, place] of Object.entries(places)) {
      const n = Math.floor(random() * place.size)
      const began = performance.now()
      await read(place, n)
      if (i >= WARM_UP) times[called].push(performance.now() - began)
    }
  }
  for (const [place, each] of Object.entries(times)) figures[place][name] = median(each)
}
