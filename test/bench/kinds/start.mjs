// Measures the time from start to first answer over the embedded store: in a new data folder, where a database is created, and in the
// same folder again. The kernel has the files cached, as after an install. `cpu ms` is the CPU time of the gateway and its Postgres
// until then. Also measures the idle gateway's memory without its Postgres, and the size of the installed packages.
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuTime, residentMemory, scratchFolder } from '../processes.mjs'
import { startGateway } from '../systems.mjs'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const IDLE_MS = 2_000

export const uses = () => 'nothing'

export async function open() {
  const size = installedMB()
  return {
    async round() {
      const folder = scratchFolder('start')
      try {
        const cold = await started(folder.path)
        return { cold, warm: await started(folder.path), installed: { MB: size } }
      } finally {
        folder.remove()
      }
    },
    close: async () => undefined,
  }
}

async function started(dataDir) {
  const began = performance.now()
  const gateway = await startGateway({ dataDir })
  const { status } = await fetch(`http://127.0.0.1:${gateway.port}/readyz`)
  const ms = performance.now() - began
  const cpu = cpuTime([gateway.pid])
  await sleep(IDLE_MS)
  const idle = residentMemory(gateway.pid)
  await gateway.stop()
  if (status !== 200) throw new Error(`the gateway said that it was ready, and /readyz ${status}`)
  return { ms, 'cpu ms': cpu, 'idle MB': idle }
}

/** The disk space of the production packages, in MB. */
function installedMB() {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))
  const paths = Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path)
  return (paths.reduce((sum, path) => sum + blocksOf(join(ROOT, path)), 0) * 512) / 2 ** 20
}

/** The size in blocks of 512 bytes. Nested packages are counted separately. Packages for other platforms are missing. */
function blocksOf(path) {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return 0
  const below = found.isDirectory() ? readdirSync(path).filter((name) => name !== 'node_modules') : []
  return found.blocks + below.reduce((sum, name) => sum + blocksOf(join(path, name)), 0)
}
