// So many subscribers over WebSockets, and one who writes; the next is written when everybody has the last.
import { fileURLToPath } from 'node:url'
import { entryOf } from '../entries.mjs'
import { cpuTime, runClient } from '../processes.mjs'
import { SYSTEMS } from '../systems.mjs'

const CLIENT = fileURLToPath(new URL('../clients/follow.mjs', import.meta.url))

export async function open({ subscribers, filters }, { registry, systems, changes }) {
  const servers = new Map()
  for (const name of systems) servers.set(name, await SYSTEMS[name].start(registry))
  return {
    async round(round) {
      const figures = {}
      for (const [system, { port, pid }] of servers) {
        let cpu = 0
        const job = { system, port, subscribers, filters, changes, entry: entryOf(7, `.f${round}`), round }
        const { deliveries, p50, p99, elapsedMs } = await runClient(CLIENT, job, { began: () => { cpu = cpuTime([pid]) }, done: () => { cpu = cpuTime([pid]) - cpu } })
        figures[system] = { cpu: (cpu * 1_000) / deliveries, perSecond: deliveries / (elapsedMs / 1_000), p50, p99 }
      }
      return figures
    },
    close: async () => { for (const server of servers.values()) await server.stop() },
  }
}
