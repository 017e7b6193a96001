import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post, postBody, type TestGateway, testGateway } from '../server-fixture.js'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const persisted = (sha256Hash: unknown, version: unknown = 1) => ({ persistedQuery: { version, sha256Hash } })

// Apollo's clients send the hash first. The answer was 400 without a code they know, so they never sent the document.
describe('automatic persisted queries', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await testGateway()
  })
  afterAll(() => gateway.close())

  const send = async (body: object) => {
    const { status, body: answer } = await postBody(gateway, JSON.stringify(body))
    return {
      status,
      data: answer.data,
      code: answer.errors?.[0]?.extensions['code'],
      message: answer.errors?.[0]?.message,
    }
  }
  const get = async (search: Record<string, string>) => {
    const response = await fetch(`${gateway.endpoint}?${new URLSearchParams(search)}`)
    return [response.status, await response.json()]
  }

  it('answers an unknown hash in the way that makes clients send the document, and then the hash alone', async () => {
    const query = '{ currentVersion { number } }'
    const unknown = await send({ extensions: persisted(sha256(query)) })
    expect(unknown).toMatchObject({ status: 200, code: 'PERSISTED_QUERY_NOT_FOUND', message: 'PersistedQueryNotFound' })
    expect((await send({ query, extensions: persisted(sha256(query)) })).data).toBeDefined()
    expect((await send({ extensions: persisted(sha256(query)) })).data).toEqual({
      currentVersion: { number: expect.any(Number) as number },
    })
    expect((await send({ extensions: persisted(sha256(query).toUpperCase()) })).data).toBeDefined()
  })

  it('does the same by GET', async () => {
    const query = '{ a: currentVersion { number } }'
    const extensions = JSON.stringify(persisted(sha256(query)))
    expect(await get({ extensions })).toMatchObject([200, { errors: [{ message: 'PersistedQueryNotFound' }] }])
    expect(await get({ query, extensions })).toMatchObject([200, { data: { a: {} } }])
    expect(await get({ extensions })).toMatchObject([200, { data: { a: {} } }])
  })

  // A document was executed whatever hash came with it, and would have taken the other's place.
  it('refuses a document with the hash of another, and stores nothing', async () => {
    const hash = sha256('{ b: currentVersion { number } }')
    const lie = await send({ query: '{ __typename }', extensions: persisted(hash) })
    expect(lie).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' })
    expect(await send({ extensions: persisted(hash) })).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' })
  })

  it.each([
    ['a hash that is none', persisted('x'), 400, 'BAD_USER_INPUT'],
    ['a hash that is a number', persisted(1), 400, 'BAD_USER_INPUT'],
    ['another version', persisted(sha256('x'), 2), 200, 'PERSISTED_QUERY_NOT_SUPPORTED'],
    ['another type', { persistedQuery: 'x' }, 200, 'PERSISTED_QUERY_NOT_SUPPORTED'],
  ])('refuses %s', async (_name, extensions, status, code) => {
    expect(await send({ query: '{ __typename }', extensions })).toMatchObject({ status, code })
  })

  it('does not take a mutation by GET, also not by its hash', async () => {
    const query = 'mutation { applyVersion(input: {version: 0}) { __typename } }'
    await send({ query, extensions: persisted(sha256(query)) })
    expect((await get({ extensions: JSON.stringify(persisted(sha256(query))) }))[0]).toBe(405)
  })

  it('still requires a document of requests without a hash', async () => {
    expect((await post(gateway, '{ __typename }')).body.data).toEqual({ __typename: 'Query' })
    expect(await send({ extensions: {} })).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' })
  })
})
