import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  BACKENDS_WITH_HISTORY,
  type Client,
  create,
  remove,
  startTestGateway,
  type TestGateway,
  update,
} from './gateway-fixture.js'

/**
 *   tree       v0 ── v1 ── v2 ── v3                 line   0   1   2   3   4   5   6   7   8
 *                     └─── v4 ── v5                 head  v0  v1  v2  v3  v1  v4  v5  v3  v1
 */
async function grow(gateway: Client): Promise<string[]> {
  const times: string[] = []
  const took = async () => {
    times.push((await gateway.data('{ transitions(last: 1) { nodes { createdAt } } }')).transitions.nodes[0].createdAt)
    await sleep(5)
  }
  const write = async (operations: object[], message: string, author: string) => {
    await gateway.applyChangeset({ operations, message }, { 'X-Cadastre-Author': author })
    await took()
  }
  await sleep(5)
  await write([create('a:x', 1), create('a:y', 1)], 'first', 'ann')
  await write([update('a:x', 2), create('a:z', 1)], 'second', 'bob')
  await write([remove('a:y'), create('b:w', 1)], 'third', 'Ann Ünïcode')
  await gateway.applyVersion({ version: 1, message: 'back' }, { 'X-Cadastre-Author': 'cy' })
  await took()
  await write([update('a:x', 3)], 'fourth', 'ann')
  await write([create('c:v', 1)], 'fifth', 'ann')
  await gateway.moveTo(3)
  await took()
  await gateway.moveTo(1)
  await took()
  return times
}

/** The entries by id at each revision. */
const STATES: Readonly<Record<string, unknown>>[] = [
  {},
  { 'a:x': 1, 'a:y': 1 },
  { 'a:x': 2, 'a:y': 1, 'a:z': 1 },
  { 'a:x': 2, 'a:z': 1, 'b:w': 1 },
  { 'a:x': 1, 'a:y': 1 },
  { 'a:x': 3, 'a:y': 1 },
  { 'a:x': 3, 'a:y': 1, 'c:v': 1 },
  { 'a:x': 2, 'a:z': 1, 'b:w': 1 },
  { 'a:x': 1, 'a:y': 1 },
]
const HEADS = [0, 1, 2, 3, 1, 4, 5, 3, 1]

describe.each(BACKENDS_WITH_HISTORY)('versions and revisions, over %s', (backend) => {
  let gateway: TestGateway
  let times: string[]
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    times = await grow(gateway)
  })
  afterAll(() => gateway.close())

  const stateAt = async (at: object | null) => {
    const { snapshot } = await gateway.data(
      'query ($at: At) { snapshot(at: $at) { revision version { number } entryCount entries { revision totalCount nodes { id entryId data } } } }',
      { at },
    )
    expect(snapshot.entries.revision).toBe(snapshot.revision)
    expect(snapshot.entries.totalCount).toBe(snapshot.entryCount)
    expect(snapshot.entries.nodes).toHaveLength(snapshot.entryCount)
    return {
      revision: snapshot.revision,
      version: snapshot.version.number,
      state: Object.fromEntries(snapshot.entries.nodes.map((each: any) => [each.entryId, each.data])),
    }
  }

  describe('the tree of versions', () => {
    it('has numbers that grow by one, retains all branches, and links parents and children', async () => {
      const { versions } = await gateway.data(
        '{ versions { totalCount nodes { id number previous { number } children { number } isHead author message createdAt digest changeset { created updated deleted } } } }',
      )
      expect(versions.totalCount).toBe(6)
      expect(
        versions.nodes.map(({ number, previous, children, isHead, author, message }: any) => [
          number,
          previous?.number ?? null,
          children.map(({ number }: any) => number),
          isHead,
          author,
          message,
        ]),
      ).toEqual([
        [0, null, [1], false, null, null],
        [1, 0, [2, 4], true, 'ann', 'first'],
        [2, 1, [3], false, 'bob', 'second'],
        [3, 2, [], false, 'Ann Ünïcode', 'third'],
        [4, 1, [5], false, 'ann', 'fourth'],
        [5, 4, [], false, 'ann', 'fifth'],
      ])
      expect(versions.nodes.map(({ id }: any) => id)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'])
      expect(
        versions.nodes.map(({ changeset: { created, updated, deleted } }: any) => [created, updated, deleted]),
      ).toEqual([
        [0, 0, 0],
        [2, 0, 0],
        [1, 1, 0],
        [1, 0, 1],
        [0, 1, 0],
        [1, 0, 0],
      ])
      expect(new Set(versions.nodes.map(({ digest }: any) => digest)).size).toBe(6)
      for (const { digest, createdAt } of versions.nodes) {
        expect(digest).toMatch(/^[0-9a-f]{64}$/)
        expect(createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      }
    })

    it('returns null for an unknown version, and VERSION_NOT_FOUND if a state is named by it', async () => {
      for (const number of [6, -1, Number.MAX_SAFE_INTEGER]) {
        expect(
          (await gateway.data('query ($n: SafeInt!) { version(number: $n) { id } }', { n: number })).version,
        ).toBeNull()
        expect(
          await gateway.code('query ($n: SafeInt!) { snapshot(at: {version: $n}) { revision } }', { n: number }),
        ).toBe('VERSION_NOT_FOUND')
        expect(await gateway.code('query ($n: SafeInt!) { path(from: 0, to: $n) { direction } }', { n: number })).toBe(
          'VERSION_NOT_FOUND',
        )
        expect(await gateway.code('query ($n: SafeInt!) { path(from: $n, to: $n) { direction } }', { n: number })).toBe(
          'VERSION_NOT_FOUND',
        )
        expect(
          await gateway.code('query ($n: SafeInt!) { delta(from: {version: $n}, to: {version: 0}) { created } }', {
            n: number,
          }),
        ).toBe('VERSION_NOT_FOUND')
        expect(
          await gateway.code('query ($n: SafeInt!) { snapshot(at: {revision: $n}) { revision } }', {
            n: number === 6 ? 9 : number,
          }),
        ).toBe('REVISION_NOT_FOUND')
        const { problems } = await gateway.applyVersion({ version: number })
        expect(problems).toMatchObject([{ code: 'VERSION_NOT_FOUND', operation: null }])
      }
      for (const at of ['{}', '{version: 1, revision: 1}', '{version: null}', '{version: 1, time: null}']) {
        expect(await gateway.code(`{ snapshot(at: ${at}) { revision } }`), at).toBe('GRAPHQL_VALIDATION_FAILED')
      }
      expect(
        await gateway.code('query ($at: At) { snapshot(at: $at) { revision } }', { at: { version: 1, revision: 1 } }),
      ).toBe('BAD_USER_INPUT')
      expect(await gateway.code('query ($at: At) { snapshot(at: $at) { revision } }', { at: { version: 1.5 } })).toBe(
        'BAD_USER_INPUT',
      )
    })

    it('lists the operations of a changeset with the previous content, and the versions that wrote it', async () => {
      const { version } = await gateway.data(
        '{ version(number: 3) { changeset { operations { totalCount nodes { kind entryId entry { id revision version { number } data } original { id revision version { number } data } } } } } }',
      )
      expect(version.changeset.operations).toEqual({
        totalCount: 2,
        nodes: [
          {
            kind: 'DELETE',
            entryId: 'a:y',
            entry: null,
            original: { id: 'r1/a:y', revision: 1, version: { number: 1 }, data: 1 },
          },
          {
            kind: 'CREATE',
            entryId: 'b:w',
            entry: { id: 'r3/b:w', revision: 3, version: { number: 3 }, data: 1 },
            original: null,
          },
        ],
      })
    })

    it('gives the shortest path: back to the common ancestor, then forward', async () => {
      const path = async (from: number, to: number) =>
        (
          await gateway.data(
            'query ($from: SafeInt!, $to: SafeInt!) { path(from: $from, to: $to) { direction version { number } } }',
            { from, to },
          )
        ).path
          .map(({ direction, version }: any) => `${direction === 'FORWARD' ? '+' : '-'}${version.number}`)
          .join(' ')
      expect(await path(0, 3)).toBe('+1 +2 +3')
      expect(await path(3, 1)).toBe('-3 -2')
      expect(await path(3, 5)).toBe('-3 -2 +4 +5')
      expect(await path(5, 3)).toBe('-5 -4 +2 +3')
      expect(await path(2, 2)).toBe('')
      expect(await path(0, 0)).toBe('')
      expect(await path(5, 0)).toBe('-5 -4 -1')
    })
  })

  describe('the sequence of revisions', () => {
    it.each(STATES.map((state, revision) => [revision, state] as const))(
      'can be read at revision %i',
      async (revision, state) => {
        expect(await stateAt({ revision })).toEqual({ revision, version: HEADS[revision], state })
      },
    )

    it('shows the snapshot of a version at the first revision at which it was the head', async () => {
      const first = [0, 1, 2, 3, 5, 6]
      for (const [version, revision] of first.entries()) {
        expect(await stateAt({ version })).toEqual({ revision, version, state: STATES[revision] })
        const { version: found } = await gateway.data(
          'query ($n: SafeInt!) { version(number: $n) { snapshot { revision version { number } namespaces { name entryCount } } } }',
          { n: version },
        )
        expect(found.snapshot).toMatchObject({ revision, version: { number: version } })
        expect(found.snapshot.namespaces.reduce((sum: number, { entryCount }: any) => sum + entryCount, 0)).toBe(
          Object.keys(STATES[revision]!).length,
        )
      }
      expect((await stateAt(null)).revision).toBe(8)
    })

    it('resolves a time to the last revision up to it: 0 before the first, the head in the future', async () => {
      for (const [index, time] of times.entries()) {
        expect((await stateAt({ time })).revision).toBe(index + 1)
        expect((await stateAt({ time: new Date(Date.parse(time) + 1).toISOString() })).revision).toBe(index + 1)
        expect((await stateAt({ time: new Date(Date.parse(time) - 1).toISOString() })).revision).toBe(index)
      }
      const withOffset = new Date(Date.parse(times[2]!) + 2 * 3_600_000).toISOString().replace('Z', '+02:00')
      expect((await stateAt({ time: withOffset })).revision).toBe(3)
      for (const time of ['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z', '2020-06-01T00:00:00.123456789Z'])
        expect((await stateAt({ time })).revision).toBe(0)
      for (const time of ['9999-12-31T23:59:59Z', '2999-01-01T00:00:00-12:00'])
        expect((await stateAt({ time })).revision).toBe(8)
      for (const time of [
        'yesterday',
        '2026-13-01T00:00:00Z',
        '2026-02-30T00:00:00Z',
        '2026-01-01',
        '',
        '2026-01-01T00:00:00',
        5,
      ]) {
        expect(await gateway.code('query ($at: At) { snapshot(at: $at) { revision } }', { at: { time } })).toBe(
          'BAD_USER_INPUT',
        )
      }
    })

    it('lists every movement of the head as a transition, without gaps', async () => {
      const { transitions } = await gateway.data(
        '{ transitions { totalCount nodes { revision kind from { number } to { number } author message createdAt changes { totalCount nodes { kind entryId entry { id revision version { number } data } previous { id revision version { number } data } } } } } }',
      )
      expect(transitions.totalCount).toBe(8)
      expect(
        transitions.nodes.map(({ revision, kind, from, to }: any) => [revision, kind, from.number, to.number]),
      ).toEqual(
        HEADS.slice(1).map((head, i) => [i + 1, [3, 6, 7].includes(i) ? 'VERSION' : 'CHANGESET', HEADS[i], head]),
      )
      expect(transitions.nodes.map(({ createdAt }: any) => createdAt)).toEqual(times)
      expect(transitions.nodes[3]).toMatchObject({
        author: 'cy',
        message: 'back',
        changes: {
          totalCount: 4,
          nodes: [
            { kind: 'DELETE', entryId: 'a:z', entry: null, previous: { id: 'r2/a:z' } },
            { kind: 'DELETE', entryId: 'b:w', entry: null, previous: { id: 'r3/b:w' } },
            {
              kind: 'UPDATE',
              entryId: 'a:x',
              entry: { id: 'r4/a:x', revision: 4, version: { number: 1 }, data: 1 },
              previous: { id: 'r2/a:x', revision: 2, version: { number: 2 }, data: 2 },
            },
            {
              kind: 'CREATE',
              entryId: 'a:y',
              entry: { id: 'r4/a:y', revision: 4, version: { number: 1 } },
              previous: null,
            },
          ],
        },
      })
    })
  })

  describe('an entry', () => {
    it('has the revision that gave it its content, and the version that wrote that content', async () => {
      const { entry } = await gateway.data('{ entry(id: "a:x") { revision version { number } data } }')
      expect(entry).toEqual({ revision: 8, version: { number: 1 }, data: 1 })
      const { snapshot } = await gateway.data(
        '{ snapshot(at: {revision: 6}) { entry(id: "a:y") { id revision version { number } entry { id revision } } gone: entry(id: "b:w") { id } } }',
      )
      // It did not exist at revision 7. The rollback of revision 8 restored it.
      expect(snapshot).toEqual({
        entry: { id: 'r4/a:y', revision: 4, version: { number: 1 }, entry: { id: 'a:y', revision: 8 } },
        gone: null,
      })
    })

    it('has a history, newest first, in pages from both ends', async () => {
      const { entry } = await gateway.data(
        '{ entry(id: "a:x") { history { totalCount revision nodes { id data version { number } } } } }',
      )
      const ids = ['r8/a:x', 'r7/a:x', 'r5/a:x', 'r4/a:x', 'r2/a:x', 'r1/a:x']
      expect(entry.history).toMatchObject({ totalCount: 6, revision: 8 })
      expect(entry.history.nodes.map(({ id }: any) => id)).toEqual(ids)
      expect(entry.history.nodes.map(({ data, version }: any) => [data, version.number])).toEqual([
        [1, 1],
        [2, 2],
        [3, 4],
        [1, 1],
        [2, 2],
        [1, 1],
      ])
      const page = async (args: string, variables: object = {}) =>
        (
          await gateway.data(
            `query ($a: String, $b: String) { entry(id: "a:x") { history(${args}, after: $a, before: $b) { nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }`,
            { ...variables },
          )
        ).entry.history
      const first = await page('first: 2')
      expect(first).toMatchObject({
        nodes: [{ id: ids[0] }, { id: ids[1] }],
        pageInfo: { hasNextPage: true, hasPreviousPage: false },
      })
      expect((await page('first: 2', { a: first.pageInfo.endCursor })).nodes.map(({ id }: any) => id)).toEqual(
        ids.slice(2, 4),
      )
      const last = await page('last: 2')
      expect(last).toMatchObject({
        nodes: [{ id: ids[4] }, { id: ids[5] }],
        pageInfo: { hasNextPage: false, hasPreviousPage: true },
      })
      expect((await page('last: 2', { b: last.pageInfo.startCursor })).nodes.map(({ id }: any) => id)).toEqual(
        ids.slice(2, 4),
      )
    })

    it('can be read at old revisions after its deletion, and not at the head', async () => {
      const { node } = await gateway.data(
        '{ node(id: "r3/b:w") { __typename ... on EntryRevision { id data entry { id } } } }',
      )
      expect(node).toEqual({ __typename: 'EntryRevision', id: 'r3/b:w', data: 1, entry: null })
    })
  })

  it('finds entries, entry revisions and versions as nodes, and nothing else', async () => {
    const ids = [
      'a:x',
      'r1/a:x',
      'r2/a:x',
      'v1',
      'v0',
      'r3/a:x',
      'r6/a:x',
      'r0/a:x',
      'r9/a:x',
      'r3/a:y',
      'r1/no:thing',
      'b:w',
      'v6',
      'v-1',
      'v01',
      'r01/a:x',
      'v',
      'r/a:x',
      'r1/',
      'r1',
      'x',
      '',
      'no:thing',
      'v99999999999999999999',
      'r99999999999999999999/a:x',
      'r1/a:x/b',
      'V1',
      'v1 ',
    ]
    const { nodes } = await gateway.data(
      'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on EntryRevision { entryId revision data } ... on Version { number } ... on Entry { data } } }',
      { ids },
    )
    expect(nodes.slice(0, 5)).toEqual([
      { __typename: 'Entry', id: 'a:x', data: 1 },
      { __typename: 'EntryRevision', id: 'r1/a:x', entryId: 'a:x', revision: 1, data: 1 },
      { __typename: 'EntryRevision', id: 'r2/a:x', entryId: 'a:x', revision: 2, data: 2 },
      { __typename: 'Version', id: 'v1', number: 1 },
      { __typename: 'Version', id: 'v0', number: 0 },
    ])
    expect(nodes.slice(5)).toEqual(ids.slice(5).map(() => null))
  })

  describe('a delta', () => {
    const delta = async (from: object, to: object) =>
      (
        await gateway.data(
          'query ($from: At!, $to: At!) { delta(from: $from, to: $to) { created updated deleted operations { kind entryId entry { entryId kind data } original { data } } } }',
          { from, to },
        )
      ).delta

    it('leads from each state to every other', async () => {
      for (const [from, before] of STATES.entries()) {
        for (const [to, after] of STATES.entries()) {
          const found = await delta({ revision: from }, { revision: to })
          const state: Record<string, unknown> = { ...before }
          for (const { kind, entryId, entry, original } of found.operations) {
            expect(original?.data ?? null).toBe(state[entryId] ?? null)
            if (kind === 'DELETE') delete state[entryId]
            else state[entryId] = entry.data
          }
          expect(state).toEqual(after)
          const ids = new Set([...Object.keys(before), ...Object.keys(after)])
          expect(found.operations).toHaveLength([...ids].filter((id) => before[id] !== after[id]).length)
          expect([found.created, found.updated, found.deleted]).toEqual(
            ['CREATE', 'UPDATE', 'DELETE'].map(
              (kind) => found.operations.filter((each: any) => each.kind === kind).length,
            ),
          )
        }
      }
    })

    it('accepts versions, revisions and times', async () => {
      expect(await delta({ version: 1 }, { time: times[1] })).toEqual(await delta({ revision: 1 }, { version: 2 }))
      expect(
        (await delta({ version: 1 }, { version: 2 })).operations.map(({ kind, entryId }: any) => `${kind} ${entryId}`),
      ).toEqual(['UPDATE a:x', 'CREATE a:z'])
      expect(await gateway.code('{ delta(from: {revision: 0}, to: {revision: 99}) { created } }')).toBe(
        'REVISION_NOT_FOUND',
      )
    })
  })
})

describe.each(BACKENDS_WITH_HISTORY)('moving the head, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
  })
  afterAll(() => gateway.close())

  const head = async () => {
    const { currentVersion, snapshot, entries } = await gateway.data(
      '{ currentVersion { number } snapshot { revision } entries { revision nodes { id } } }',
    )
    expect(entries.revision).toBe(snapshot.revision)
    return [currentVersion.number, snapshot.revision, entries.nodes.map(({ id }: any) => id).join(' ')]
  }

  it('begins empty at v0 and revision 0', async () => {
    expect(await head()).toEqual([0, 0, ''])
    const { versions, transitions, version, namespaces, path } = await gateway.data(
      '{ versions { nodes { number isHead } } transitions { totalCount nodes { revision } } version(number: 0) { previous { id } children { id } changeset { operations { nodes { kind } totalCount } } snapshot { revision entryCount } digest } namespaces { name } path(from: 0, to: 0) { direction } }',
    )
    expect({ versions, transitions, version, namespaces, path }).toEqual({
      versions: { nodes: [{ number: 0, isHead: true }] },
      transitions: { totalCount: 0, nodes: [] },
      namespaces: [],
      path: [],
      version: {
        previous: null,
        children: [],
        changeset: { operations: { nodes: [], totalCount: 0 } },
        snapshot: { revision: 0, entryCount: 0 },
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    })
    // It is already the head: this succeeds and takes no revision.
    expect(await gateway.applyVersion({ version: 0 })).toMatchObject({
      __typename: 'Applied',
      version: { number: 0 },
      transition: null,
      changes: [],
      dryRun: false,
      replayed: false,
    })
    expect(await head()).toEqual([0, 0, ''])
  })

  it('goes back, forward and across branches, each one transition', async () => {
    await gateway.apply(create('p:a'), create('p:b', null, { depends_on: ['p:a'] }))
    await gateway.apply(create('p:c'))
    expect(await gateway.moveTo(0)).toBe(3)
    expect(await head()).toEqual([0, 3, ''])
    expect(await gateway.moveTo(2)).toBe(4)
    expect(await head()).toEqual([2, 4, 'p:a p:b p:c'])
    await gateway.moveTo(1)
    const branch = await gateway.applyChangeset({ operations: [create('q:d')] })
    expect(branch.version.number).toBe(3)
    expect(branch.transition).toMatchObject({ revision: 6, from: { number: 1 }, to: { number: 3 } })
    const across = await gateway.applyVersion({ version: 2, message: 'across' })
    expect(across).toMatchObject({
      version: { number: 2, message: null },
      transition: { revision: 7, kind: 'VERSION', from: { number: 3 }, to: { number: 2 } },
      changes: [
        { kind: 'DELETE', entryId: 'q:d' },
        { kind: 'CREATE', entryId: 'p:c', entry: { revision: 7, version: { number: 2 } } },
      ],
      delta: { created: 1, updated: 0, deleted: 1 },
    })
    // The move did not change it, so it has the revision that gave it its content.
    expect((await gateway.data('{ entry(id: "p:a") { revision version { number } } }')).entry).toEqual({
      revision: 4,
      version: { number: 1 },
    })
  })

  it('deletes dependents first and creates dependencies first', async () => {
    const down = await gateway.applyVersion({ version: 0 })
    expect(down.changes.map(({ entryId }: any) => entryId)).toEqual(['p:b', 'p:a', 'p:c'])
    const up = await gateway.applyVersion({ version: 1 })
    expect(up.changes.map(({ entryId }: any) => entryId)).toEqual(['p:a', 'p:b'])
  })

  it('succeeds without a change for the head itself, if the expected head is right', async () => {
    const before = await head()
    expect(await gateway.applyVersion({ version: 1, expectedHead: 1 })).toMatchObject({
      __typename: 'Applied',
      version: { number: 1 },
      transition: null,
      changes: [],
      delta: { operations: [] },
    })
    expect(await gateway.applyVersion({ version: 1, expectedHead: 2 })).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'HEAD_MOVED', operation: null, entryId: null }],
    })
    expect(await head()).toEqual(before)
  })

  it('reports all problems together, and changes nothing in a dry run', async () => {
    const { problems } = await gateway.applyVersion({ version: 77, expectedHead: 2 })
    expect(problems.map(({ code }: any) => code).sort()).toEqual(['HEAD_MOVED', 'VERSION_NOT_FOUND'])
    const before = await head()
    const dry = await gateway.applyVersion({ version: 2, dryRun: true })
    expect(dry).toMatchObject({
      __typename: 'Applied',
      dryRun: true,
      transition: null,
      changes: [],
      version: { number: 1 },
      delta: { created: 1, operations: [{ kind: 'CREATE', entryId: 'p:c' }] },
    })
    expect(await gateway.applyVersion({ version: 1, dryRun: true })).toMatchObject({
      dryRun: true,
      transition: null,
      delta: { operations: [] },
    })
    expect(await head()).toEqual(before)
  })

  it('takes a revision without changes between versions of equal states', async () => {
    await gateway.moveTo(1)
    await gateway.apply(create('same:x', 1))
    const one = (await head())[0]
    await gateway.moveTo(1)
    await gateway.apply(create('same:x', 1.0))
    const two = (await head())[0]
    expect(two).not.toBe(one)
    const moved = await gateway.applyVersion({ version: one })
    expect(moved).toMatchObject({
      __typename: 'Applied',
      version: { number: one },
      changes: [],
      delta: { operations: [] },
    })
    expect(moved.transition).toMatchObject({ kind: 'VERSION', from: { number: two }, to: { number: one } })
    const digests = await gateway.data(
      'query ($a: SafeInt!, $b: SafeInt!) { a: version(number: $a) { digest } b: version(number: $b) { digest } }',
      { a: one, b: two },
    )
    expect(digests.a.digest).not.toBe(digests.b.digest)
  })

  it('preserves key order and kind of an entry through replacement and rollback', async () => {
    const base = (await head())[0]
    await gateway.apply(create('kind:x', { b: 1, a: 2 }, { z: 1, y: 2 }, 'one'))
    const first = (await head())[0]
    await gateway.apply(remove('kind:x'), create('kind:x', { other: 1 }, {}, 'two'))
    const rolled = await gateway.applyVersion({ version: first })
    expect(
      rolled.changes.map(({ kind, entryId, entry, previous }: any) => [
        kind,
        entryId,
        entry?.data ?? null,
        previous?.data ?? null,
      ]),
    ).toEqual([
      ['DELETE', 'kind:x', null, { other: 1 }],
      ['CREATE', 'kind:x', { b: 1, a: 2 }, null],
    ])
    const { entry } = await gateway.data('{ entry(id: "kind:x") { kind meta data version { number } } }')
    expect(JSON.stringify(entry)).toBe(
      `{"kind":"one","meta":{"z":1,"y":2},"data":{"b":1,"a":2},"version":{"number":${first}}}`,
    )
    await gateway.moveTo(base)
  })

  it('gives concurrent writes consecutive numbers and times that never decrease, and resolves a time to its last revision', async () => {
    const { revision } = (await gateway.data('{ snapshot { revision } }')).snapshot
    const results = await Promise.all(
      Array.from({ length: 60 }, (_, i) => gateway.applyChangeset({ operations: [create(`burst:e${i}`, i)] })),
    )
    const numbers = (pick: (result: any) => number) => results.map(pick).sort((a, b) => a - b)
    expect(numbers(({ transition }) => transition.revision)).toEqual(
      Array.from({ length: 60 }, (_, i) => revision + 1 + i),
    )
    const versions = numbers(({ version }) => version.number)
    expect(versions).toEqual(Array.from({ length: 60 }, (_, i) => versions[0]! + i))
    const { transitions } = await gateway.data('{ transitions(last: 60) { nodes { revision createdAt } } }')
    const times = transitions.nodes.map(({ createdAt }: any) => createdAt as string)
    expect(times).toEqual([...times].sort())
    for (const time of new Set<string>(times)) {
      const last = transitions.nodes.findLast(({ createdAt }: any) => createdAt === time)!.revision
      const { snapshot } = await gateway.data('query ($time: DateTime!) { snapshot(at: {time: $time}) { revision } }', {
        time,
      })
      expect(snapshot.revision).toBe(last)
    }
  })

  it('lets exactly one of many concurrent writes with the same fence win', async () => {
    const revision = await gateway.apply(create('fence:x', 0))
    const { version } = await head().then(([version]) => ({ version }))
    const fences = [{ base: revision }, { expectedHead: version }]
    const sent = Array.from({ length: 24 }, (_, i) =>
      gateway.applyChangeset({ operations: [update('fence:x', i)], ...fences[i % 2] }),
    )
    const fenced = Array.from({ length: 12 }, (_, i) =>
      gateway.applyChangeset({
        operations: [{ update: { id: 'fence:x', kind: 'test.thing', data: i, ifRevision: revision } }],
      }),
    )
    const results = await Promise.all([...sent, ...fenced])
    expect(results.filter(({ __typename }) => __typename === 'Applied')).toHaveLength(1)
    expect(
      results
        .flatMap(({ problems = [] }) => problems)
        .every(({ code }: any) => ['CONFLICT', 'HEAD_MOVED'].includes(code)),
    ).toBe(true)
  })

  it('shows the same history at another gateway and after a restart', async () => {
    if (backend === 'memory') return
    const other = await gateway.another()
    const query =
      '{ versions { nodes { number digest author createdAt isHead } } transitions { nodes { revision kind changes { nodes { kind entryId } } } } snapshot { revision entries { nodes { id digest } } } }'
    expect(await other.data(query)).toEqual(await gateway.data(query))
    await other.close()
  })
})

describe('a registry without history', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway('none')
  })
  afterAll(() => gateway.close())

  it('refuses old states and rollbacks, and serves the head', async () => {
    await gateway.apply(create('a:x', 1))
    await gateway.apply(update('a:x', 2))
    const { snapshot, entry, entries } = await gateway.data(
      '{ snapshot { revision version { number } entryCount entry(id: "a:x") { data } } entry(id: "a:x") { data revision version { number } } entries { nodes { id } } }',
    )
    expect({ snapshot, entry, entries }).toEqual({
      snapshot: { revision: 2, version: { number: 2 }, entryCount: 1, entry: { data: 2 } },
      entry: { data: 2, revision: 2, version: { number: 2 } },
      entries: { nodes: [{ id: 'a:x' }] },
    })
    expect((await gateway.data('{ snapshot(at: {revision: 2}) { revision } }')).snapshot).toEqual({ revision: 2 })
    for (const at of ['{revision: 1}', '{version: 1}', '{revision: 0}', '{time: "2020-01-01T00:00:00Z"}']) {
      expect(await gateway.code(`{ snapshot(at: ${at}) { revision } }`), at).toBe('HISTORY_NOT_KEPT')
    }
    for (const document of [
      'mutation { applyVersion(input: {version: 1}) { __typename } }',
      'mutation { applyVersion(input: {version: 1, dryRun: true, expectedHead: 7, idempotencyKey: "k"}) { __typename } }',
      'mutation { applyVersion(input: {version: 0}) { __typename } }',
      'mutation { revertVersion(input: {version: 1}) { __typename } }',
      'mutation { revertVersion(input: {version: 2}) { __typename } }',
      'mutation { setTag(input: {name: "t", version: 1}) { name } }',
      'mutation { compact(before: 1) { oldestRevision } }',
      '{ delta(from: {version: 1}, to: {version: 2}) { created } }',
      '{ delta(from: {revision: 0}, to: {revision: 2}) { created } }',
      '{ delta(from: {revision: 2}, to: {time: "2020-01-01T00:00:00Z"}) { created } }',
      '{ version(number: 1) { snapshot { entryCount } } }',
      '{ version(number: 0) { snapshot { revision } } }',
      '{ namespaceHistory(name: "a") { nodes { kind } } }',
      '{ node(id: "s1") { id } }',
      '{ snapshot(at: {revision: 1}) { dependencyGraph(root: "a:x") { truncated } } }',
    ])
      expect(await gateway.code(document), document).toBe('HISTORY_NOT_KEPT')
    for (const version of [9, -1]) {
      for (const document of [
        `{ path(from: ${version}, to: 2) { direction } }`,
        `{ delta(from: {version: ${version}}, to: {version: 2}) { created } }`,
      ])
        expect(await gateway.code(document), document).toBe('VERSION_NOT_FOUND')
      for (const mutation of ['applyVersion', 'revertVersion'])
        expect(
          (
            await gateway.data(
              `mutation { ${mutation}(input: {version: ${version}}) { ... on Refused { problems { code } } } }`,
            )
          )[mutation],
        ).toEqual({ problems: [{ code: 'VERSION_NOT_FOUND' }] })
    }
    expect(await gateway.applyVersion({ version: 2 })).toMatchObject({
      __typename: 'Applied',
      transition: null,
      version: { number: 2 },
    })
    // Reads that need nothing of the past succeed.
    expect(
      await gateway.data(
        '{ delta(from: {version: 2}, to: {revision: 2}) { created } path(from: 0, to: 2) { direction version { number } } currentVersion { changeset { updated } snapshot { entryCount } } }',
      ),
    ).toEqual({
      delta: { created: 0 },
      path: [1, 2].map((number) => ({ direction: 'FORWARD', version: { number } })),
      currentVersion: { changeset: { updated: 1 }, snapshot: { entryCount: 1 } },
    })
  })

  // Regression: the version was looked for before the key, so a retry was an error once the head had moved on.
  it('replays the answer to a key, whatever the head is now', async () => {
    const head = (await gateway.data('{ currentVersion { number } }')).currentVersion.number
    const input = { version: head, idempotencyKey: 'stay' }
    expect(await gateway.applyVersion(input)).toMatchObject({ __typename: 'Applied', replayed: false })
    await gateway.apply(create('a:later'))
    expect(await gateway.applyVersion(input)).toMatchObject({ __typename: 'Applied', replayed: true })
  })
})
