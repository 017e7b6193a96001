import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebhookParticipant } from '../../../src/registry/participants/webhook-participant.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { create, HISTORY_OPTIONS, registryOver } from '../registry-fixture.js'
import { directoryOf } from './participant-fixture.js'

const nobody = { author: null }

interface Received {
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly body: Record<string, any>
}

describe('WebhookParticipant', () => {
  let server: Server
  let answer: (response: ServerResponse, received: Received, nth: number, request: IncomingMessage) => void
  let hangsOnNotifications = false
  const received: Received[] = []
  const hooks: WebhookParticipant[] = []
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const hook = (timeoutMs = 3_000, onFailure: 'refuse' | 'pass' = 'refuse') => {
    const made = new WebhookParticipant({
      name: 'hook',
      url: url(),
      kinds: ['**'],
      onFailure,
      timeoutMs,
      secret: 'sesame',
    })
    hooks.push(made)
    return made
  }
  const applying = (participant: WebhookParticipant, operations = [create('a:1', { n: 1 }, -0)]) =>
    registryOver(openMemoryHistory(HISTORY_OPTIONS), {
      transactions: { participants: directoryOf(participant) },
    }).applyChangeset({ operations }, nobody)
  const say = (response: ServerResponse, body: unknown, status = 200, headers = {}) =>
    response.writeHead(status, headers).end(JSON.stringify(body))

  beforeEach(async () => {
    received.length = 0
    hangsOnNotifications = false
    answer = (response) => say(response, { accept: true })
    server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const one = { headers: request.headers, text, body: JSON.parse(text) as Record<string, any> }
        received.push(one)
        if (one.body['awaitsAnswer'] === true || hangsOnNotifications)
          answer(response, one, received.filter(({ body }) => body['awaitsAnswer']).length, request)
        else say(response, {})
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    for (const made of hooks.splice(0)) made.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('fails by name if a number of its answer cannot be kept', async () => {
    answer = (response) => response.writeHead(200).end('{"accept": true, "n": [9007199254740993]}')
    const refused = (await applying(hook())) as { problems: readonly { message: string }[] }
    expect(refused.problems[0]!.message).toContain('n.0 holds a number that cannot be kept: 9007199254740993')
  })

  it("is posted the proposal by the contract's field names, signed, each delivery by an id of its own", async () => {
    expect(await applying(hook())).toMatchObject({ type: 'applied', revision: 1 })
    expect(received.map(({ body }) => body['kind'])).toEqual(['registry.begin', 'entry.create', 'registry.commit'])
    const [begin, offer] = received
    expect(offer!.body).toEqual({
      id: expect.any(String) as string,
      transaction: begin!.body['transaction'],
      kind: 'entry.create',
      entryId: 'a:1',
      entry: { entryId: 'a:1', ns: 'a', name: '1', kind: 'test.thing', meta: { n: 1 }, data: -0 },
      original: null,
      awaitsAnswer: true,
      deadline: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    })
    expect(begin!.body).toMatchObject({
      awaitsAnswer: false,
      deadline: null,
      entryId: null,
      entry: null,
      original: null,
    })
    expect(new Set(received.map(({ headers }) => headers['x-cadastre-delivery'])).size).toBe(3)
    for (const { headers, text } of received) {
      expect(headers['x-cadastre-signature']).toBe(
        `sha256=${createHmac('sha256', 'sesame').update(text).digest('hex')}`,
      )
      expect(headers['content-type']).toBe('application/json')
    }
  })

  it('rejects with its reason', async () => {
    answer = (response) => say(response, { accept: false, reason: 'not on Fridays' })
    expect(await applying(hook())).toMatchObject({
      type: 'refused',
      problems: [
        { code: 'REJECTED', participant: 'hook', message: expect.stringContaining('not on Fridays') as string },
      ],
    })
    expect(received.map(({ body }) => body['kind'])).toEqual(['registry.begin', 'entry.create', 'registry.discard'])
  })

  const failures: Readonly<Record<string, typeof answer>> = {
    'another status': (response) => say(response, { accept: true }, 201),
    'an error': (response) => say(response, { accept: true }, 500),
    'no JSON': (response) => response.end('yes'),
    'bytes that are no UTF-8': (response) => response.end(Buffer.from([0x22, 0xff, 0x22])),
    'JSON without a word': (response) => say(response, {}),
    null: (response) => say(response, null),
    'a word of another type': (response) => say(response, { accept: 'true' }),
    'a reason of another type': (response) => say(response, { accept: false, reason: 5 }),
    nothing: (response) => response.end(),
    'an entry beside its word': (response) => say(response, { accept: true, entry: { meta: {} } }),
    'another member beside a rejection': (response) => say(response, { accept: false, reason: 'no', why: 1 }),
  }
  it.each(Object.entries(failures))('fails at once by answering %s', async (_, answering) => {
    answer = answering
    expect(await applying(hook())).toMatchObject({
      type: 'refused',
      problems: [{ code: 'PARTICIPANT_FAILED', participant: 'hook' }],
    })
    expect(received.filter(({ body }) => body['awaitsAnswer'])).toHaveLength(1)
  })

  it('fails on a redirect, which it does not follow', async () => {
    let visits = 0
    const elsewhere = createServer((_request, response) => {
      visits++
      say(response, { accept: true })
    })
    elsewhere.listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    answer = (response) =>
      say(response, { accept: true }, 307, {
        location: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`,
      })
    expect(await applying(hook())).toMatchObject({
      problems: [{ code: 'PARTICIPANT_FAILED', message: expect.stringContaining('307') as string }],
    })
    expect(visits).toBe(0)
    elsewhere.close()
  })

  it('fails on an answer of 100 MiB, of which it reads almost nothing', async () => {
    let sent = 0
    answer = (response) => {
      response.writeHead(200)
      const more = () => {
        while (sent < 100 * 1024 * 1024 && !response.destroyed) {
          sent += 64 * 1024
          if (!response.write(Buffer.alloc(64 * 1024, 0x20))) return void response.once('drain', more)
        }
        response.end('{"accept": true}')
      }
      more()
    }
    expect(await applying(hook())).toMatchObject({
      problems: [{ code: 'PARTICIPANT_FAILED', message: expect.stringContaining('65536 bytes') as string }],
    })
    expect(sent).toBeLessThan(20 * 1024 * 1024)
  })

  it('times out if the server hangs, also in the middle of its answer', async () => {
    answer = () => {}
    expect(await applying(hook(200))).toMatchObject({
      problems: [{ code: 'PARTICIPANT_TIMEOUT', participant: 'hook' }],
    })
    answer = (response) => {
      response.writeHead(200).write('{"acc')
    }
    expect(await applying(hook(200))).toMatchObject({ problems: [{ code: 'PARTICIPANT_TIMEOUT' }] })
    expect(await applying(hook(200, 'pass'))).toMatchObject({ type: 'applied' })
  })

  it('delays no write by notifications that it never acknowledges', async () => {
    hangsOnNotifications = true
    answer = (response, { body }) => {
      if (body['awaitsAnswer'] === true) say(response, { accept: true })
    }
    // Each of the two notifications would take an hour.
    expect(await applying(hook(3_600_000), [create('a:1'), create('a:2')])).toMatchObject({ type: 'applied' })
    expect(received.map(({ body }) => body['kind'])).toEqual(['registry.begin', 'entry.create', 'entry.create'])
  })

  it('names the member of an answer that it does not understand', async () => {
    answer = (response) => say(response, { accept: true, entry: { meta: { changed: true } } })
    expect(await applying(hook())).toMatchObject({
      problems: [{ code: 'PARTICIPANT_FAILED', message: expect.stringContaining('"entry"') as string }],
    })
  })

  it('retries with the same delivery id if the connection breaks, and its answer counts once', async () => {
    answer = (response, _received, nth, request) => {
      if (nth === 1) request.socket.destroy()
      else if (nth === 2) {
        response.writeHead(200, { 'content-length': 100 }).write('{"acc')
        setTimeout(() => request.socket.destroy(), 20)
      } else say(response, { accept: true })
    }
    expect(await applying(hook())).toMatchObject({ type: 'applied' })
    const offers = received.filter(({ body }) => body['awaitsAnswer'])
    expect(offers).toHaveLength(3)
    expect(new Set(offers.map(({ headers, text }) => `${headers['x-cadastre-delivery'] as string} ${text}`)).size).toBe(
      1,
    )
  })

  it('fails if every connection breaks, and is never asked after its deadline', async () => {
    answer = (_response, _received, _nth, request) => request.socket.destroy()
    expect(await applying(hook())).toMatchObject({ problems: [{ code: 'PARTICIPANT_FAILED' }] })
    received.length = 0
    expect(await applying(hook(150))).toMatchObject({ problems: [{ code: 'PARTICIPANT_TIMEOUT' }] })
    const asked = received.filter(({ body }) => body['awaitsAnswer']).length
    await sleep(500)
    expect(received.filter(({ body }) => body['awaitsAnswer'])).toHaveLength(asked)
  })

  it('fails if no server listens', async () => {
    const gone = hook()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    expect(await applying(gone)).toMatchObject({
      problems: [{ code: 'PARTICIPANT_FAILED', message: expect.stringContaining('ECONNREFUSED') as string }],
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })

  // `connect ECONNREFUSED 10.0.0.7:9000` reported every caller where the webhook is.
  it('does not tell callers its address if it cannot be reached, but the log', async () => {
    const garbage = createTcpServer((socket) => socket.end('what?\r\n\r\n'))
    garbage.listen(0, '127.0.0.1')
    await once(garbage, 'listening')
    const { port } = garbage.address() as AddressInfo
    const addresses = [
      'http://127.0.0.1:1/secret',
      'http://hook.invalid/secret',
      `http://127.0.0.1:${port}/secret`,
      `https://127.0.0.1:${port}/secret`,
    ]
    for (const address of addresses) {
      const logged: unknown[] = []
      const participant = new WebhookParticipant({
        name: 'hidden',
        url: address.replace('//', '//user:sesame@'),
        kinds: ['**'],
        onFailure: 'refuse',
        timeoutMs: 20_000,
        secret: null,
        onUnreachable: (name, error) => logged.push([name, String((error as Error).message)]),
      })
      hooks.push(participant)
      const registry = registryOver(openMemoryHistory(HISTORY_OPTIONS), {
        transactions: { participants: directoryOf(participant) },
      })
      const outcome = await registry.applyChangeset({ operations: [create('a:1')] }, nobody)
      expect(outcome, address).toMatchObject({ problems: [{ code: 'PARTICIPANT_FAILED', participant: 'hidden' }] })
      const reported = JSON.stringify(outcome)
      expect(reported).toContain('It could not be reached (')
      expect(reported).not.toMatch(/127\.0\.0\.1|hook\.invalid|secret|sesame/)
      expect(reported).not.toContain(String(port))
      expect(logged.length, address).toBeGreaterThan(0)
    }
    garbage.close()
  })

  it('accepts any answer to a notification, or two', async () => {
    answer = (response) => {
      say(response, { accept: true })
      response.socket?.write('HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n{"accept": false}')
    }
    expect(await applying(hook(), [create('a:1'), create('a:2')])).toMatchObject({ type: 'applied' })
  })
})
