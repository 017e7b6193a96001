import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-sse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEntries, FOLLOW, growth, type TestGateway, testGateway, writeLarge } from '../server-fixture.js'

describe('server-sent events', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway()
  })
  afterAll(() => gateway.close())

  it('stream a subscription and resume from a cursor', async () => {
    const client = createClient({ url: gateway.endpoint, retryAttempts: 0 })
    const first = client.iterate<{ changes: { cursor: string; revision: number; changes: unknown[] } }>({
      query: FOLLOW,
    })
    const {
      value: {
        data: { changes: start },
      },
    } = (await first.next()) as any
    const revision = await createEntries(gateway, { 'sse:1': 1 })
    expect(((await first.next()) as any).value.data.changes).toMatchObject({
      revision,
      changes: [{ entryId: 'sse:1' }],
    })
    await first.return?.()
    await createEntries(gateway, { 'sse:2': 2 })
    const second = client.iterate({ query: FOLLOW, variables: { after: start.cursor } })
    expect(((await second.next()) as any).value.data.changes.revision).toBe(revision)
    expect(((await second.next()) as any).value.data.changes).toMatchObject({ revision: revision + 1, synced: true })
    await second.return?.()
    client.dispose()
  })

  it('answer a query with one event, by POST and GET', async () => {
    const response = await fetch(`${gateway.endpoint}?query=${encodeURIComponent('{ __typename }')}`, {
      headers: { accept: 'text/event-stream' },
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    expect(await response.text()).toBe(
      ':\n\nevent: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n',
    )
  })

  it('report an invalid document as an event', async () => {
    const client = createClient({ url: gateway.endpoint, retryAttempts: 0 })
    for (const [query, code] of [
      ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
      ['{', 'GRAPHQL_PARSE_FAILED'],
    ] as const) {
      const results = client.iterate({ query })
      expect(((await results.next()) as any).value.errors).toMatchObject([{ extensions: { code } }])
      expect((await results.next()).done).toBe(true)
    }
    client.dispose()
  })

  it('are not sent to clients that do not accept them', async () => {
    const response = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: FOLLOW }),
    })
    expect(response.status).toBe(406)
  })

  it('take little memory for a client that stops reading, and lose nothing when it continues', async () => {
    const stored = await growth(async () => {
      await writeLarge(gateway, 'before', 75)
    })
    const reader = await streaming(gateway, 'subscription { changes { revision changes { entry { data } } } }')
    await until(() => reader.text.includes('"revision"'))
    reader.socket.pause()
    let revisions: number[] = []
    const withReader = await growth(async () => {
      revisions = await writeLarge(gateway, 'slow', 75)
    })
    expect(withReader - stored).toBeLessThan(8 * 1024 * 1024)
    reader.socket.resume()
    await until(() => reader.text.includes(`"revision":${revisions.at(-1)},`))
    const seen = [...reader.text.matchAll(/"revision":(\d+),/g)].map(([, revision]) => Number(revision))
    expect(seen.slice(1)).toEqual(revisions)
    reader.socket.destroy()
  })

  it('end their subscription when the client disconnects', async () => {
    const open = async () =>
      Number(/cadastre_subscriptions (\d+)/.exec(await (await fetch(`${gateway.url}metrics`)).text())?.[1])
    await until(async () => (await open()) === 0)
    const readers = await Promise.all([1, 2, 3].map(() => streaming(gateway, FOLLOW)))
    await until(async () => (await open()) === 3)
    for (const { socket } of readers) socket.destroy()
    await until(async () => (await open()) === 0)
  })
})

async function streaming(
  gateway: TestGateway,
  query: string,
): Promise<{ readonly socket: Socket; readonly text: string }> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const body = JSON.stringify({ query })
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  const chunks: string[] = []
  socket.on('data', (data: Buffer) => chunks.push(data.toString()))
  socket.on('error', () => undefined)
  // Chunked encoding cuts anywhere; only for texts of ASCII is it this easy to take out again.
  return {
    socket,
    get text() {
      return chunks.join('').replace(/\r\n[0-9a-f]+\r\n/g, '')
    },
  }
}

async function until(holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('timed out')
    await sleep(20)
  }
}
