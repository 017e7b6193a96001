import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import { wholeText } from '../../../src/graphql/results/long-text.js'
import { schema } from '../../../src/graphql/schema.js'
import type { Registry } from '../../../src/registry/registry.js'
import { RequestDocuments } from '../../../src/server/documents/request-documents.js'
import { createEngine } from '../../../src/server/engine/engine.js'
import { paramsOfBody } from '../../../src/server/http/graphql-params.js'
import { createMetrics } from '../../../src/server/observing/metrics.js'
import { OPERATION_LIMITS } from '../../../src/server/pipeline/operation-limits.js'
import type { History } from '../../../src/store/contract/history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import {
  apply,
  create,
  HISTORY_OPTIONS,
  historyWith,
  registryOver,
  remove,
  update,
} from '../../registry/registry-fixture.js'
import { createTestDatabase, type TestDatabase } from '../../support/test-postgres.js'
import { fastCallerOf } from '../caller-fixture.js'

const ENTRY = 'query ($id: EntryID!) { entry(id: $id) { id kind meta data } }'

describe('the answer cache', () => {
  let database: TestDatabase
  let history: History
  let elsewhere: History
  let other: Registry
  beforeAll(async () => {
    database = await createTestDatabase()
    history = await openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres' })
    elsewhere = await openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres' })
    other = registryOver(elsewhere)
  })
  afterAll(async () => {
    await other.close()
    await Promise.all([history.close(), elsewhere.close()])
    await database.drop()
  })

  function gateway(over = history, querySeconds = OPERATION_LIMITS.querySeconds) {
    const registry = registryOver(over)
    const metrics = createMetrics(registry)
    const engine = createEngine({
      schema,
      registry,
      log: pino({ level: 'silent' }),
      metrics,
      introspection: true,
      limits: { ...OPERATION_LIMITS, querySeconds },
    })
    const bodyOf = (query: string, variables: object = {}) => JSON.stringify({ query, variables })
    const answer = (query: string, variables?: object) =>
      new Promise<string>((resolve, reject) => {
        const body = bodyOf(query, variables)
        const operation = paramsOfBody({ text: body, mayHoldInexactNumber: undefined }, new RequestDocuments())
        const otherwise = async () =>
          wholeText((await engine.fastPath.answer(operation, fastCallerOf(), () => undefined))!.text)
        if (
          !engine.fastPath.answerEntry(operation, body, (answered) =>
            answered === null ? otherwise().then(resolve, reject) : resolve(wholeText(answered.text)),
          )
        )
          otherwise().then(resolve, reject)
      })
    return {
      registry,
      engine,
      metrics,
      /** Sends the request twice, because an answer is cached from the second request on. */
      write: async (query: string, variables?: object) => {
        await answer(query, variables)
        return answer(query, variables)
      },
      answer,
      /** Null if the body is not answered from the cache. */
      again: (query: string, variables?: object) =>
        new Promise<string | null>((resolve) => {
          if (
            !engine.fastPath.answerFromCache(bodyOf(query, variables), (answer) =>
              resolve(answer === null ? null : wholeText(answer.text)),
            )
          )
            resolve(null)
        }),
    }
  }

  it('answers while the entry is unchanged, and not after another gateway has acknowledged a change', async () => {
    await apply(other, create('r:1', { m: 1 }, 'ünï'), create('r:2'))
    const { registry, write, answer, again } = gateway()
    const id = { id: 'r:1' }
    expect(await again(ENTRY, id)).toBeNull()
    await answer(ENTRY, id)
    expect(await again(ENTRY, id)).toBeNull()
    const first = await write(ENTRY, id)
    expect(await again(ENTRY, id)).toBe(first)
    await apply(other, update('r:2', {}, 2))
    expect(await again(ENTRY, id)).toBe(first)

    await apply(other, update('r:1', { m: 1 }, 'new'))
    expect(await again(ENTRY, id)).toBeNull()
    expect(JSON.parse(await write(ENTRY, id)).data.entry.data).toBe('new')
    expect(JSON.parse((await again(ENTRY, id))!).data.entry.data).toBe('new')
    // The same content as before, by another revision.
    await apply(other, remove('r:1'))
    await apply(other, create('r:1', { m: 1 }, 'new'))
    expect(await again(ENTRY, id)).toBeNull()
    await apply(other, remove('r:1'))
    expect(await again(ENTRY, id)).toBeNull()
    expect(JSON.parse(await write(ENTRY, id))).toEqual({ data: { entry: null } })
    await registry.close()
  })

  it('caches only answers that show one entry', async () => {
    await apply(other, create('o:1'), create('o:2', { depends_on: ['o:1'] }))
    const { registry, write, again } = gateway()
    for (const query of [
      '{ entry(id: "o:2") { dependencies { path } } }',
      '{ entry(id: "o:1") { id history { revision } } }',
      '{ entry(id: "o:1") { version { number } } }',
      '{ a: entry(id: "o:1") { id } b: entry(id: "o:2") { id } }',
      '{ entries(first: 1) { nodes { id } } }',
      '{ entry(id: "o:none") { id } }',
      '{ entry(id: "no") { id } }',
      '{ ... on Query { entry(id: "o:1") { id } } }',
      '{ entry(id: "o:1") { ... on Entry { dependents { path } } } }',
    ]) {
      await write(query)
      expect([query, await again(query)]).toEqual([query, null])
    }
    for (const query of [
      '{ entry(id: "o:1") { id digest revision } }',
      '{ x: entry(id: {ns: "o", name: "1"}) { __typename data(path: "a") } }',
    ]) {
      const text = await write(query)
      expect(await again(query)).toBe(text)
    }
    await registry.close()
  })

  it('counts its answers, delays a stop for them, and times out without a read-index answer', async () => {
    await apply(other, create('d:1'))
    let held: Promise<void> | null = null
    const reader = history.headReader!
    const { registry, engine, metrics, write, again } = gateway(
      historyWith(history, {
        headReader: {
          entries: (ids) => reader.entries(ids),
          readIndex: async (...args) => {
            await held
            return reader.readIndex(...args)
          },
        },
      }),
      0.2,
    )
    const text = await write('{ entry(id: "d:1") { id } }')
    let release = (): void => undefined
    held = new Promise((resolve) => {
      release = resolve
    })
    const late = again('{ entry(id: "d:1") { id } }')
    let isIdle = false
    const idle = engine.idle(10_000).then(() => {
      isIdle = true
    })
    expect(JSON.parse((await late)!).errors[0].extensions.code).toBe('TIMEOUT')
    expect(isIdle).toBe(false)
    release()
    held = null
    await idle
    expect(await again('{ entry(id: "d:1") { id } }')).toBe(text)
    const counted = await metrics.text()
    expect(counted).toContain('cadastre_operations_total{type="query",outcome="error"} 1')
    expect(counted).toContain('cadastre_operations_total{type="query",outcome="ok"} 3')
    await registry.close()
  })

  it('answers again from the store if a read-index query fails', async () => {
    await apply(other, create('f:1'))
    let isBroken = false
    const reader = history.headReader!
    const { registry, write, again } = gateway(
      historyWith(history, {
        headReader: {
          entries: (ids) => reader.entries(ids),
          readIndex: (...args) => (isBroken ? Promise.reject(new Error('no read index')) : reader.readIndex(...args)),
        },
      }),
    )
    const text = await write('{ entry(id: "f:1") { id } }')
    isBroken = true
    expect(await again('{ entry(id: "f:1") { id } }')).toBeNull()
    isBroken = false
    expect(await again('{ entry(id: "f:1") { id } }')).toBe(text)
    await registry.close()
  })

  it('gives the same first answer as all queries get, with the same errors', async () => {
    await apply(other, create('t:1', { m: [1, { deep: null }] }, -0), create('t:2', {}, 'ünï'))
    let isBroken = false
    const reader = history.headReader!
    const { registry, engine, answer } = gateway(
      historyWith(history, {
        headReader: {
          readIndex: (...args) => reader.readIndex(...args),
          entries: (ids) =>
            isBroken ? Promise.reject(new RegistryError('UNAVAILABLE', 'no store')) : reader.entries(ids),
        },
      }),
    )
    const usual = async (query: string, variables: object = {}) =>
      wholeText(
        (await engine.fastPath.answer(
          { query, operationName: null, variables: variables as Record<string, unknown> },
          fastCallerOf(),
          () => undefined,
        ))!.text,
      )
    const asked: [string, object?][] = [
      [ENTRY, { id: 't:1' }],
      [ENTRY, { id: 't:none' }],
      [ENTRY, { id: { ns: 't', name: '2' } }],
      [ENTRY, { id: 'no' }],
      [ENTRY, {}],
      [
        '{ x: entry(id: "t:1") { entryId ns name digest revision d: data meta(path: "m.1") missing: meta(path: "none") __typename } }',
      ],
      [
        'query ($id: EntryID!, $deep: Boolean!) { entry(id: $id) { id kind @skip(if: $deep) } }',
        { id: 't:1', deep: true },
      ],
    ]
    for (const [query, variables] of asked) {
      const expected = await usual(query, variables)
      for (let i = 0; i < 3; i++) expect(await answer(query, variables)).toBe(expected)
    }
    isBroken = true
    const expected = await usual(ENTRY, { id: 't:new' })
    expect(JSON.parse(expected)).toMatchObject({
      data: { entry: null },
      errors: [{ path: ['entry'], extensions: { code: 'UNAVAILABLE' } }],
    })
    expect(await answer(ENTRY, { id: 't:new' })).toBe(expected)
    await registry.close()
  })

  it('times out if the first read does not come, and delays a stop for it', async () => {
    await apply(other, create('l:1'))
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const reader = history.headReader!
    const { registry, engine, metrics, answer } = gateway(
      historyWith(history, {
        headReader: {
          readIndex: (...args) => reader.readIndex(...args),
          entries: async (ids) => {
            await held
            return reader.entries(ids)
          },
        },
      }),
      0.2,
    )
    const asked = answer('{ entry(id: "l:1") { id } }')
    let isIdle = false
    const idle = engine.idle(10_000).then(() => {
      isIdle = true
    })
    expect(JSON.parse(await asked)).toEqual({ errors: [expect.objectContaining({ extensions: { code: 'TIMEOUT' } })] })
    expect(isIdle).toBe(false)
    release()
    await idle
    expect(JSON.parse(await answer('{ entry(id: "l:1") { id } }'))).toEqual({ data: { entry: { id: 'l:1' } } })
    const counted = await metrics.text()
    expect(counted).toContain('cadastre_operations_total{type="query",outcome="error"} 1')
    expect(counted).toContain('cadastre_operations_total{type="query",outcome="ok"} 1')
    await registry.close()
  })
})
