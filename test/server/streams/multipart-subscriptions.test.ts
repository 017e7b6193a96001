import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEntries, FOLLOW, type TestGateway, testGateway, writeLarge } from '../server-fixture.js'

/** The header of Apollo's clients. */
const ACCEPT = 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json'

describe('multipart subscriptions', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway()
  })
  afterAll(() => gateway.close())

  function request(query: string, accept = ACCEPT, variables: object = {}) {
    return fetch(gateway.endpoint, {
      method: 'POST',
      headers: { accept, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
  }

  /** Yields the JSON of each part, and ends with the response. Reads as the protocol says: a part ends with its boundary. */
  async function* parts(response: Response): AsyncGenerator<any> {
    let text = ''
    let isFirst = true
    const decoder = new TextDecoder()
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk, { stream: true })
      for (;;) {
        const boundary = isFirst ? '--graphql' : '\r\n--graphql'
        const end = text.indexOf(boundary)
        if (end < 0) break
        const part = text.slice(0, end)
        text = text.slice(end + boundary.length)
        if (!isFirst) {
          const [headers, body] = part.split('\r\n\r\n')
          expect(headers!.toLowerCase()).toBe('\r\ncontent-type: application/json')
          yield JSON.parse(body!)
        }
        isFirst = false
      }
    }
    expect(text).toBe('--\r\n')
  }

  it('send each result as a part, after an empty one, and resume from a cursor', async () => {
    const response = await request(FOLLOW)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('multipart/mixed;boundary="graphql";subscriptionSpec="1.0"')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const received = parts(response)
    expect((await received.next()).value).toEqual({})
    const start = (await received.next()).value.payload.data.changes
    const revision = await createEntries(gateway, { 'parts:1': 1 })
    expect((await received.next()).value).toMatchObject({
      payload: { data: { changes: { revision, changes: [{ entryId: 'parts:1' }] } } },
    })
    await received.return(undefined)

    await createEntries(gateway, { 'parts:2': 2 })
    const again = parts(await request(FOLLOW, ACCEPT, { after: start.cursor }))
    const revisions: number[] = []
    for await (const { payload } of again) {
      if (payload === undefined) continue
      revisions.push(payload.data.changes.revision)
      if (revisions.at(-1) === revision + 1) break
    }
    expect(revisions).toEqual([revision, revision + 1])
  })

  it('answer queries and mutations as JSON', async () => {
    for (const query of ['{ __typename }', 'mutation { __typename }']) {
      const response = await request(query)
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(await response.json()).toMatchObject({ data: { __typename: expect.any(String) } })
    }
    const only = await request('{ __typename }', 'multipart/mixed;subscriptionSpec=1.0')
    expect(await only.json()).toEqual({ data: { __typename: 'Query' } })
  })

  it('report errors of the document before they begin, and those of a stream beside the payload', async () => {
    const invalid = await request('subscription { nothing }')
    expect(invalid.headers.get('content-type')).toContain('application/json')
    expect(await invalid.json()).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] })
    const failed = await request('subscription { changes(after: "x") { cursor } }')
    const text = await failed.text()
    expect(text).toContain('"INVALID_CURSOR"')
  })

  it('are not sent to clients that accept other parts', async () => {
    for (const accept of [
      'multipart/mixed',
      'multipart/mixed;deferSpec=20220824',
      'multipart/mixed;subscriptionSpec=2.0',
    ]) {
      const response = await request(FOLLOW, accept)
      expect(response.status).toBe(406)
      expect(await response.text()).toContain('multipart/mixed;subscriptionSpec=1.0')
    }
  })

  it('lose nothing for a client that reads slowly', async () => {
    const received = parts(await request(FOLLOW))
    await received.next()
    await received.next()
    const written = await writeLarge(gateway, 'slow', 20)
    const revisions: number[] = []
    for await (const { payload } of received) {
      if (payload === undefined) continue
      revisions.push(payload.data.changes.revision)
      if (revisions.length === written.length) break
    }
    expect(revisions).toEqual(written)
  })

  it('end with an error of the transport when the gateway stops, so that clients reconnect', async () => {
    const stopping = await testGateway()
    const response = await fetch(stopping.endpoint, {
      method: 'POST',
      headers: { accept: ACCEPT, 'content-type': 'application/json' },
      body: JSON.stringify({ query: FOLLOW }),
    })
    const received = parts(response)
    await received.next()
    await received.next()
    const closed = stopping.close()
    expect((await received.next()).value).toMatchObject({
      payload: null,
      errors: [{ message: 'The gateway is stopping. Reconnect.', extensions: { code: 'UNAVAILABLE' } }],
    })
    expect((await received.next()).done).toBe(true)
    await closed
  })
})

describe('incremental delivery and batches', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway()
  })
  afterAll(() => gateway.close())
  const answered = async (body: unknown) => {
    const response = await fetch(gateway.endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return (await response.json()) as { errors: { message: string; extensions: { code: string } }[] }
  }

  it.each([
    ['@defer', '{ ... @defer { __typename } }'],
    ['@stream', '{ entries(first: 1) { nodes @stream { id } } }'],
  ])('are refused by name: %s', async (directive, query) => {
    const { errors } = await answered({ query })
    expect(errors).toMatchObject([
      {
        message: `Unknown directive "${directive}". The gateway sends each answer as a whole. Remove the directive.`,
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ])
  })

  it('are refused: a list of requests', async () => {
    const { errors } = await answered([{ query: '{ __typename }' }])
    expect(errors[0]!.extensions.code).toBe('BAD_USER_INPUT')
    expect(errors[0]!.message).toMatch(/one (request|operation)|list/)
  })
})
