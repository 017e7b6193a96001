// One database, the registries in it, and every workload in each size that it is for.
import * as bulk from './kinds/bulk.mjs'
import * as follow from './kinds/follow.mjs'
import * as load from './kinds/load.mjs'
import * as rollback from './kinds/rollback.mjs'
import * as store from './kinds/store.mjs'
import { startDatabase } from './registries.mjs'
import { median } from './statistics.mjs'
import { SYSTEMS } from './systems.mjs'

const KINDS = { bulk, follow, load, rollback, store }

export async function runWorkloads(workloads, options, without, done) {
  const database = await startDatabase()
  const results = []
  try {
    for (const size of options.sizes) {
      for (const workload of workloads) {
        if (workload.sizes === 'smallest' && size !== options.sizes[0]) continue
        const systems = workload.systems.filter((name) => !(SYSTEMS[name].needs in without))
        const registry = await database.registry(size)
        try {
          const rounds = await measure(workload, { ...options, registry, database, systems })
          const result = { workload, size, systems, rounds, aims: workload.aims.flatMap((aim) => judged(aim, systems, rounds)) }
          results.push(result)
          done(result)
        } finally {
          await registry.remove()
        }
      }
    }
    return { results, postgres: await database.version() }
  } finally {
    await database.stop()
  }
}

async function measure(workload, context) {
  const opened = await KINDS[workload.kind].open(workload, context)
  try {
    const rounds = []
    for (let i = 0; i < context.rounds; i++) rounds.push(await opened.round(i))
    return rounds
  } finally {
    await opened.close()
  }
}

/** The ratio within each round, since what else the machine does changes from round to round; the median of those. */
function judged({ figure, of = 'cadastre', over, least, most }, systems, rounds) {
  const others = over.filter((name) => systems.includes(name))
  if (others.length === 0) return []
  const better = figure === 'perSecond' ? Math.max : Math.min
  const ratio = median(rounds.map((round) => round[of][figure] / better(...others.map((name) => round[name][figure]))))
  return [{ figure, of, over: others, least, most, ratio, isMet: least === undefined ? ratio <= most : ratio >= least }]
}
