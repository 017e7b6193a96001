// Measures how long others wait while one of the heaviest requests is served: the longest of many small requests to
// `/healthz`, one after another over one connection. That is the longest hold of the gateway's event loop.
import { fileURLToPath } from 'node:url'
import { openConnection, requestBytes } from '../clients/connection.mjs'
import { runClient } from '../processes.mjs'
import { startGateway } from '../systems.mjs'

const HEAVY = fileURLToPath(new URL('../clients/heavy.mjs', import.meta.url))

export async function open(_workload, { registry, systems }) {
  const gateway = await startGateway(registry)
  return {
    async round() {
      const figures = {}
      for (const input of systems) figures[input] = await measured(gateway.port, input)
      return figures
    },
    close: () => gateway.stop(),
  }
}

async function measured(port, input) {
  const small = await openConnection(port)
  const request = requestBytes({ path: '/healthz' })
  let isServed = false
  let longest = 0
  const waits = (async () => {
    while (!isServed) {
      const began = performance.now()
      await small.ask(request)
      longest = Math.max(longest, performance.now() - began)
    }
  })()
  try {
    const { ms } = await runClient(
      HEAVY,
      { port, input },
      {
        began: () => {
          longest = 0
        },
      },
    )
    return { 'longest hold ms': longest, ms }
  } finally {
    isServed = true
    await waits
    small.close()
  }
}
