import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPLY, FOLLOW, post, SocketClient } from '../server/server-fixture.js'
import { type GatewayProcesses, gatewayProcesses } from './gateway-process.js'

describe('the gateway process', () => {
  let processes: GatewayProcesses
  beforeAll(async () => {
    processes = await gatewayProcesses()
  })
  afterAll(() => processes.remove())

  it('prints one line with its URLs, and on SIGTERM closes sockets with 1012 and exits with 0', async () => {
    const gateway = await processes.start()
    expect(gateway.said.out).toMatch(
      /^Cadastre is ready: playground http:\/\/127\.0\.0\.1:\d+\/ {2}endpoint http:\/\/127\.0\.0\.1:\d+\/graphql\n$/,
    )
    const socket = await new SocketClient(gateway.endpoint).init()
    socket.subscribe('1', FOLLOW)
    await socket.next()
    const events = fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: FOLLOW }),
    }).then((response) => response.text())
    await sleep(100)
    const begun = Date.now()
    gateway.child.kill('SIGTERM')
    expect((await socket.closed).code).toBe(1012)
    expect(await events).not.toContain('event: complete')
    expect(await gateway.exited).toBe(0)
    expect(Date.now() - begun).toBeLessThan(5_000)
    expect(gateway.said.out.split('\n')).toHaveLength(2)
  })

  it('finishes operations in flight before it exits', async () => {
    const gateway = await processes.start()
    const input = {
      operations: Array.from({ length: 20_000 }, (_, i) => ({
        create: { id: `a:${i}`, kind: 'k', data: 'x'.repeat(200) },
      })),
    }
    const answer = post(gateway, APPLY, { input })
    await sleep(250)
    gateway.child.kill('SIGTERM')
    expect((await answer).body.data!['applyChangeset'].__typename).toBe('Applied')
    expect(await gateway.exited).toBe(0)
  })

  it('exits at once on a second signal', async () => {
    const gateway = await processes.start()
    // A request whose body never comes keeps the first signal waiting for a moment.
    const hanging = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    hanging.on('error', () => undefined)
    hanging.write('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n')
    await sleep(50)
    gateway.child.kill('SIGINT')
    await sleep(100)
    gateway.child.kill('SIGTERM')
    expect(await gateway.exited).toBe(1)
  })

  it('counts a Ctrl-C that arrives twice, from the terminal and npm, as one', async () => {
    const gateway = await processes.start()
    gateway.child.kill('SIGINT')
    gateway.child.kill('SIGINT')
    expect(await gateway.exited).toBe(0)
  })

  it('exits with 1 and one message if its port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const { said, exited } = processes.run({ PORT: String(port), CADASTRE_LOG_LEVEL: 'silent' })
    expect(await exited).toBe(1)
    expect(said.err).toBe(
      `Cadastre cannot start. Port ${port} on 127.0.0.1 is in use. Set PORT to another port, or to 0 for a free one.\n`,
    )
    expect(said.out).toBe('')
    taken.close()
  })

  it('exits with 1 and reports every problem of its configuration', async () => {
    const { said, exited } = processes.run({ PORT: 'x', CADASTRE_STORE: 'cloud' })
    expect(await exited).toBe(1)
    expect(said.err).toContain('PORT is "x"')
    expect(said.err).toContain('CADASTRE_STORE is "cloud"')
    expect(said.err).not.toContain(' at ')
  })

  it('exits with 1 if the database does not answer', async () => {
    const { said, exited } = processes.run({
      CADASTRE_STORE: 'postgres',
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    })
    expect(await exited).toBe(1)
    expect(said.err).toContain('The postgres store cannot be opened')
  })
})
