import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, type TestGateway, testGateway } from '../server-fixture.js'

const HEAD = 'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
const BODY = JSON.stringify({ query: '{ entry(id: "none:ü") { id } }' })
const OK = [200, '{"data":{"entry":null}}']

const announced = (body: string | Buffer) => `${HEAD}content-length: ${Buffer.byteLength(body)}\r\n\r\n`

describe('request bodies on a kept-alive connection', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway()
  })
  afterAll(() => gateway.close())

  async function connected(): Promise<Socket> {
    const socket = connect(Number(new URL(gateway.endpoint).port), '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  /** So many answers, each its status and its text. */
  async function answers(count: number, pieces: (string | Buffer)[]): Promise<unknown[]> {
    const socket = await connected()
    const found: unknown[] = []
    let text = ''
    const all = new Promise<void>((resolve) => {
      socket
        .setEncoding('utf8')
        .on('close', () => resolve())
        .on('data', (piece: string) => {
          text += piece
          for (
            let match: RegExpExecArray | null;
            (match = /^HTTP\/1\.1 (\d+)[\s\S]*?\r\ncontent-length: (\d+)\r\n[\s\S]*?\r\n\r\n/.exec(text)) !== null;
          ) {
            const end = match[0].length + Number(match[2])
            if (text.length < end) break
            found.push([Number(match[1]), text.slice(match[0].length, end)])
            text = text.slice(end)
          }
          if (found.length === count) resolve()
        })
    })
    for (const piece of pieces) {
      socket.write(piece)
      await sleep(20)
    }
    await all
    socket.destroy()
    return found
  }

  it('are read in chunks of any size', async () => {
    const bytes = Buffer.from(BODY)
    const cut = bytes.indexOf('ü') + 1
    expect(await answers(1, [announced(BODY) + BODY])).toEqual([OK])
    expect(await answers(1, [announced(BODY), BODY])).toEqual([OK])
    expect(
      await answers(2, [announced(BODY), bytes.subarray(0, cut), bytes.subarray(cut), announced(BODY) + BODY]),
    ).toEqual([OK, OK])
    const chunk = `${Buffer.byteLength(BODY).toString(16)}\r\n${BODY}\r\n`
    expect(
      await answers(2, [`${HEAD}transfer-encoding: chunked\r\n\r\n${chunk}`, '0\r\n\r\n', announced(BODY) + BODY]),
    ).toEqual([OK, OK])
    expect(await answers(2, [`${announced('')}${announced(BODY)}${BODY}`])).toEqual([
      [400, expect.stringContaining('not JSON')],
      OK,
    ])
  })

  // A body is complete before Node reports its request as complete. With Node's flag, requests after an invalid one were cut off.
  it('do not disturb later requests if they are invalid', async () => {
    const wrong = Buffer.from('{"query":"\xff"}', 'latin1')
    expect(
      await answers(3, [
        Buffer.concat([
          Buffer.from(`${announced('{no')}{no${announced(wrong)}`),
          wrong,
          Buffer.from(announced(BODY) + BODY),
        ]),
      ]),
    ).toEqual([[400, expect.stringContaining('not JSON')], [400, expect.stringContaining('not valid UTF-8')], OK])
  })

  it('may end at any byte', async () => {
    for (const sent of [
      announced(BODY),
      announced(BODY) + BODY.slice(0, 5),
      announced(BODY) + BODY,
      `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\n{"que`,
    ]) {
      for (const end of ['destroy', 'resetAndDestroy'] as const) {
        const socket = await connected()
        socket.on('error', () => undefined).write(sent)
        await sleep(20)
        socket[end]()
      }
    }
    await sleep(50)
    expect((await post(gateway, '{ entry(id: "none:1") { id } }')).body).toEqual({ data: { entry: null } })
    expect(gateway.logged.filter(({ level }) => (level as number) >= 40)).toEqual([])
  })
})
