import { createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/server/config/config.js'
import { startGateway } from '../../../src/server/gateway.js'
import { isBlockedPort } from '../../../src/server/http/blocked-ports.js'
import { cli } from '../cli-fixture.js'

/** The first of these ports that is free. */
async function freeOf(ports: readonly number[]): Promise<number> {
  for (const port of ports) {
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) =>
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true)),
    )
    await new Promise((resolve) => server.close(resolve))
    if (isFree) return port
  }
  throw new Error('none of the ports is free')
}

describe('a gateway on a port that fetch refuses', () => {
  // The command line reported "bad port".
  it('is reached by the command line, and warns of browsers', async () => {
    const port = await freeOf([10080, 6697, 6000, 5061, 4190])
    let logged = ''
    const stream = new PassThrough().on('data', (line: Buffer) => {
      logged += line.toString()
    })
    const config = loadConfig({ CADASTRE_STORE: 'memory', PORT: String(port) }, '/nowhere')
    const gateway = await startGateway(config, { log: pino({ level: 'warn' }, stream) })
    try {
      await expect(fetch(gateway.url)).rejects.toMatchObject({ cause: { message: 'bad port' } })
      expect(await cli(gateway, 'log')).toMatchObject({ code: 0, err: '' })
      expect(await cli(gateway, 'get', 'a:b')).toMatchObject({ code: 1 })
      expect(logged).toContain(`"port":${port}`)
      expect(logged).toContain('browsers and fetch refuse')
    } finally {
      await gateway.close()
    }
  })
})

describe('the list of blocked ports', () => {
  it('is that of the fetch of this Node', async () => {
    const isRefused = (port: number) =>
      fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(50) }).then(
        () => false,
        (error: { cause?: { message?: string } }) => error.cause?.message === 'bad port',
      )
    for (const port of [1, 22, 3659, 4000, 4045, 4190, 5060, 6000, 6566, 6667, 6679, 8080, 10080, 65535])
      expect([port, isBlockedPort(port)]).toEqual([port, await isRefused(port)])
  })
})
