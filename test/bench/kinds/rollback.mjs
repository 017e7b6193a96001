// Measures a large changeset, and then the rollback to the version before it.
import { cpuTime, peakMemory, runClient } from '../processes.mjs'
import { startGateway } from '../systems.mjs'
import { ONCE } from './bulk.mjs'

export async function open({ operations }, { registry, database }) {
  const gateway = await startGateway(registry)
  const timed = async (job) => {
    const pids = [gateway.pid, database.pid()]
    let cpu = 0
    const done = await runClient(
      ONCE,
      { port: gateway.port, ...job },
      {
        began: () => {
          cpu = cpuTime(pids)
        },
        done: () => {
          cpu = cpuTime(pids) - cpu
        },
      },
    )
    return { ...done, 'cpu ms': cpu }
  }
  return {
    async round(round) {
      const base = await timed({ operations: 1, run: `.base${round}` })
      const { number, ...apply } = await timed({ operations, run: `.r${round}` })
      const { number: _version, ...rollback } = await timed({ version: base.number })
      return { rollback: { ...rollback, 'peak MB': peakMemory(gateway.pid) }, apply }
    },
    close: () => gateway.stop(),
  }
}
