// Measures another workload with an optimization and without it, alternating within a round. Each starts gateways of its own.
import * as follow from './follow.mjs'
import * as load from './load.mjs'
import * as resume from './resume.mjs'
import * as start from './start.mjs'

const KINDS = { follow, load, resume, start }

export const uses = ({ of }) => KINDS[of.kind].uses?.(of) ?? 'copy'

export async function open({ of, without }, context) {
  // Gateways inherit this process's environment.
  const measured = async (variant, round) => {
    if (variant !== undefined) process.env.CADASTRE_WITHOUT = variant
    try {
      const opened = await KINDS[of.kind].open(of, { ...context, systems: ['cadastre'] })
      try {
        const figures = await opened.round(round)
        return figures.cadastre ?? figures.warm
      } finally {
        await opened.close()
      }
    } finally {
      delete process.env.CADASTRE_WITHOUT
    }
  }
  return {
    // The order alternates, so that neither always runs on the warmer machine.
    async round(round) {
      const order = round % 2 === 0 ? [undefined, without] : [without, undefined]
      const figures = {}
      for (const variant of order) figures[variant === undefined ? 'with' : 'without'] = await measured(variant, round)
      return { with: figures.with, without: figures.without }
    },
    close: async () => undefined,
  }
}
