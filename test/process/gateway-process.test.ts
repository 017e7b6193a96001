import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    // Resolves with the headers, when the stream has begun.
    const stream = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: FOLLOW }),
    })
    gateway.child.kill('SIGTERM')
    expect((await socket.closed).code).toBe(1012)
    expect(await stream.text()).not.toContain('event: complete')
    expect(await gateway.exited).toBe(0)
    expect(gateway.said.out.split('\n')).toHaveLength(2)
  })

  it('finishes operations in flight before it exits', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cadastre-stop-'))
    // While the participant has not answered its first question, the mutation is in flight.
    let onAsked: () => void = () => undefined
    const asked = new Promise<void>((resolve) => {
      onAsked = resolve
    })
    const released: (() => void)[] = []
    let isStopping = false
    const participant = createHttpServer((_request, response) => {
      const accept = () => response.setHeader('content-type', 'application/json').end('{"accept": true}')
      released.push(accept)
      onAsked()
      if (isStopping) accept()
    })
    participant.listen(0, '127.0.0.1')
    await once(participant, 'listening')
    const { port } = participant.address() as { port: number }
    const config = join(folder, 'cadastre.yaml')
    writeFileSync(config, `participants:\n  - { name: slow, url: 'http://127.0.0.1:${port}/' }\n`)
    const gateway = await processes.start({ CADASTRE_CONFIG: config })
    const answer = post(gateway, APPLY, { input: { operations: [{ create: { id: 'a:1', kind: 'k' } }] } })
    await asked
    gateway.child.kill('SIGTERM')
    await expect.poll(() => gateway.said.err, { timeout: 60_000, interval: 10 }).toContain('"stopping"')
    isStopping = true
    for (const accept of released) accept()
    expect((await answer).body.data!['applyChangeset'].__typename).toBe('Applied')
    expect(await gateway.exited).toBe(0)
    participant.close()
    rmSync(folder, { recursive: true })
  })

  it('exits at once on a second signal', async () => {
    const gateway = await processes.start()
    // A request whose body never arrives delays the stop after the first signal.
    const hanging = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    hanging.on('error', () => undefined)
    hanging.write(
      'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n',
    )
    expect(String(await once(hanging, 'data'))).toContain('100 Continue')
    gateway.child.kill('SIGINT')
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

  it('exits with 2 and reports every problem of its configuration', async () => {
    const { said, exited } = processes.run({ PORT: 'x', CADASTRE_STORE: 'cloud' })
    expect(await exited).toBe(2)
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
