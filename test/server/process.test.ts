import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundleForChild } from '../support/bundle-for-child.js'
import { APPLY, FOLLOW, post, SocketClient } from './gateway-fixture.js'

describe('the gateway as a process', () => {
  let bundle: Awaited<ReturnType<typeof bundleForChild>>
  let folder: string
  const children: ChildProcess[] = []
  beforeAll(async () => {
    bundle = await bundleForChild('src/server/main.ts')
    folder = mkdtempSync(join(tmpdir(), 'cadastre-process-'))
  })
  afterAll(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
    await bundle.remove()
    rmSync(folder, { recursive: true })
  })

  function run(environment: Record<string, string>) {
    const child = spawn(process.execPath, [bundle.file], {
      cwd: folder, env: { PATH: process.env['PATH'], CADASTRE_STORE: 'memory', PORT: '0', ...environment }, stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    const said = { out: '', err: '' }
    child.stdout.on('data', (data: Buffer) => { said.out += data.toString() })
    child.stderr.on('data', (data: Buffer) => { said.err += data.toString() })
    const exited = once(child, 'close').then(([code]) => code as number | null)
    return { child, said, exited }
  }

  async function started(environment: Record<string, string> = {}) {
    const running = run(environment)
    const until = Date.now() + 20_000
    while (!running.said.out.includes('\n')) {
      if (Date.now() > until || running.child.exitCode !== null) throw new Error(`it did not start: ${running.said.err}`)
      await sleep(10)
    }
    const [, url, endpoint] = /playground (\S+)\s+endpoint (\S+)\n$/.exec(running.said.out)!
    return { ...running, url: url!, endpoint: endpoint! }
  }

  it('says where it is by one line, and on SIGTERM closes its sockets with 1012 and exits with 0', async () => {
    const gateway = await started()
    expect(gateway.said.out).toMatch(/^Cadastre is ready: playground http:\/\/127\.0\.0\.1:\d+\/  endpoint http:\/\/127\.0\.0\.1:\d+\/graphql\n$/)
    const socket = await new SocketClient(gateway.endpoint).init()
    socket.subscribe('1', FOLLOW)
    await socket.next()
    const events = fetch(gateway.endpoint, {
      method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream' }, body: JSON.stringify({ query: FOLLOW }),
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

  it('finishes what is under way before it goes', async () => {
    const gateway = await started()
    const input = { operations: Array.from({ length: 20_000 }, (_, i) => ({ create: { id: `a:${i}`, kind: 'k', data: 'x'.repeat(200) } })) }
    const answer = post(gateway as never, APPLY, { input })
    await sleep(250)
    gateway.child.kill('SIGTERM')
    expect((await answer).body.data!['applyChangeset'].__typename).toBe('Applied')
    expect(await gateway.exited).toBe(0)
  })

  it('does not wait on a second signal', async () => {
    const gateway = await started()
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

  it('exits with 1 and one clear message when its port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const { said, exited } = run({ PORT: String(port), CADASTRE_LOG_LEVEL: 'silent' })
    expect(await exited).toBe(1)
    expect(said.err).toBe(`Cadastre cannot start: port ${port} on 127.0.0.1 is in use; set PORT to another, or to 0 for any that is free\n`)
    expect(said.out).toBe('')
    taken.close()
  })

  it('exits with 1 and every problem of its configuration', async () => {
    const { said, exited } = run({ PORT: 'x', CADASTRE_STORE: 'cloud' })
    expect(await exited).toBe(1)
    expect(said.err).toContain('PORT is "x"')
    expect(said.err).toContain('CADASTRE_STORE is "cloud"')
    expect(said.err).not.toContain(' at ')
  })

  it('exits with 1 where the database does not answer', async () => {
    const { said, exited } = run({ CADASTRE_STORE: 'postgres', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })
    expect(await exited).toBe(1)
    expect(said.err).toContain('the postgres store cannot be opened')
  })
})
