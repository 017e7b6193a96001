import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestGateway, testGateway } from '../server-fixture.js'
import { announcing, QUERY, RawClient } from './raw-client.js'

const GET = '/graphql?query=%7B__typename%7D'
const ANSWER = '{"data":{"__typename":"Query"}}'

const count = (client: RawClient, text: string) => client.received.split(text).length - 1

describe('requests that are sent ahead', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway({ connectionLimits: { unanswered: 4 } })
  })
  afterAll(() => gateway.close())

  // All requests of a connection were executed at the same time, however many had been sent ahead.
  it('are all answered in order, though few are executed at the same time', async () => {
    const requests = Array.from({ length: 500 }, (_, i) =>
      i % 3 === 0
        ? `${announcing(QUERY.length)}${QUERY}`
        : `GET ${GET.replace('__typename', `n${i}:__typename`)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    )
    const client = await new RawClient(gateway).send(requests.join(''))
    await expect.poll(() => count(client, 'HTTP/1.1 200 OK'), { timeout: 20_000 }).toBe(500)
    const names = [...client.received.matchAll(/"n(\d+)":"Query"/g)].map(([, n]) => Number(n))
    expect(names).toEqual(Array.from({ length: 500 }, (_, i) => i).filter((i) => i % 3 !== 0))
    client.destroy()
  })

  it('do not outlive their connection', async () => {
    const client = new RawClient(gateway)
    await client.send(`GET ${GET} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(500))
    client.destroy()
    const other = await new RawClient(gateway).send(`GET ${GET} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await expect.poll(() => other.received).toContain(ANSWER)
    other.destroy()
  })
})

describe('an upgrade to a protocol that the gateway does not speak', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway()
  })
  afterAll(() => gateway.close())

  const H2C = 'connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAAA\r\n'

  // `curl --http2` got 404.
  it('is ignored, and the request is answered over HTTP/1.1', async () => {
    const client = await new RawClient(gateway).send(`GET ${GET} HTTP/1.1\r\nhost: localhost\r\n${H2C}\r\n`)
    await expect.poll(() => client.received).toContain(ANSWER)
    expect(client.status).toBe(200)
    await client.send(`GET /healthz HTTP/1.1\r\nhost: localhost\r\n${H2C}\r\n`)
    await expect.poll(() => count(client, 'HTTP/1.1 200 OK')).toBe(2)
    client.destroy()
  })

  it('is ignored for requests with a body, in one piece or in several', async () => {
    const head = announcing(QUERY.length).replace('\r\n\r\n', `\r\n${H2C}\r\n`)
    for (const pieces of [[head + QUERY], [head, QUERY], [head + QUERY.slice(0, 9), QUERY.slice(9)]]) {
      const client = new RawClient(gateway)
      for (const piece of pieces) {
        await client.send(piece)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await expect.poll(() => client.received).toContain('{"data":{"entry":null}}')
      client.destroy()
    }
  })

  it('keeps the rules for hosts and pages', async () => {
    const evil = await new RawClient(gateway).send(`GET ${GET} HTTP/1.1\r\nhost: evil.example\r\n${H2C}\r\n`)
    await expect.poll(() => evil.status).toBe(421)
    evil.destroy()
    const page = await new RawClient(gateway).send(
      `GET ${GET} HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\n${H2C}\r\n`,
    )
    await expect.poll(() => page.status).toBe(403)
    page.destroy()
  })
})
