import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { wholeText } from '../../../src/graphql/results/long-text.js'
import { resultText } from '../../../src/graphql/results/result-text.js'
import { schema } from '../../../src/graphql/schema.js'
import type { Registry } from '../../../src/registry/registry.js'
import { createEngine } from '../../../src/server/engine/engine.js'
import { createMetrics } from '../../../src/server/observing/metrics.js'
import { OPERATION_LIMITS, type OperationLimits } from '../../../src/server/pipeline/operation-limits.js'
import type { History } from '../../../src/store/contract/history.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { apply, create, HISTORY_OPTIONS, historyWith, registryOver } from '../../registry/registry-fixture.js'
import { callerOf, fastCallerOf } from '../caller-fixture.js'

function engineOver(registry: Registry, limits: Partial<OperationLimits> = {}, introspection = true) {
  const logged: Record<string, any>[] = []
  const lines = new PassThrough()
  lines.on('data', (line: Buffer) => logged.push(JSON.parse(line.toString()) as Record<string, any>))
  const metrics = createMetrics({ finderCache: () => ({ hits: 0, misses: 0, results: 0, bytes: 0 }) })
  const engine = createEngine({
    schema,
    registry,
    log: pino({}, lines),
    metrics,
    introspection,
    limits: { ...OPERATION_LIMITS, ...limits },
  })
  const operation = (query: string, variables = {}) => ({ query, operationName: null, variables })
  return {
    engine,
    metrics,
    logged,
    /** Null if the fast path leaves the request to graphql-js. */
    fast: async (query: string, variables?: object) => {
      const written = engine.fastPath.answer(operation(query, variables), fastCallerOf(), () => undefined)
      return written === null
        ? null
        : { ...(await written), answer: JSON.parse(wholeText((await written)!.text)) as { data?: any; errors?: any[] } }
    },
    slow: async (query: string, variables?: object) => {
      const prepared = engine.prepare(operation(query, variables), callerOf())
      return JSON.parse(resultText('errors' in prepared ? prepared : await prepared.start())) as {
        data?: any
        errors?: any[]
      }
    },
  }
}

const plain = () => registryOver(openMemoryHistory(HISTORY_OPTIONS))
const broken = (changed: Partial<History>) => registryOver(historyWith(openMemoryHistory(HISTORY_OPTIONS), changed))
const never = () => new Promise<never>(() => undefined)

describe('the fast path', () => {
  it('gives the same answers and errors as graphql-js', async () => {
    const registry = plain()
    await apply(registry, create('a:1', { m: [1, { deep: null }] }, { d: -0 }), create('a:2'))
    const { fast, slow } = engineOver(registry)
    for (const [query, variables] of [
      ['query ($id: EntryID!) { entry(id: $id) { id kind meta data } }', { id: 'a:1' }],
      ['query ($id: EntryID!) { entry(id: $id) { id } }', {}],
      ['query ($id: EntryID!) { entry(id: $id) { id } }', { id: 'none' }],
      ['{ entries(first: 1) { nodes { id } pageInfo { hasNextPage } } bad: entries(first: -1) { revision } }'],
      ['{ snapshot(at: {revision: 7}) { revision } }'],
    ] as [string, object?][])
      expect((await fast(query, variables))!.answer).toEqual(await slow(query, variables))
  })

  it('treats a missing variable as missing, even if every object has a property of its name', async () => {
    // The second request was answered that `first` is "function Object() { [native code] }".
    const { fast, slow } = engineOver(plain())
    for (const name of ['constructor', 'toString', '__proto__']) {
      const query = `query ($${name}: Int) { versions(first: $${name}) { totalCount } }`
      for (let i = 0; i < 2; i++) expect((await fast(query))!.answer).toEqual(await slow(query))
    }
  })

  it('leaves a request with a null condition to graphql-js, and only that request', async () => {
    // It counted as false, while graphql-js reports an error.
    const { fast, slow } = engineOver(plain())
    const query = 'query ($shown: Boolean = true) { currentVersion { number id @include(if: $shown) } }'
    expect(await fast(query, { shown: null })).toBeNull()
    expect((await slow(query, { shown: null })).errors![0].extensions.code).toBe('BAD_USER_INPUT')
    expect((await fast(query))!.answer).toEqual({ data: { currentVersion: { number: 0, id: 'v0' } } })
  })

  it('distinguishes an operation name from the beginning of a document', async () => {
    // Without the separator, an operation name could complete the beginning of another document.
    const { engine } = engineOver(plain())
    const answer = (operationName: string, query: string) =>
      engine.fastPath.answer({ query, operationName, variables: {} }, fastCallerOf(), () => undefined)
    expect(await answer('A', 'query A { __typename }')).not.toBeNull()
    expect(answer('A query', 'A { __typename }')).toBeNull()
  })

  it('leaves subscriptions, cancellable operations, introspection and invalid documents to graphql-js', async () => {
    const { fast, slow } = engineOver(plain(), { weight: 2_500 }, false)
    const taken = 'query ($n: Int) { entries(first: $n) { nodes { history(first: 9) { nodes { id } } } } }'
    expect(await fast(taken, { n: 10 })).not.toBeNull()
    for (const [query, code, variables] of [
      ['subscription { changes { revision } }', undefined],
      ['mutation { reloadSource(name: "none") { created } }', 'SOURCE_NOT_FOUND'],
      ['{ __schema { queryType { name } } }', 'GRAPHQL_VALIDATION_FAILED'],
      ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
      ['{ entry(', 'GRAPHQL_PARSE_FAILED'],
      [taken, 'QUERY_TOO_COMPLEX', { n: 500 }],
      ['{ entries(first: 500) { nodes { history(first: 9) { nodes { id } } } } }', 'QUERY_TOO_COMPLEX'],
    ] as [string, string | undefined, object?][]) {
      // Also where it has been seen before.
      for (let i = 0; i < 2; i++) expect(await fast(query, variables)).toBeNull()
      if (code !== undefined) expect((await slow(query, variables)).errors![0].extensions.code).toBe(code)
    }
  })

  it('does not execute a mutation that the transport refuses', async () => {
    const registry = plain()
    const { engine } = engineOver(registry)
    const request = {
      query: `mutation { applyChangeset(input: {operations: [{create: {id: "a:1", kind: "k"}}]}) { __typename } }`,
      operationName: null,
      variables: {},
    }
    const refuse = () => {
      throw new Error('no mutation here')
    }
    expect(() => engine.fastPath.answer(request, fastCallerOf(), refuse)).toThrow('no mutation here')
    expect((await registry.head()).revision).toBe(0)
    expect((await engine.fastPath.answer(request, fastCallerOf(), () => undefined))!.text).toContain('Applied')
    expect((await registry.head()).revision).toBe(1)
  })

  it('answers a late mutation with OUTCOME_UNKNOWN', async () => {
    const { fast, metrics } = engineOver(broken({ commit: never as never }), { mutationSeconds: 0.05 })
    const { answer } = (await fast(
      `mutation { applyChangeset(input: {operations: [{create: {id: "a:1", kind: "k"}}]}) { __typename } }`,
    ))!
    expect(answer).toEqual({ errors: [expect.objectContaining({ extensions: { code: 'OUTCOME_UNKNOWN' } })] })
    expect(await metrics.text()).toContain('cadastre_operations_total{type="mutation",outcome="error"} 1')
  })

  it('masks unexpected errors and logs them under the id that the client sees', async () => {
    const { fast, logged } = engineOver(broken({ versions: () => Promise.reject(new Error('password=secret')) }))
    const { text, answer, failed } = (await fast('{ version(number: 1) { number } }'))!
    expect(answer.errors![0]).toMatchObject({
      message: 'Unexpected error',
      path: ['version'],
      extensions: { code: 'INTERNAL_SERVER_ERROR', id: logged[0]!['id'] },
    })
    expect(text).not.toContain('secret')
    expect(failed).toBe(false)
    expect(logged).toHaveLength(1)
  })

  it('answers once at the deadline, and then no longer delays a stop', async () => {
    let came = (_: unknown): void => undefined
    const late = new Promise((resolve) => {
      came = resolve
    })
    const { engine, fast, metrics } = engineOver(
      broken({
        versions: (numbers: readonly number[]) => (numbers.includes(1) ? late.then(() => new Map()) : never()) as never,
      }),
      { querySeconds: 0.05 },
    )
    const [one, other] = await Promise.all([
      fast('{ version(number: 1) { number } }'),
      fast('{ version(number: 2) { number } }'),
    ])
    for (const { answer, failed } of [one!, other!]) {
      expect(answer).toEqual({ errors: [expect.objectContaining({ extensions: { code: 'TIMEOUT' } })] })
      expect(failed).toBe(true)
    }
    came(null)
    // Would fail by the test's timeout if a late query still delayed a stop.
    await engine.idle(2 ** 30)
    expect(await metrics.text()).toContain('cadastre_operations_total{type="query",outcome="error"} 2')
  })

  it('delays a stop and is counted', async () => {
    let answer = (_: unknown): void => undefined
    const { engine, fast, metrics } = engineOver(
      broken({
        versions: () =>
          new Promise((resolve) => {
            answer = resolve
          }) as never,
      }),
    )
    const asked = fast('{ version(number: 1) { number } }')
    let isIdle = false
    await new Promise((resolve) => setTimeout(resolve, 20))
    const idle = engine.idle(10_000).then(() => {
      isIdle = true
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(isIdle).toBe(false)
    answer(new Map())
    expect((await asked)!.answer).toEqual({ data: { version: null } })
    await idle
    const text = await metrics.text()
    expect(text).toContain('cadastre_operations_total{type="query",outcome="ok"} 1')
    expect(text).toContain('cadastre_operation_seconds_count{type="query"} 1')
  })
})
