import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionResult } from 'graphql'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import { schema } from '../../../src/graphql/schema.js'
import type { Registry } from '../../../src/registry/registry.js'
import { createEngine } from '../../../src/server/engine/engine.js'
import { createMetrics } from '../../../src/server/observing/metrics.js'
import { OPERATION_LIMITS } from '../../../src/server/pipeline/operation-limits.js'
import { isStream } from '../../../src/server/pipeline/operation-request.js'
import type { History } from '../../../src/store/contract/history.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { apply, create, HISTORY_OPTIONS, historyWith, registryOver } from '../../registry/registry-fixture.js'
import { callerOf } from '../caller-fixture.js'

function engineOver(registry: Registry, seconds = 30) {
  const logged: Record<string, any>[] = []
  const lines = new PassThrough()
  lines.on('data', (line: Buffer) => logged.push(JSON.parse(line.toString()) as Record<string, any>))
  const engine = createEngine({
    schema,
    registry,
    log: pino({}, lines),
    metrics: createMetrics({ finderCache: () => ({ hits: 0, misses: 0, results: 0, bytes: 0 }) }),
    introspection: true,
    limits: { ...OPERATION_LIMITS, querySeconds: seconds, mutationSeconds: seconds },
  })
  const run = async (query: string, signal = new AbortController().signal) => {
    const prepared = engine.prepare({ query, operationName: null, variables: {} }, callerOf(signal))
    return 'errors' in prepared ? (prepared as ExecutionResult) : prepared.start()
  }
  const answer = async (query: string) => JSON.parse(JSON.stringify(await run(query))) as { data?: any; errors?: any[] }
  return { run, answer, logged }
}

const broken = (changed: Partial<History>) => registryOver(historyWith(openMemoryHistory(HISTORY_OPTIONS), changed))

describe('the engine', () => {
  it('masks unexpected errors and logs each once under the id that the client sees', async () => {
    const failure = new Error('password=secret at 10.0.0.1')
    const { answer, logged } = engineOver(
      broken({ head: () => Promise.reject(failure), versions: () => Promise.reject(failure) }),
    )
    const { errors } = await answer('{ a: currentVersion { number } }')
    const { errors: again } = await answer('{ a: version(number: 1) { number } b: version(number: 2) { number } }')
    for (const error of [...errors!, ...again!]) {
      expect(error).toMatchObject({
        message: 'Unexpected error',
        extensions: { code: 'INTERNAL_SERVER_ERROR', id: errors![0].extensions.id },
      })
    }
    expect(errors![0].path).toEqual(['a'])
    expect(logged).toHaveLength(1)
    expect(logged[0]).toMatchObject({ id: errors![0].extensions.id, err: { message: failure.message } })
    expect(JSON.stringify([errors, again])).not.toContain('secret')
  })

  it('answers TOO_LARGE if the result is longer than a string can be', async () => {
    const { answer, logged } = engineOver(
      broken({
        versions: async () => {
          throw new Error('x'.repeat(2 ** 29))
        },
      }),
    )
    expect((await answer('{ version(number: 1) { number } }')).errors).toMatchObject([
      { extensions: { code: 'TOO_LARGE' } },
    ])
    expect(logged).toEqual([])
  })

  it('shows the code and details of errors that the caller can fix', async () => {
    const { answer, logged } = engineOver(
      broken({ head: () => Promise.reject(new RegistryError('UNAVAILABLE', 'the store is away', { retry: true })) }),
    )
    expect((await answer('{ currentVersion { number } }')).errors![0]).toMatchObject({
      message: 'the store is away',
      extensions: { code: 'UNAVAILABLE', retry: true },
    })
    expect(logged).toEqual([])
  })

  it('answers at the deadline: a query with TIMEOUT, a mutation with OUTCOME_UNKNOWN', async () => {
    const never = () => new Promise<never>(() => undefined)
    const { answer } = engineOver(broken({ head: never, commit: never }), 0.05)
    expect((await answer('{ currentVersion { number } }')).errors![0].extensions.code).toBe('TIMEOUT')
    const mutation = await answer(
      'mutation { applyChangeset(input: {operations: [{create: {id: "a:1", kind: "k"}}]}) { __typename } }',
    )
    expect(mutation.errors![0].extensions.code).toBe('OUTCOME_UNKNOWN')
  })

  it('refuses a subscription whose only field is skipped', async () => {
    const { answer, logged } = engineOver(registryOver(openMemoryHistory(HISTORY_OPTIONS)))
    for (const query of [
      'subscription { changes @skip(if: true) { revision } }',
      'subscription { ...F @include(if: false) } fragment F on Subscription { changes { revision } }',
    ]) {
      expect((await answer(query)).errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }])
    }
    expect(logged).toEqual([])
  })

  it('masks the error that ends a stream, and ends a stream whose caller is gone', async () => {
    const registry = broken({ log: () => Promise.reject(new Error('secret')) })
    const { run, logged } = engineOver(registry)
    const stream = await run('subscription { changes { revision } }')
    if (!isStream(stream)) throw new Error(JSON.stringify(stream))
    await stream.next()
    await expect(stream.next()).rejects.toMatchObject({
      message: 'Unexpected error',
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    })
    expect(logged).toHaveLength(1)

    const gone = new AbortController()
    const { run: runHere } = engineOver(registryOver(openMemoryHistory(HISTORY_OPTIONS)))
    const other = await runHere('subscription { changes { revision } }', gone.signal)
    if (!isStream(other)) throw new Error(JSON.stringify(other))
    await other.next()
    const pending = other.next()
    gone.abort()
    expect((await pending).done).toBe(true)
  })

  it('resolves each event of a subscription at the head of its time', async () => {
    const registry = registryOver(openMemoryHistory(HISTORY_OPTIONS))
    const { run } = engineOver(registry)
    const stream = await run(
      'subscription { changes { version { number isHead } changes { entry { entry { revision } } } } }',
    )
    if (!isStream(stream)) throw new Error(JSON.stringify(stream))
    await stream.next()
    for (const [i, write] of [() => apply(registry, create('a:1')), () => apply(registry, create('a:2'))].entries()) {
      await write()
      await sleep(5)
      expect(JSON.parse(JSON.stringify((await stream.next()).value)).data.changes).toEqual({
        version: { number: i + 1, isHead: true },
        changes: [{ entry: { entry: { revision: i + 1 } } }],
      })
    }
    await stream.return?.()
  })
})
