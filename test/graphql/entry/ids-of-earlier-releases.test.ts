import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EntryId, parseStoredEntryId } from '../../../src/core/entry/entry-id.js'
import type { History } from '../../../src/store/contract/history.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { changeset, commitOne, expectApplied, historyOptions, seal } from '../../support/commit-requests.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { type Gateway, openGateway } from '../schema-fixture.js'

const STORES: Record<string, () => Promise<{ history: History; drop(): Promise<void> }>> = {
  memory: async () => ({ history: openMemoryHistory(historyOptions), drop: async () => undefined }),
  Postgres: async () => {
    const database = await createTestDatabase()
    const options = { ...historyOptions, databaseUrl: database.url, backend: 'postgres' } as const
    return { history: await openPostgresHistory(options), drop: () => database.drop() }
  },
}

const IDS = ['a:zero\u200bwidth', 'bi\u202edi:x', 'a:\u3164', 'a:e\ufe0f', 'client:root']

/** Entries that were stored under such ids could be read, but not deleted. */
describe.each(Object.keys(STORES))('an entry over %s whose id an earlier release accepted', (store) => {
  let gateway: Gateway
  let drop: () => Promise<void>

  beforeEach(async () => {
    const opened = await STORES[store]!()
    drop = opened.drop
    gateway = openGateway(opened.history)
    const operations = IDS.map((id) => ({
      kind: 'CREATE' as const,
      id: id as EntryId,
      content: seal('k', {}, id),
      ifRevision: null,
    }))
    expectApplied(await commitOne(opened.history, changeset(operations)))
  })
  afterEach(async () => {
    await gateway.close()
    await drop()
  })

  const partsOf = (id: string) => ({ ns: id.slice(0, id.indexOf(':')), name: id.slice(id.indexOf(':') + 1) })
  const change = async (...operations: object[]) => {
    const { applyChangeset } = await gateway.data(
      `mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) {
        __typename ... on Applied { delta { operations { kind entryId } } } ... on Refused { problems { code entryId } }
      } }`,
      { input: { operations } },
    )
    return applyChangeset
  }

  it('can be read', async () => {
    for (const id of IDS) {
      expect(parseStoredEntryId(id)).toBe(id)
      for (const given of [id, partsOf(id)]) {
        const found = await gateway.data(
          `query ($id: EntryID!, $text: ID!) {
            entry(id: $id) { data }
            snapshot(at: {revision: 1}) { entry(id: $id) { data } }
            dependencyGraph(root: $id) { nodes { entry { data } } }
            node(id: $text) { ... on Entry { data } }
          }`,
          { id: given, text: id },
        )
        expect(found).toEqual({
          entry: { data: id },
          snapshot: { entry: { data: id } },
          dependencyGraph: { nodes: [{ entry: { data: id } }] },
          node: { data: id },
        })
      }
    }
  })

  it('can be deleted, and neither be updated nor come back', async () => {
    for (const [n, id] of IDS.entries()) {
      const given = n % 2 === 0 ? id : partsOf(id)
      const invalid = { __typename: 'Refused', problems: [{ code: 'INVALID_ENTRY', entryId: id }] }
      expect(await change({ update: { id: given, kind: 'k' } })).toMatchObject(invalid)
      expect(await change({ delete: { id: given } }, { create: { id: given, kind: 'other' } })).toMatchObject(invalid)
      expect(await change({ delete: { id: given } })).toEqual({
        __typename: 'Applied',
        delta: { operations: [{ kind: 'DELETE', entryId: id }] },
      })
      expect(await change({ delete: { id: given } })).toMatchObject(invalid)
      expect(await gateway.code('query ($id: EntryID!) { entry(id: $id) { data } }', { id: given })).toBe(
        'BAD_USER_INPUT',
      )
    }
  })
})
