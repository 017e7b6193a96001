import { type ExecutionResult, type GraphQLError, graphql, parse, subscribe } from 'graphql'
import { compileDependencyPatterns } from '../../src/core/dependency/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../src/core/dependency/default-dependency-patterns.js'
import { toGraphQLError } from '../../src/graphql/base/graphql-errors.js'
import { createContext } from '../../src/graphql/base/request-context.js'
import { schema } from '../../src/graphql/schema.js'
import { createRegistry } from '../../src/registry/create-registry.js'
import type { Registry } from '../../src/registry/registry.js'
import type { HeadReader } from '../../src/store/contract/head-reader.js'
import type { History } from '../../src/store/contract/history.js'
import { openMemoryHistory } from '../../src/store/memory/memory-history.js'
import { compileRegex } from '../../src/store/planning/compile-regex.js'
import { historyOptions } from '../support/commit-requests.js'

/** A registry with the schema, without a server. */
export interface Gateway {
  readonly registry: Registry
  /** The number of calls to each method of the store since `calls` was last cleared. */
  readonly calls: Map<string, number>
  /** Returns the whole result, with errors as clients see them. */
  run(document: string, variables?: Record<string, unknown>): Promise<Result>
  /** Returns the data. @throws Error if there are errors */
  data<Data = any>(document: string, variables?: Record<string, unknown>): Promise<Data>
  /** Returns the code of the first error. @throws Error if there is none */
  code(document: string, variables?: Record<string, unknown>): Promise<unknown>
  /** Applies operations in one changeset and returns the revision that they made. @throws Error if they are refused */
  apply(...operations: unknown[]): Promise<number>
  subscribe(document: string, variables?: Record<string, unknown>): Promise<AsyncGenerator<ExecutionResult>>
  close(): Promise<void>
}

export interface Result {
  readonly data: any
  readonly errors: readonly GraphQLError[]
}

export const create = (id: unknown, meta?: unknown, data?: unknown, kind = 'test.thing') => ({
  create: { id, kind, meta, data },
})
export const update = (id: unknown, meta?: unknown, data?: unknown, kind = 'test.thing') => ({
  update: { id, kind, meta, data },
})
export const remove = (id: unknown) => ({ delete: { id } })

export const APPLY = /* GraphQL */ `
  mutation ($input: ApplyChangesetInput!) {
    applyChangeset(input: $input) {
      __typename
      ... on Applied { transition { revision } }
      ... on Refused { message problems { code message operation entryId current { entryId revision } } }
    }
  }
`

export const APPLY_VERSION = /* GraphQL */ `
  mutation ($input: ApplyVersionInput!) {
    applyVersion(input: $input) {
      __typename
      ... on Applied { version { number } transition { revision } changes { kind entryId } delta { created updated deleted } dryRun replayed }
      ... on Refused { message problems { code message } }
    }
  }
`

export function openGateway(
  history: History = openMemoryHistory(historyOptions),
  author: string | null = 'tester',
): Gateway {
  const calls = new Map<string, number>()
  const references = compileDependencyPatterns(DEFAULT_DEPENDENCY_PATTERNS)
  const registry = createRegistry({ history: counted(history, calls), references, compileRegex })
  const contextOf = () => createContext({ registry, author, signal: new AbortController().signal })

  const gateway: Gateway = {
    registry,
    calls,
    async run(source, variableValues) {
      const result = await graphql({
        schema,
        source,
        variableValues: variableValues ?? null,
        contextValue: contextOf(),
      })
      return { data: result.data, errors: (result.errors ?? []).map(toGraphQLError) }
    },
    async data(document, variables) {
      const { data, errors } = await gateway.run(document, variables)
      if (errors.length > 0)
        throw new Error(errors.map(({ message, originalError }) => originalError?.stack ?? message).join('\n'))
      return data
    },
    async code(document, variables) {
      const { errors } = await gateway.run(document, variables)
      if (errors.length === 0) throw new Error('there is no error')
      return errors[0]!.extensions['code']
    },
    async apply(...operations) {
      const { applyChangeset } = await gateway.data(APPLY, { input: { operations } })
      if (applyChangeset.__typename !== 'Applied') throw new Error(JSON.stringify(applyChangeset.problems))
      return applyChangeset.transition.revision
    },
    async subscribe(document, variableValues) {
      const stream = await subscribe({
        schema,
        document: parse(document),
        variableValues: variableValues ?? null,
        contextValue: contextOf(),
      })
      if (!(Symbol.asyncIterator in stream)) throw toGraphQLError(stream.errors?.[0])
      return stream as AsyncGenerator<ExecutionResult>
    },
    async close() {
      await registry.close()
      await history.close()
    },
  }
  return gateway
}

/** Wraps a history to count its calls by method. */
function counted(history: History, calls: Map<string, number>): History {
  return new Proxy(history, {
    get(target, name: string) {
      const value = Reflect.get(target, name) as unknown
      if (name === 'headReader') return value === null ? null : countedReader(value as HeadReader, calls)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1)
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
}

/** Wraps the head reader of the cache. Its calls count like those of the history that it replaces. */
function countedReader(reader: HeadReader, calls: Map<string, number>): HeadReader {
  const count = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1)
  return {
    readIndex(...args) {
      count('head')
      return reader.readIndex(...args)
    },
    entries(ids) {
      count('entries')
      return reader.entries(ids)
    },
  }
}

/** Waits for the next event. @throws Error if there is none within `ms`, so that a silent stream fails its test */
export async function nextEvent(stream: AsyncGenerator<ExecutionResult>, ms = 60_000): Promise<any> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No event within ${ms} ms`)), ms)
  })
  try {
    const result = await Promise.race([stream.next(), silence])
    if (result.done === true) throw new Error('The stream has ended')
    if (result.value.errors !== undefined) throw result.value.errors[0]
    return result.value.data
  } finally {
    clearTimeout(timer)
  }
}
