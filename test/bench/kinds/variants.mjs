// Measures another workload on variants of the gateway, alternating within a round: without an optimization and with it, or of
// this checkout and of another. A variant is the environment that its gateways, which are its own, inherit from this process.
import * as bulk from './bulk.mjs'
import * as follow from './follow.mjs'
import * as idle from './idle.mjs'
import * as load from './load.mjs'
import * as resume from './resume.mjs'
import * as rollback from './rollback.mjs'
import * as start from './start.mjs'

const KINDS = { bulk, follow, idle, load, resume, rollback, start }

/** The kinds of workloads that can be measured so. The others measure no gateway, or several parts of one. */
export const ALTERNATING_KINDS = Object.keys(KINDS)

export const uses = ({ of }) => KINDS[of.kind].uses?.(of) ?? 'copy'

export async function open({ of, variants }, context) {
  const names = Object.keys(variants)
  const measured = async (environment, round) => {
    Object.assign(process.env, environment)
    try {
      const opened = await KINDS[of.kind].open(of, { ...context, systems: ['cadastre'] })
      try {
        const figures = await opened.round(round)
        return figures.cadastre ?? figures.warm ?? figures.rollback
      } finally {
        await opened.close()
      }
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name]
    }
  }
  return {
    // The order alternates, so that no variant always runs on the warmer machine. Each has rounds of its own, whose
    // entries the others have not created.
    async round(round) {
      const figures = {}
      for (const name of round % 2 === 0 ? names : names.toReversed())
        figures[name] = await measured(variants[name], round * names.length + names.indexOf(name))
      return Object.fromEntries(names.map((name) => [name, figures[name]]))
    },
    close: async () => undefined,
  }
}
