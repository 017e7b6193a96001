// Runs every workload in each of its sizes, over one database.
import * as bulk from './kinds/bulk.mjs'
import * as follow from './kinds/follow.mjs'
import * as history from './kinds/history.mjs'
import * as hold from './kinds/hold.mjs'
import * as idle from './kinds/idle.mjs'
import * as load from './kinds/load.mjs'
import * as propagation from './kinds/propagation.mjs'
import * as resume from './kinds/resume.mjs'
import * as rollback from './kinds/rollback.mjs'
import * as stalled from './kinds/stalled.mjs'
import * as start from './kinds/start.mjs'
import * as store from './kinds/store.mjs'
import * as variants from './kinds/variants.mjs'
import { atSignal, isStopping, stopStrays } from './processes.mjs'
import { startDatabase } from './registries.mjs'
import { named } from './report.mjs'
import { SYSTEMS } from './systems.mjs'

/** Each kind has `open`. Its `uses` names the registry that it needs: a `copy` (the default), the `filled` one that others read too, or `nothing`. */
const KINDS = {
  bulk,
  follow,
  history,
  hold,
  idle,
  load,
  propagation,
  resume,
  rollback,
  stalled,
  start,
  store,
  variants,
}

/** Runs workloads. A failing one is reported and skipped. */
export async function runWorkloads(workloads, options, without, { isThere, say, done }) {
  const isFor = ({ sizes }, size) =>
    sizes === 'none' ? size === 0 : size !== 0 && (sizes === 'each' || size === options.sizes[0])
  // Workloads without a registry come first, then one size after the other, so that the largest registry is filled last.
  const wanted = [0, ...options.sizes].flatMap((size) =>
    workloads
      .filter((workload) => isFor(workload, size) && !isThere(workload, size))
      .map((workload) => ({ workload, size })),
  )
  say('starting the database')
  const database = await startDatabase(say)
  const forget = atSignal(() => database.stop())
  let failed = 0
  try {
    for (const [i, { workload, size }] of wanted.entries()) {
      const { part, name } = workload
      const systems = workload.systems.filter((system) => !(SYSTEMS[system]?.needs in without))
      const result = { part, name, size, systems, rounds: [] }
      say(`${i + 1}/${wanted.length} ${part}: ${named({ name, size })}`)
      try {
        await measure(workload, { ...options, size, database, systems, say }, result.rounds)
      } catch (error) {
        result.failed = error.message.split('\n')[0].slice(0, 300)
        failed += 1
        if (!isStopping()) say(`failed: ${error.stack}`)
      }
      await stopStrays()
      // A workload that a signal interrupted is not reported.
      if (isStopping()) await new Promise(() => undefined)
      done(result)
    }
    return { failed, postgres: await database.version() }
  } finally {
    if (!isStopping()) {
      await database.stop()
      forget()
    }
  }
}

async function measure(workload, context, rounds) {
  const { database, size, sizes } = context
  const kind = KINDS[workload.kind]
  const uses = kind.uses?.(workload) ?? 'copy'
  const registry =
    uses === 'nothing' ? null : uses === 'filled' ? await database.filled(size) : await database.registry(size)
  const smallest = kind.NEEDS_SMALLEST === true && size !== sizes[0] ? await database.filled(sizes[0]) : null
  try {
    const opened = await kind.open(workload, { ...context, registry, smallest })
    try {
      for (let i = 0; i < context.rounds; i++) rounds.push(await opened.round(i))
    } finally {
      await opened.close()
    }
  } finally {
    await registry?.remove?.()
  }
}
