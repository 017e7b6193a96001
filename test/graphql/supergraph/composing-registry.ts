import { afterAll } from 'vitest'
import type { ComposeOptions } from '../../../src/graphql/supergraph/compose-options.js'
import { ComposingThread } from '../../../src/graphql/supergraph/composing-thread.js'
import { SupergraphComposer } from '../../../src/graphql/supergraph/supergraph-composer.js'
import type { Registry } from '../../../src/registry/registry.js'
import type { RawOperation } from '../../../src/registry/writing/write-input.js'
import type { History } from '../../../src/store/contract/history.js'
import type { CommitOutcome } from '../../../src/store/contract/history-writer.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { HISTORY_OPTIONS, registryOver, type Settings } from '../../registry/registry-fixture.js'
import { createTestDatabase } from '../../support/test-postgres.js'

export interface OpenedStore {
  readonly history: History
  close(): Promise<void>
}

/** The stores that every law about supergraphs is checked over. */
export const STORES: Readonly<Record<string, () => Promise<OpenedStore>>> = {
  memory: async () => {
    const history = openMemoryHistory(HISTORY_OPTIONS)
    return { history, close: () => history.close() }
  },
  Postgres: async () => {
    const database = await createTestDatabase()
    const history = await openPostgresHistory({ ...HISTORY_OPTIONS, databaseUrl: database.url, backend: 'postgres' })
    return {
      history,
      close: async () => {
        await history.close()
        await database.drop()
      },
    }
  },
}

/** One thread for all tests of a file: starting one takes a quarter of a second. */
const thread = new ComposingThread()
afterAll(() => thread.close())

export function composingRegistry(
  history: History,
  options: Partial<ComposeOptions> = {},
  settings: Settings = {},
): Registry {
  const deriver = new SupergraphComposer(history, { namespaces: ['shop'], onBreaking: 'refuse', ...options }, thread)
  return registryOver(history, { ...settings, transactions: { ...settings.transactions, deriver } })
}

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@external"])'

/** The SDL of a subgraph. Its own lines begin with line 2. */
export function sdl(...lines: readonly string[]): string {
  return [LINK, ...lines].join('\n')
}

export const USERS = sdl(
  'type Query { me: User }',
  'type User @key(fields: "id") {',
  '  id: ID!',
  '  name: String',
  '}',
)
export const ORDERS = sdl(
  'type Query { orders: [Order] }',
  'type Order { id: ID! user: User }',
  'type User @key(fields: "id") { id: ID! }',
)
/** Does not compose with USERS: both resolve `User.name`. */
export const NAMES = sdl('type User @key(fields: "id") {', '  id: ID!', '  name: String', '}')

export function publish(id: string, text: unknown, more: object = {}): RawOperation {
  return {
    kind: 'CREATE',
    id,
    entryKind: 'graphql.subgraph',
    meta: {},
    data: { sdl: text, url: 'http://x/graphql', ...more },
  }
}

export function republish(id: string, text: unknown, more: object = {}): RawOperation {
  return { ...publish(id, text, more), kind: 'UPDATE' }
}

export function submit(registry: Registry, ...operations: RawOperation[]): Promise<CommitOutcome> {
  return registry.applyChangeset({ operations }, { author: 'tester' })
}

export function problemsOf(outcome: CommitOutcome) {
  if (outcome.type === 'applied') throw new Error('applied')
  return outcome.problems
}

export function messagesOf(outcome: CommitOutcome): string[] {
  return problemsOf(outcome).map(({ message }) => message)
}
