import { parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createContext } from '../../../src/graphql/base/request-context.js'
import { compileOperation } from '../../../src/graphql/compiled/compile-operation.js'
import { createHeavyWork } from '../../../src/graphql/loading/heavy-work.js'
import { wholeText } from '../../../src/graphql/results/long-text.js'
import { schema } from '../../../src/graphql/schema.js'
import { create, type Gateway, openGateway } from '../schema-fixture.js'

const NEVER = new AbortController().signal

describe('heavy work', () => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = openGateway()
    for (let i = 0; i < 3; i++)
      await gateway.apply(...Array.from({ length: 40 }, (_, n) => create(`a:${i}-${n}`, { depends_on: ['0-1', 'no'] })))
  })
  afterAll(() => gateway.close())

  async function run(query: string, heavy?: ReturnType<typeof createHeavyWork>) {
    const document = parse(query)
    const [operation] = document.definitions
    const execute = compileOperation(schema, document, operation as never)!
    const { registry } = gateway
    const context = createContext({ registry, author: null, signal: NEVER, ...(heavy && { heavy }) })
    const result = await execute({}, context)
    if (result === null || result === 'too large') throw new Error('not compiled')
    return {
      data: JSON.parse(wholeText(result.data!)) as unknown,
      errors: result.errors.map(({ message, path }) => [message, path]),
    }
  }

  it.each([
    '{ entries(first: 100) { nodes { id dependencies { path target { id version { number } } } } pageInfo { endCursor } } }',
    '{ versions { nodes { number changeset { operations(first: 33) { nodes { entryId entry { meta } } totalCount } } } } }',
    '{ entries(first: 65) { nodes { id dependencies(first: -1) { path } } } }',
    '{ nodes(ids: ["a:0-1", "a:no", "no id"]) { id } }',
    '{ entries(where: {ns: {eq: "none"}}) { nodes { id } } }',
  ])('gives the same result as light work: %s', async (query) => {
    expect(await run(query, createHeavyWork(NEVER))).toEqual(await run(query))
  })

  it('reads one after another, the next one only after the rest', async () => {
    const order: string[] = []
    const { read } = createHeavyWork(NEVER, () => {
      order.push('rest')
      return undefined
    })
    const reading = async (name: string) => {
      order.push(`begin ${name}`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`end ${name}`)
    }
    const failing = read(() => Promise.reject(new Error('broken')))
    await Promise.all([expect(failing).rejects.toThrow('broken'), read(() => reading('a')), read(() => reading('b'))])
    expect(order).toEqual(['rest', 'begin a', 'end a', 'rest', 'begin b', 'end b'])
  })

  it('reads nothing after its signal has aborted', async () => {
    const stop = new AbortController()
    const { read, slice } = createHeavyWork(stop.signal)
    const first = read(async () => stop.abort())
    let isRead = false
    const second = read(async () => {
      isRead = true
    })
    await first
    await expect(second).rejects.toThrow('cancelled')
    expect(() => slice()).toThrow('cancelled')
    expect(isRead).toBe(false)
  })
})
