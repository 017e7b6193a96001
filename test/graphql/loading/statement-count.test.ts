import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { History } from '../../../src/store/contract/history.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { historyOptions } from '../../support/commit-requests.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { create, type Gateway, openGateway, update } from '../schema-fixture.js'
import { countStatements } from './count-statements.js'

interface Opened {
  readonly history: History
  /** The number of statements that reached the server; 0 for memory. */
  statements(): number
  drop(): Promise<void>
}

const BACKENDS: Record<string, () => Promise<Opened>> = {
  memory: async () => ({
    history: openMemoryHistory(historyOptions),
    statements: () => 0,
    drop: async () => undefined,
  }),
  Postgres: async () => {
    const database = await createTestDatabase()
    const counter = await countStatements(database.url)
    const history = await openPostgresHistory({
      ...historyOptions,
      databaseUrl: counter.url,
      backend: 'postgres',
      connections: 4,
    })
    const drop = async () => {
      await counter.close()
      await database.drop()
    }
    return { history, statements: () => counter.statements, drop }
  },
}

describe.each(Object.keys(BACKENDS))('the number of calls to the store, over %s,', (backend) => {
  let opened: Opened
  let gateway: Gateway

  beforeAll(async () => {
    opened = await BACKENDS[backend]!()
    gateway = openGateway(opened.history)
    const references = (n: number) => ({
      depends_on: [`a:e${(n + 1) % 100}`, `e${(n + 2) % 100}`, 'group:few', 'ns:b', 'a:gone'],
      groups: n < 3 ? ['few'] : [],
    })
    await gateway.apply(
      ...Array.from({ length: 100 }, (_, n) => create(`a:e${n}`, references(n))),
      create('b:one'),
      create('b:two'),
    )
    for (let round = 0; round < 3; round++) {
      await gateway.apply(
        ...Array.from({ length: 50 }, (_, n) => update(`a:e${n * 2}`, { ...references(n * 2), round })),
      )
    }
  })
  afterAll(async () => {
    await gateway.close()
    await opened.drop()
  })

  const callsFor = async (document: string, variables?: Record<string, unknown>) => {
    // Statements that set up a new connection must not be counted.
    await Promise.all(Array.from({ length: 8 }, () => gateway.data('{ namespaces { name } }')))
    gateway.calls.clear()
    const before = opened.statements()
    const data = await gateway.data(document, variables)
    return { data, calls: Object.fromEntries(gateway.calls), statements: opened.statements() - before }
  }

  it('is small for 100 entries with versions, histories, dependencies and dependents', async () => {
    const { data, calls, statements } = await callsFor(`{ entries(where: {ns: {eq: "a"}}, first: 100) { nodes {
      entryId meta version { number author previous { number } children { number } isHead }
      history { totalCount nodes { revision version { number message } entry { revision } } }
      dependencies { path target { entryId version { number } } }
      dependents { path source target { digest } }
    } } }`)
    expect(data.entries.nodes).toHaveLength(100)
    expect(data.entries.nodes[0].dependencies).toHaveLength(2 + 2 + 2 + 1)
    expect(data.entries.nodes[0].dependents.length).toBeGreaterThan(90)
    expect(data.entries.nodes[0].history.totalCount).toBe(4)
    expect(calls).toMatchObject({
      findEntries: 1,
      entryHistories: 1,
      entryHistoryCounts: 1,
      dependents: 1,
      entriesInGroups: 1,
      entriesInNamespaces: 1,
      head: 1,
      children: 1,
    })
    const total = Object.values(calls).reduce((sum, count) => sum + count, 0)
    expect([calls, total <= 14]).toEqual([calls, true])
    // Most calls are one statement, a few are two.
    expect(statements).toBeLessThanOrEqual(16)
    if (backend === 'Postgres') expect(statements).toBeGreaterThanOrEqual(8)
  })

  it('is one for each type of many nodes', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => [`a:e${n}`, `r1/a:e${n}`, `v${n % 5}`]).flat()
    const { data, calls } = await callsFor('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })
    expect(data.nodes.filter((node: unknown) => node !== null)).toHaveLength(300)
    // An entry is either revalidated in the cache or read from the database, never both.
    const { head = 0, entries = 0, ...others } = calls
    expect([head + entries, others]).toEqual([1, { entryRevisions: 1, versions: 1 }])
  })

  it('does not grow with the number of versions with their trees, changesets and snapshots', async () => {
    const { calls } = await callsFor(
      `{ versions { nodes { number previous { number } children { number } changeset { created operations(first: 2) { nodes { entryId entry { entry { digest } } } } } } } }`,
    )
    expect(Object.values(calls).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(5)
    expect(calls).toMatchObject({ versionPage: 1, children: 1, changesOf: 1 })
  })

  it('does not grow with the number of transitions with their versions and changes', async () => {
    const { calls } = await callsFor(
      '{ transitions { nodes { from { number } to { number } changes(first: 3) { totalCount nodes { entryId } } } } }',
    )
    expect(calls).toEqual({ transitionPage: 1, versions: 1, changesOf: 1 })
  })

  it('is one for entries of one snapshot under many aliases', async () => {
    const fields = Array.from({ length: 50 }, (_, n) => `e${n}: entry(id: "a:e${n}") { digest }`).join(' ')
    const { calls } = await callsFor(`{ snapshot(at: {revision: 2}) { ${fields} } }`)
    expect(calls['entries']).toBe(1)
  })

  it('is a few for each level of a dependency graph, however many entries it has', async () => {
    const { data, calls, statements } = await callsFor(
      '{ dependencyGraph(root: "a:e0", direction: BOTH, depth: 3) { nodes { depth entry { digest } } edges { source target } truncated } }',
    )
    const levels = Math.max(...data.dependencyGraph.nodes.map(({ depth }: { depth: number }) => depth)) + 1
    expect(data.dependencyGraph.nodes.length).toBeGreaterThan(90)
    expect(calls).toMatchObject({ referencesTo: levels })
    expect([calls, Object.values(calls).reduce((sum, count) => sum + count, 0) <= 2 + 6 * levels]).toEqual([
      calls,
      true,
    ])
    expect(statements).toBeLessThanOrEqual(2 + 6 * levels)
  })

  it('is one for the warnings of a changeset, plus one for each namespace and group that loses entries', async () => {
    const operations = Array.from({ length: 50 }, (_, n) => ({ delete: { id: `a:e${n}` } }))
    const { data, calls } = await callsFor(
      'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { ... on Applied { warnings { code entryId } } } }',
      { input: { operations, dryRun: true } },
    )
    expect(data.applyChangeset.warnings.length).toBeGreaterThan(1)
    expect(calls).toEqual({ commit: 1, referencesTo: 1, countEntries: 2 })
  })

  it('is one for one entry', async () => {
    const { calls } = await callsFor('{ entry(id: "a:e1") { id meta data digest revision } }')
    const { head = 0, entries = 0, ...others } = calls
    expect([head + entries, others]).toEqual([1, {}])
  })
})
