// Measures many connections, each of which sends its next request when it has the answer. The systems alternate within a round.
import { fileURLToPath } from 'node:url'
import { cpuTime, runClient } from '../processes.mjs'
import { SYSTEMS } from '../systems.mjs'

const CLIENT = fileURLToPath(new URL('../clients/load-client.mjs', import.meta.url))
/** Load before the measurement, so that V8 has compiled the server's code. A lone client would take minutes to reach that state. */
const FIRST = { connections: 64, ms: 3_000, warmUpMs: 0, seed: 0 }
/** Counts the openings, so that several over one registry create different entries. */
let openings = 0

export const uses = ({ request }) => (request === 'write' ? 'copy' : 'filled')

export async function open(workload, { registry, database, systems, ms, warmUpMs }) {
  const servers = new Map()
  const opening = openings++
  const close = async () => {
    for (const server of servers.values()) await server.stop()
  }
  try {
    for (const [i, name] of systems.entries()) {
      const server = await SYSTEMS[name].start(registry)
      servers.set(name, server)
      await runClient(CLIENT, {
        ...FIRST,
        run: `.first${opening}s${i}`,
        system: name,
        port: server.port,
        request: workload.request,
        operations: workload.operations,
        size: registry.size,
      })
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    close,
    async round(round) {
      const figures = {}
      for (const [i, [system, { port, pid }]] of [...servers].entries()) {
        const pids = [pid, ...(SYSTEMS[system].usesDatabase === true ? [database.pid()] : [])]
        const { request, operations, connections } = workload
        const job = {
          system,
          port,
          request,
          operations,
          connections,
          size: registry.size,
          seed: round,
          // Two gateways over one registry create different entries.
          run: `.o${opening}r${round}s${i}`,
          ms,
          warmUpMs,
        }
        let cpu = 0
        const measured = await runClient(CLIENT, job, {
          began: () => {
            cpu = cpuTime(pids)
          },
          done: () => {
            cpu = cpuTime(pids) - cpu
          },
        })
        figures[system] = {
          perSecond: measured.perSecond,
          p50: measured.p50,
          p99: measured.p99,
          cpu: (cpu * 1_000) / measured.count,
        }
      }
      return figures
    },
  }
}
