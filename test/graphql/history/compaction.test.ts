import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { openPostgresHistory } from '../../../src/store/postgres/postgres-history.js'
import { historyOptions } from '../../support/commit-requests.js'
import { createTestDatabase } from '../../support/test-postgres.js'
import { APPLY, APPLY_VERSION, create, type Gateway, openGateway, remove, update } from '../schema-fixture.js'

const COMPACT =
  'mutation ($before: SafeInt!, $dryRun: Boolean) { compact(before: $before, dryRun: $dryRun) { oldestRevision versions changes } }'
const REVERT =
  'mutation ($version: SafeInt!) { revertVersion(input: {version: $version}) { __typename ... on Refused { problems { code message } } } }'
const SET_TAG = 'mutation ($version: SafeInt!) { setTag(input: {name: "t", version: $version}) { name } }'

async function openMemory() {
  const gateway = openGateway()
  return { gateway, close: () => gateway.close() }
}

async function openPostgres() {
  const database = await createTestDatabase()
  const gateway = openGateway(
    await openPostgresHistory({ ...historyOptions, databaseUrl: database.url, backend: 'postgres', connections: 4 }),
  )
  const close = async () => {
    await gateway.close()
    await database.drop()
  }
  return { gateway, close }
}

describe.each([
  ['memory', openMemory],
  ['Postgres', openPostgres],
] as const)('a compacted registry over %s', (_, open) => {
  let gateway: Gateway
  let close: () => Promise<void>
  const KEYED = { input: { operations: [create('k:1')], idempotencyKey: 'k' } }

  beforeAll(async () => {
    ;({ gateway, close } = await open())
    await gateway.apply(create('a:x', { n: 1 }), create('a:y'))
    await gateway.data(APPLY, KEYED)
    await gateway.apply(update('a:x', { n: 3 }))
    await gateway.apply(remove('a:y'), create('a:z'))
    expect(await gateway.data('{ oldestRevision versions { nodes { compacted } } }')).toEqual({
      oldestRevision: 0,
      versions: { nodes: Array(5).fill({ compacted: false }) },
    })
    expect(await gateway.data(COMPACT, { before: 4, dryRun: true })).toEqual({
      compact: { oldestRevision: 0, versions: 3, changes: 4 },
    })
    expect(await gateway.data(COMPACT, { before: 4 })).toEqual({
      compact: { oldestRevision: 4, versions: 3, changes: 4 },
    })
  })
  afterAll(() => close())

  it('shows the metadata of all versions, and which are compacted', async () => {
    const { oldestRevision, versions } = await gateway.data(
      '{ oldestRevision versions { nodes { number compacted digest previous { number } changeset { created updated deleted } } } }',
    )
    expect(oldestRevision).toBe(4)
    expect(versions.nodes.map(({ number, compacted }: any) => [number, compacted])).toEqual([
      [0, true],
      [1, true],
      [2, true],
      [3, true],
      [4, false],
    ])
    expect(versions.nodes[1].changeset).toEqual({ created: 2, updated: 0, deleted: 0 })
  })

  it.each([
    ['a changeset', '{ version(number: 3) { number changeset { operations { nodes { kind } } } } }'],
    ['a snapshot', '{ version(number: 3) { number snapshot { entryCount } } }'],
    ['the root', '{ version(number: 0) { number snapshot { entryCount } } }'],
    ['a snapshot by revision', '{ snapshot(at: {revision: 3}) { entryCount } }'],
    ['a snapshot by version', '{ snapshot(at: {version: 1}) { entryCount } }'],
    ['a snapshot by time', '{ snapshot(at: {time: "2020-01-01T00:00:00Z"}) { entryCount } }'],
    ['a delta', '{ delta(from: {revision: 2}, to: {revision: 4}) { created } }'],
    ['a graph', '{ dependencyGraph(root: "a:x", at: {revision: 3}) { nodes { depth } } }'],
    ['a content that is gone', '{ node(id: "r1/a:x") { id } }'],
    ['what a transition changed', '{ transitions(first: 1) { nodes { revision changes { nodes { kind } } } } }'],
  ])('says COMPACTED and the oldest revision of %s below it', async (_, document) => {
    const { errors } = await gateway.run(document)
    expect(errors.map(({ extensions }) => extensions)).toEqual([{ code: 'COMPACTED', oldestRevision: 4 }])
  })

  it('reports a compacted node without failing the other nodes', async () => {
    const { data, errors } = await gateway.run('{ nodes(ids: ["v1", "r1/a:x", "a:x"]) { id } }')
    expect(data).toEqual({ nodes: [{ id: 'v1' }, null, { id: 'a:x' }] })
    expect(errors).toMatchObject([{ path: ['nodes', 1], extensions: { code: 'COMPACTED', oldestRevision: 4 } }])
  })

  it('answers every query from its oldest revision on', async () => {
    const { version, snapshot, delta, node, node3, transitions, entry } = await gateway.data(`{
      version(number: 4) { snapshot { entryCount } changeset { operations { nodes { kind entryId original { meta revision } } } } }
      snapshot(at: {version: 4}) { entries { nodes { entryId } } }
      delta(from: {revision: 4}, to: {revision: 4}) { created }
      node(id: "r3/a:x") { id } node3: node(id: "r4/a:x") { id }
      transitions(last: 1) { nodes { changes { nodes { kind entryId } } } }
      entry(id: "a:x") { history { totalCount nodes { revision meta } } }
    }`)
    expect(version).toEqual({
      snapshot: { entryCount: 3 },
      changeset: {
        operations: {
          nodes: [
            { kind: 'DELETE', entryId: 'a:y', original: { meta: {}, revision: 1 } },
            { kind: 'CREATE', entryId: 'a:z', original: null },
          ],
        },
      },
    })
    expect(snapshot.entries.nodes).toEqual([{ entryId: 'a:x' }, { entryId: 'a:z' }, { entryId: 'k:1' }])
    expect([delta, node, node3]).toEqual([{ created: 0 }, { id: 'r3/a:x' }, null])
    expect(transitions.nodes[0].changes.nodes).toHaveLength(2)
    expect(entry.history).toEqual({ totalCount: 1, nodes: [{ revision: 3, meta: { n: 3 } }] })
  })

  it('refuses writes that need compacted history with COMPACTED', async () => {
    const codes = (result: any) => result.problems.map(({ code }: { code: string }) => code)
    expect(codes((await gateway.data(APPLY_VERSION, { input: { version: 2 } })).applyVersion)).toEqual(['COMPACTED'])
    expect(codes((await gateway.data(REVERT, { version: 3 })).revertVersion)).toEqual(['COMPACTED'])
    expect(
      codes((await gateway.data(APPLY, { input: { operations: [create('n:1')], base: 3 } })).applyChangeset),
    ).toEqual(['COMPACTED'])
    expect(await gateway.code(SET_TAG, { version: 3 })).toBe('COMPACTED')
    expect(
      (await gateway.data(APPLY_VERSION, { input: { version: 0, dryRun: true } })).applyVersion.delta,
    ).toMatchObject({ deleted: 3 })
  })

  it('replays the result of a key used before compaction, with COMPACTED for its changes', async () => {
    const again = (fields: string) => gateway.run(APPLY.replace('transition { revision }', fields), KEYED)
    const { data, errors } = await again('replayed version { number } transition { revision }')
    expect([data.applyChangeset, errors]).toEqual([
      { __typename: 'Applied', replayed: true, version: { number: 2 }, transition: { revision: 2 } },
      [],
    ])
    for (const fields of ['delta { created }', 'changes { kind }'])
      expect((await again(fields)).errors[0]!.extensions).toMatchObject({ code: 'COMPACTED' })
  })

  it('refuses to compact a tagged version, naming the tag, and an unknown revision', async () => {
    await gateway.apply(create('a:later'))
    await gateway.data(SET_TAG, { version: 4 })
    const { errors } = await gateway.run(COMPACT, { before: 5 })
    expect(errors[0]!.extensions).toEqual({ code: 'PINNED_BY_TAG', tag: 't', version: 4, revision: 4 })
    expect(errors[0]!.message).toContain('The tag t pins version 4')
    expect(await gateway.code(COMPACT, { before: 99 })).toBe('REVISION_NOT_FOUND')
    expect(await gateway.code(COMPACT, { before: -1 })).toBe('BAD_USER_INPUT')
    expect(await gateway.code(COMPACT, { before: 1.5 })).toBe('BAD_USER_INPUT')
    expect(await gateway.data(COMPACT, { before: 4 })).toEqual({
      compact: { oldestRevision: 4, versions: 0, changes: 0 },
    })
    expect(await gateway.data(COMPACT, { before: 0 })).toEqual({
      compact: { oldestRevision: 4, versions: 0, changes: 0 },
    })
  })
})

describe('a registry without history', () => {
  it('refuses the snapshot of an old version with HISTORY_NOT_KEPT', async () => {
    const gateway = openGateway(openMemoryHistory(historyOptions, { hasHistory: false }))
    await gateway.apply(create('a:x'))
    await gateway.apply(create('a:y'))
    expect(await gateway.code('{ version(number: 1) { snapshot { revision } } }')).toBe('HISTORY_NOT_KEPT')
    expect(await gateway.data('{ currentVersion { snapshot { revision entryCount } } }')).toEqual({
      currentVersion: { snapshot: { revision: 2, entryCount: 2 } },
    })
    await gateway.close()
  })

  it('refuses to compact with HISTORY_NOT_KEPT', async () => {
    const gateway = openGateway(openMemoryHistory(historyOptions, { hasHistory: false }))
    await gateway.apply(create('a:x'))
    expect(await gateway.code(COMPACT, { before: 1 })).toBe('HISTORY_NOT_KEPT')
    expect(await gateway.data('{ oldestRevision versions { nodes { compacted } } }')).toEqual({
      oldestRevision: 1,
      versions: { nodes: [{ compacted: false }, { compacted: false }] },
    })
    await gateway.close()
  })
})
