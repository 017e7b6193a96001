import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import WebSocket from 'ws'
import { createEntries, postBody, type TestGateway, testGateway } from '../server-fixture.js'

const ENTRY = 'query Entry($id: EntryID!) { entry(id: $id) { id } }'
const NUMBER = '{ currentVersion { number } }'
const HEAD = 'subscription { entry(id: "app:a") { id } }'
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const persisted = (sha256Hash: string) => ({ persistedQuery: { version: 1, sha256Hash } })

const folder = mkdtempSync(join(tmpdir(), 'cadastre-documents-'))
const manifest = join(folder, 'persisted.json')
const write = (documents: object) => writeFileSync(manifest, JSON.stringify(documents))

let gateway: TestGateway
let strict: TestGateway
beforeAll(async () => {
  write({ entry: ENTRY, number: NUMBER, head: HEAD, [sha256(NUMBER)]: NUMBER })
  gateway = await testGateway({}, { documents: { manifest, only: false } })
  strict = await testGateway({}, { documents: { manifest, only: true } })
  await createEntries(gateway, { 'app:a': 1 })
})
afterAll(async () => {
  await gateway.close()
  await strict.close()
  rmSync(folder, { recursive: true, force: true })
})

const send = async (to: TestGateway, body: object) => {
  const { status, body: answer } = await postBody(to, JSON.stringify(body))
  return { status, data: answer.data, code: answer.errors?.[0]?.extensions['code'] as unknown }
}

async function get(to: TestGateway, search: Record<string, string>, accept = 'application/json') {
  const response = await fetch(`${to.endpoint}?${new URLSearchParams(search)}`, { headers: { accept } })
  return { status: response.status, text: await response.text(), tag: response.headers.get('etag') }
}

/** Returns the first message to an operation. */
function overSocket(to: TestGateway, payload: object): Promise<{ type: string; payload: any }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(to.endpoint.replace('http', 'ws'), 'graphql-transport-ws')
    socket.on('open', () => socket.send('{"type":"connection_init"}'))
    socket.on('close', (code) => reject(new Error(`closed with ${code}`)))
    socket.on('error', reject)
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; payload: unknown }
      if (message.type === 'connection_ack') return socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }))
      resolve(message)
      socket.terminate()
    })
  })
}

describe('a document of the manifest', () => {
  it('is executed by its id over POST, GET, a WebSocket and server-sent events', async () => {
    const variables = { id: 'app:a' }
    const data = { entry: { id: 'app:a' } }
    expect(await send(gateway, { documentId: 'entry', variables })).toEqual({ status: 200, data, code: undefined })
    const byGet = await get(gateway, { documentId: 'entry', variables: JSON.stringify(variables) })
    expect(byGet).toEqual({ status: 200, text: JSON.stringify({ data }), tag: expect.any(String) as string })
    expect(await overSocket(gateway, { documentId: 'entry', variables })).toMatchObject({
      type: 'next',
      payload: { data },
    })
    const events = await fetch(`${gateway.endpoint}?documentId=head`, { headers: { accept: 'text/event-stream' } })
    const reader = events.body!.getReader()
    let read = ''
    while (!read.includes('app:a')) read += Buffer.from((await reader.read()).value!).toString()
    await reader.cancel()
  })

  it('is executed by its hash, as Apollo clients send it, with no text sent before', async () => {
    const extensions = persisted(sha256(NUMBER))
    expect((await send(strict, { extensions })).data).toBeDefined()
    expect((await get(strict, { extensions: JSON.stringify(extensions) })).status).toBe(200)
    expect(await overSocket(strict, { extensions })).toMatchObject({ type: 'next' })
    expect((await send(strict, { extensions: persisted('number') })).data).toBeDefined()
  })

  it('is executed by its text where nothing else is allowed', async () => {
    expect((await send(strict, { query: NUMBER })).data).toBeDefined()
    expect((await send(strict, { query: NUMBER, extensions: persisted(sha256(NUMBER)) })).data).toBeDefined()
  })
})

describe('a request for another document', () => {
  it.each([
    ['an unknown id', { documentId: 'x' }, 400, 'DOCUMENT_NOT_FOUND'],
    ['an id that is a number', { documentId: 1 }, 400, 'BAD_USER_INPUT'],
    ['an id beside a text', { documentId: 'number', query: NUMBER }, 400, 'BAD_USER_INPUT'],
    ['a name of every object', { documentId: 'constructor' }, 400, 'DOCUMENT_NOT_FOUND'],
    ['another text', { query: '{ oldestRevision }' }, 400, 'DOCUMENT_NOT_ALLOWED'],
    [
      'another text with its hash',
      { query: '{ oldestRevision }', extensions: persisted(sha256('{ oldestRevision }')) },
      400,
      'DOCUMENT_NOT_ALLOWED',
    ],
    [
      'the hash of another text',
      { extensions: persisted(sha256('{ oldestRevision }')) },
      200,
      'PERSISTED_QUERY_NOT_FOUND',
    ],
  ])('is refused with a code: %s', async (_name, body, status, code) => {
    expect(await send(strict, body)).toMatchObject({ status, code })
  })

  it('is refused over GET, a WebSocket and server-sent events', async () => {
    expect(await get(strict, { query: '{ oldestRevision }' })).toMatchObject({ status: 400, tag: null })
    const [first] = (await overSocket(strict, { query: '{ oldestRevision }' })).payload
    expect(first.extensions.code).toBe('DOCUMENT_NOT_ALLOWED')
    const events = await get(strict, { query: HEAD.replace('app:a', 'app:b') }, 'text/event-stream')
    expect(events.text).toContain('DOCUMENT_NOT_ALLOWED')
  })

  it('is executed without `only`, except by an id', async () => {
    expect((await send(gateway, { query: '{ oldestRevision }' })).data).toBeDefined()
    expect(await send(gateway, { documentId: 'x' })).toMatchObject({ code: 'DOCUMENT_NOT_FOUND' })
  })
})

describe('automatic persisted queries over a WebSocket', () => {
  // A client that sent the hash alone, as over HTTP, lost its connection.
  it('answer an unknown hash, and then execute it', async () => {
    const query = '{ b: currentVersion { number } }'
    const [error] = (await overSocket(gateway, { extensions: persisted(sha256(query)) })).payload
    expect(error).toMatchObject({
      message: 'PersistedQueryNotFound',
      extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
    })
    expect(await overSocket(gateway, { query, extensions: persisted(sha256(query)) })).toMatchObject({ type: 'next' })
    expect(await overSocket(gateway, { extensions: persisted(sha256(query)) })).toMatchObject({ type: 'next' })
  })
})

describe('a manifest that changes', () => {
  const path = join(folder, 'changing.json')
  const logged = (changing: TestGateway, text: string) =>
    changing.logged.filter(({ msg }) => String(msg).includes(text)).length

  it('is used at once, and a broken one leaves the previous one in use', async () => {
    writeFileSync(path, JSON.stringify({ a: 'query ($id: EntryID!) { entry(id: $id) { id } }' }))
    const changing = await testGateway({}, { documents: { manifest: path, only: true } })
    const body = { documentId: 'a', variables: { id: 'app:a' } }
    for (let i = 0; i < 3; i++) expect((await send(changing, body)).data).toEqual({ entry: null })

    writeFileSync(path, '{"a": "{ nothing"}')
    await vi.waitFor(() => expect(logged(changing, 'stays in use')).toBe(1), 20_000)
    expect((await send(changing, body)).data).toEqual({ entry: null })

    // The answer to an equal body was cached under the previous document.
    writeFileSync(path, JSON.stringify({ a: 'query ($id: EntryID!) { other: entry(id: $id) { id } }' }))
    await vi.waitFor(() => expect(logged(changing, 'loaded again')).toBe(1), 20_000)
    expect((await send(changing, body)).data).toEqual({ other: null })
    await changing.close()
  })

  it.each([
    ['is not JSON', '{\n  "a": x', /broken\.json cannot be used: line 2, column 8: /],
    ['defines an id twice', '{"a": "{ a }", "a": "{ b }"}', /line 1, column 16/],
    ['is a list', '[]', /not a JSON object/],
    ['holds a document that does not parse', '{"a": "{ a", "b": "{ b }"}', /the document "a" cannot be parsed at 1:4/],
    ['holds a number', '{"a": 1}', /"a" is not a document, but a value of type number/],
    [
      'is of Apollo and has an operation without an id',
      '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"body": "{ a }"}]}',
      /operations\[0\] has no id/,
    ],
  ])('stops the start if it %s, and says where', async (_name, text, message) => {
    const broken = join(folder, 'broken.json')
    writeFileSync(broken, text)
    await expect(testGateway({}, { documents: { manifest: broken, only: false } })).rejects.toThrow(message)
  })

  it('stops the start if it does not exist', async () => {
    const missing = { manifest: join(folder, 'missing.json'), only: false }
    await expect(testGateway({}, { documents: missing })).rejects.toThrow(/missing\.json cannot be used: ENOENT/)
  })
})

it('reads the manifest of Apollo', async () => {
  const path = join(folder, 'apollo.json')
  const operations = [{ id: 'n', name: 'N', type: 'query', body: NUMBER }]
  writeFileSync(path, JSON.stringify({ format: 'apollo-persisted-query-manifest', version: 1, operations }))
  const apollo = await testGateway({}, { documents: { manifest: path, only: true } })
  expect((await send(apollo, { extensions: persisted('n') })).data).toBeDefined()
  await apollo.close()
})
