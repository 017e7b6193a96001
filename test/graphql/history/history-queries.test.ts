import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { changeset, create, historyOptions } from '../../support/commit-requests.js'
import { openBranchedGateway } from '../branched-gateway.js'
import { create as createEntry, type Gateway, openGateway } from '../schema-fixture.js'

let gateway: Gateway

beforeAll(async () => {
  gateway = await openBranchedGateway()
})
afterAll(() => gateway.close())

const one = async (document: string, variables?: Record<string, unknown>) =>
  Object.values(await gateway.data(document, variables))[0] as any

describe('snapshot', () => {
  const read = (at: string, fields: string) => one(`{ snapshot${at} { ${fields} } }`)

  it('shows the head by default', async () => {
    const head = await one('{ currentVersion { number isHead } }')
    expect(await read('', 'version { number isHead }')).toEqual({ version: head })
  })

  it('shows a version, a revision or a time', async () => {
    expect(await read('(at: {version: 2})', 'revision version { number } entryCount')).toEqual({
      revision: 2,
      version: { number: 2 },
      entryCount: 4,
    })
    // v1 was the head twice. Its snapshot is the first one.
    expect(await read('(at: {version: 1})', 'revision version { number }')).toEqual({
      revision: 1,
      version: { number: 1 },
    })
    expect(await read('(at: {revision: 3})', 'revision version { number }')).toEqual({
      revision: 3,
      version: { number: 1 },
    })
    expect(await read('(at: {time: "1999-01-01T00:00:00+05:00"})', 'revision version { number } entryCount')).toEqual({
      revision: 0,
      version: { number: 0 },
      entryCount: 0,
    })
    expect(await read('(at: {time: "0001-01-01T00:00:00Z"})', 'revision')).toEqual({ revision: 0 })
    expect(await read('(at: {time: "9999-12-31T23:59:59-23:00"})', 'version { isHead }')).toEqual({
      version: { isHead: true },
    })
    const { transitions } = await gateway.data('{ transitions(first: 1) { nodes { createdAt } } }')
    expect(
      (
        await one('query ($time: DateTime!) { snapshot(at: {time: $time}) { revision } }', {
          time: transitions.nodes[0].createdAt,
        })
      ).revision,
    ).toBeGreaterThanOrEqual(1)
  })

  it('shows its own state in all fields', async () => {
    expect(
      await read(
        '(at: {revision: 2})',
        `
      entry(id: "app:db") { id data entry { revision } } gone: entry(id: "lib:net") { id }
      entries { revision totalCount nodes { __typename id entryId } } found: entries(find: {_kind: 1}) { totalCount }
      namespaces { name entryCount } namespace(name: "app", first: 2) { totalCount nodes { entryId } pageInfo { hasNextPage endCursor } }
    `,
      ),
    ).toEqual({
      entry: { id: 'r2/app:db', data: { host: 'remote' }, entry: { revision: 3 } },
      gone: null,
      entries: {
        revision: 2,
        totalCount: 4,
        nodes: ['r1/app:api', 'r2/app:db', 'r2/app:web', 'r1/lib:log'].map((id) => ({
          __typename: 'EntryRevision',
          id,
          entryId: id.slice(3),
        })),
      },
      found: { totalCount: 0 },
      namespaces: [
        { name: 'app', entryCount: 3 },
        { name: 'lib', entryCount: 1 },
      ],
      namespace: {
        totalCount: 3,
        nodes: [{ entryId: 'app:api' }, { entryId: 'app:db' }],
        pageInfo: { hasNextPage: true, endCursor: expect.any(String) },
      },
    })
  })

  it('is empty at revision 0', async () => {
    expect(
      await read('(at: {revision: 0})', 'entryCount entries { nodes { id } revision } namespaces { name }'),
    ).toEqual({ entryCount: 0, entries: { nodes: [], revision: 0 }, namespaces: [] })
  })

  it('refuses an unknown state with a code', async () => {
    expect(await gateway.code('{ snapshot(at: {version: 99}) { revision } }')).toBe('VERSION_NOT_FOUND')
    expect(await gateway.code('{ snapshot(at: {revision: 99}) { revision } }')).toBe('REVISION_NOT_FOUND')
    expect(await gateway.code('{ snapshot(at: {revision: -1}) { revision } }')).toBe('REVISION_NOT_FOUND')
    expect(await gateway.code('{ snapshot(at: {version: 9007199254740991}) { revision } }')).toBe('VERSION_NOT_FOUND')
    expect(await gateway.code('{ snapshot(at: {}) { revision } }')).toBe('BAD_USER_INPUT')
    expect(await gateway.code('{ snapshot(at: {version: 1, revision: 1}) { revision } }')).toBe('BAD_USER_INPUT')
    expect(
      await gateway.code('query ($at: At) { snapshot(at: $at) { revision } }', { at: { version: 1, revision: 1 } }),
    ).toBe('BAD_USER_INPUT')
    expect(await gateway.code('{ snapshot { namespace(name: "a b") { totalCount } } }')).toBe('BAD_USER_INPUT')
  })
})

describe('versions', () => {
  it('form a tree', async () => {
    const { versions } = await gateway.data(
      '{ versions(first: 4) { totalCount nodes { id number previous { number } children { number } author message isHead snapshot { revision } } } }',
    )
    expect(versions.totalCount).toBeGreaterThanOrEqual(4)
    expect(
      versions.nodes.map(({ number, previous, children, snapshot }: any) => [
        number,
        previous?.number ?? null,
        children.map((child: any) => child.number),
        snapshot.revision,
      ]),
    ).toEqual([
      [0, null, [1], 0],
      [1, 0, [2, 3], 1],
      [2, 1, [], 2],
      [3, 1, expect.any(Array), 4],
    ])
    expect(versions.nodes[1]).toMatchObject({ id: 'v1', author: 'tester', isHead: false })
  })

  it('are found by number, null if there is none', async () => {
    expect(await one('{ version(number: 2) { number digest createdAt } }')).toEqual({
      number: 2,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
    for (const number of ['99', '-1', '9007199254740991'])
      expect(await one(`{ version(number: ${number}) { number } }`)).toBeNull()
    expect(await gateway.code('{ version(number: "2") { number } }')).toBe('BAD_USER_INPUT')
  })

  it('list their changesets, in order', async () => {
    const { changeset } = await one(`{ version(number: 2) { changeset {
      created updated deleted operations { totalCount nodes { kind entryId entry { id data } original { id data } } pageInfo { hasNextPage } }
    } } }`)
    expect(changeset).toMatchObject({
      created: 1,
      updated: 1,
      deleted: 1,
      operations: { totalCount: 3, pageInfo: { hasNextPage: false } },
    })
    expect(changeset.operations.nodes).toEqual([
      { kind: 'DELETE', entryId: 'lib:net', entry: null, original: { id: 'r1/lib:net', data: null } },
      {
        kind: 'UPDATE',
        entryId: 'app:db',
        entry: { id: 'r2/app:db', data: { host: 'remote' } },
        original: { id: 'r1/app:db', data: { host: 'localhost' } },
      },
      { kind: 'CREATE', entryId: 'app:web', entry: { id: 'r2/app:web', data: null }, original: null },
    ])
    expect(
      await one('{ version(number: 0) { changeset { created operations { totalCount nodes { kind } } } } }'),
    ).toEqual({ changeset: { created: 0, operations: { totalCount: 0, nodes: [] } } })
  })
})

describe('transitions', () => {
  it('list the movements of the head', async () => {
    const { transitions } = await gateway.data(`{ transitions(first: 4) { nodes {
      revision kind from { number } to { number } author message changes { totalCount nodes { kind entryId } }
    } } }`)
    expect(
      transitions.nodes.map(({ revision, kind, from, to }: any) => [revision, kind, from.number, to.number]),
    ).toEqual([
      [1, 'CHANGESET', 0, 1],
      [2, 'CHANGESET', 1, 2],
      [3, 'VERSION', 2, 1],
      [4, 'CHANGESET', 1, 3],
    ])
    expect(transitions.nodes[2]).toMatchObject({
      author: 'tester',
      message: 'back',
      changes: {
        totalCount: 3,
        nodes: [
          { kind: 'DELETE', entryId: 'app:web' },
          { kind: 'UPDATE', entryId: 'app:db' },
          { kind: 'CREATE', entryId: 'lib:net' },
        ],
      },
    })
  })

  it('list their changes in pages', async () => {
    const page = (after: string | null) =>
      one(
        'query ($after: String) { transitions(first: 1) { nodes { changes(first: 3, after: $after) { nodes { entryId } pageInfo { endCursor hasNextPage hasPreviousPage } } } } }',
        { after },
      )
    const first = (await page(null)).nodes[0].changes
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const second = (await page(first.pageInfo.endCursor)).nodes[0].changes
    expect(second.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
    expect([...first.nodes, ...second.nodes].map(({ entryId }: any) => entryId).sort()).toEqual([
      'app:api',
      'app:db',
      'lib:log',
      'lib:net',
    ])
  })
})

describe('path, delta and buildDelta', () => {
  it('returns the path through the tree', async () => {
    expect(await one('{ path(from: 2, to: 3) { direction version { number } } }')).toEqual([
      { direction: 'BACKWARD', version: { number: 2 } },
      { direction: 'FORWARD', version: { number: 3 } },
    ])
    expect(await one('{ path(from: 2, to: 2) { direction } }')).toEqual([])
    expect(await gateway.code('{ path(from: 0, to: 99) { direction } }')).toBe('VERSION_NOT_FOUND')
  })

  it('returns the delta between two states, in either direction', async () => {
    const fields =
      'created updated deleted operations { kind entryId entry { entryId ns name kind data(path: "host") } original { data(path: "host") meta } }'
    const forth = await one(`{ delta(from: {revision: 1}, to: {version: 2}) { ${fields} } }`)
    expect(forth).toMatchObject({ created: 1, updated: 1, deleted: 1 })
    expect(forth.operations.map(({ kind, entryId }: any) => [kind, entryId])).toEqual([
      ['DELETE', 'lib:net'],
      ['UPDATE', 'app:db'],
      ['CREATE', 'app:web'],
    ])
    expect(forth.operations[1]).toMatchObject({
      entry: { entryId: 'app:db', ns: 'app', name: 'db', kind: 'db.sql', data: 'remote' },
      original: { data: 'localhost' },
    })
    expect(await one(`{ delta(from: {version: 2}, to: {revision: 1}) { created updated deleted } }`)).toEqual({
      created: 1,
      updated: 1,
      deleted: 1,
    })
    expect(await one('{ delta(from: {version: 1}, to: {revision: 3}) { operations { kind } } }')).toEqual({
      operations: [],
    })
    expect(await gateway.code('{ delta(from: {version: 1}, to: {version: 99}) { created } }')).toBe('VERSION_NOT_FOUND')
  })

  const build =
    'query ($from: [EntryInput!]!, $to: [EntryInput!]!) { buildDelta(from: $from, to: $to) { created updated deleted operations { kind entryId entry { kind meta data } original { kind } } } }'

  it('builds a delta that compares by value and is ordered', async () => {
    const from = [
      { id: 'a:same', kind: 'k', meta: { x: 1, y: [1] }, data: { p: 1.0, q: null } },
      { id: 'a:old', kind: 'k' },
      { id: 'a:kind', kind: 'k' },
      { id: 'a:array', kind: 'k', data: [1, 2] },
    ]
    const to = [
      { id: { ns: 'a', name: 'same' }, kind: 'k', meta: { y: [1], x: 1 }, data: { q: null, p: 1 } },
      { id: 'a:first', kind: 'k', meta: { depends_on: ['a:second'] } },
      { id: 'a:second', kind: 'k' },
      { id: 'a:kind', kind: 'l' },
      { id: 'a:array', kind: 'k', data: [2, 1] },
    ]
    const delta = await one(build, { from, to })
    expect(delta.operations.map(({ kind, entryId }: any) => `${kind} ${entryId}`)).toEqual([
      'DELETE a:kind',
      'DELETE a:old',
      'UPDATE a:array',
      'CREATE a:kind',
      'CREATE a:second',
      'CREATE a:first',
    ])
    expect(delta).toMatchObject({ created: 3, updated: 1, deleted: 2 })
    expect(await one(build, { from: to, to })).toMatchObject({ operations: [] })
  })

  it('names the invalid input of buildDelta', async () => {
    const message = async (variables: Record<string, unknown>) => {
      const { errors } = await gateway.run(build, variables)
      expect(errors[0]!.extensions['code']).toBe('BAD_USER_INPUT')
      return errors[0]!.message
    }
    const ok = { id: 'a:b', kind: 'k' }
    expect(await message({ from: [ok, { id: 'nope', kind: 'k' }], to: [] })).toMatch(/^from\[1\]\.id: /)
    expect(await message({ from: [], to: [ok, ok] })).toMatch(/^to\[1\]: a:b is already in this list/)
    expect(await message({ from: [], to: [{ id: 'a:c', kind: 'not a kind' }] })).toMatch(/^to\[0\]: /)
    expect(await message({ from: [{ id: 'a:c', kind: 'k', data: Infinity }], to: [] })).toMatch(/^from\[0\]: /)
  })
})

describe('changes in a store without history', () => {
  // Regression: changes that had been dropped were an empty list, as if the changeset had changed nothing.
  it('are those of the latest revisions, and HISTORY_NOT_KEPT before', async () => {
    const history = openMemoryHistory(historyOptions, { hasHistory: false })
    const none = openGateway(history)
    const input = { operations: [createEntry('a:first')], idempotencyKey: 'first' }
    const APPLY_FIRST =
      'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { ... on Applied { replayed changes { kind } delta { created } } } }'
    const OPERATIONS =
      'query ($number: SafeInt!) { version(number: $number) { changeset { operations { nodes { kind entryId } } } } }'
    const operations = async (number: number) =>
      (await none.data(OPERATIONS, { number })).version.changeset.operations.nodes
    expect(await none.data(APPLY_FIRST, { input })).toMatchObject({ applyChangeset: { replayed: false } })
    expect(await operations(1)).toEqual([{ kind: 'CREATE', entryId: 'a:first' }])
    await history.commit(Array.from({ length: 1_001 }, (_, n) => changeset([create(`b:${n}`)])))
    expect(await none.code(OPERATIONS, { number: 1 })).toBe('HISTORY_NOT_KEPT')
    expect(await none.code('{ transitions(first: 1) { nodes { changes { totalCount } } } }')).toBe('HISTORY_NOT_KEPT')
    expect(await none.code(APPLY_FIRST, { input })).toBe('HISTORY_NOT_KEPT')
    expect(await none.code(APPLY_FIRST.replace('changes { kind }', ''), { input })).toBe('HISTORY_NOT_KEPT')
    expect(await operations(0)).toEqual([])
    expect(await operations(1_002)).toHaveLength(1)
    await none.close()
  })
})
