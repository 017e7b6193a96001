import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BACKENDS_WITH_HISTORY, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

const GRAPH = `query ($root: EntryID!, $depth: Int, $direction: DependencyDirection, $at: At) {
  dependencyGraph(root: $root, depth: $depth, direction: $direction, at: $at) {
    revision truncated nodes { depth entry { entryId revision } } edges { source target path reference }
  }
}`
const WARN =
  'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Applied { warnings { code message entryId entryIds } } ... on Refused { message } } }'

describe.each([...BACKENDS_WITH_HISTORY, 'none'] as const)('a dependency graph, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
  })
  afterAll(() => gateway.close())

  let n = 0
  let ns: string
  beforeEach(() => {
    ns = `g${++n}`
  })

  const on = (...to: string[]) => ({ depends_on: to })
  const walk = async (root: string, variables: object = {}) => {
    const { dependencyGraph: graph } = await gateway.data(GRAPH, { root: `${ns}:${root}`, ...variables })
    if (graph === null) return null
    const short = (id: string | null) => id?.replace(`${ns}:`, '') ?? null
    return {
      truncated: graph.truncated as boolean,
      nodes: graph.nodes.map(({ depth, entry }: any) => `${depth} ${short(entry.entryId)}`),
      edges: graph.edges.map(({ source, target }: any) => `${short(source)} -> ${short(target)}`),
    }
  }

  it('is found breadth first, with each entry once, on the shortest path', async () => {
    await gateway.apply(
      create(`${ns}:a`, null, on('b', 'c')),
      create(`${ns}:b`, null, on('d')),
      create(`${ns}:c`, null, on('e', 'b')),
      create(`${ns}:d`, null, on('e')),
      create(`${ns}:e`),
      create(`${ns}:z`, null, on('a')),
    )
    expect(await walk('a')).toEqual({
      truncated: false,
      nodes: ['0 a', '1 b', '1 c', '2 d', '2 e'],
      edges: ['a -> b', 'a -> c', 'b -> d', 'c -> e', 'c -> b', 'd -> e'],
    })
    expect(await walk('e', { direction: 'DEPENDENTS' })).toEqual({
      truncated: false,
      nodes: ['0 e', '1 c', '1 d', '2 a', '2 b', '3 z'],
      edges: ['a -> b', 'a -> c', 'b -> d', 'c -> e', 'c -> b', 'd -> e', 'z -> a'],
    })
    expect((await walk('b', { direction: 'BOTH' }))!.nodes).toEqual(['0 b', '1 a', '1 c', '1 d', '2 e', '2 z'])
  })

  it('ends at the requested depth, includes references between the entries found, and reports truncation', async () => {
    await gateway.apply(
      create(`${ns}:a`, null, on('b', 'c')),
      create(`${ns}:b`, null, on('c')),
      create(`${ns}:c`, null, on('d')),
      create(`${ns}:d`),
    )
    expect(await walk('a', { depth: 0 })).toEqual({ truncated: true, nodes: ['0 a'], edges: [] })
    expect(await walk('a', { depth: 1 })).toEqual({
      truncated: true,
      nodes: ['0 a', '1 b', '1 c'],
      edges: ['a -> b', 'a -> c', 'b -> c'],
    })
    expect(await walk('a', { depth: 2 })).toMatchObject({ truncated: false, nodes: ['0 a', '1 b', '1 c', '2 d'] })
    expect(await walk('d', { depth: 0 })).toEqual({ truncated: false, nodes: ['0 d'], edges: [] })
    for (const depth of [-1, 101]) expect(await gateway.code(GRAPH, { root: `${ns}:a`, depth })).toBe('BAD_USER_INPUT')
  })

  it('includes dangling references, and is null without a root', async () => {
    await gateway.apply(create(`${ns}:a`, null, on('nowhere', `ns:${ns}.none`, 'group:nobody', ':')))
    expect(await walk('a')).toEqual({
      truncated: false,
      nodes: ['0 a'],
      edges: ['a -> null', 'a -> null', 'a -> null', 'a -> null'],
    })
    expect(await walk('a', { direction: 'DEPENDENTS' })).toEqual({ truncated: false, nodes: ['0 a'], edges: [] })
    expect(await walk('nowhere')).toBeNull()
  })

  it('follows references to namespaces and groups, without self-references', async () => {
    await gateway.apply(
      create(`${ns}:a`, null, { ...on(`ns:${ns}`, `group:${ns}`), groups: [ns] }),
      create(`${ns}:b`),
      create(`${ns}.x:c`, null, { groups: [ns] }),
    )
    expect(await walk('a')).toEqual({
      truncated: false,
      nodes: ['0 a', '1 b', `1 ${ns}.x:c`],
      edges: ['a -> b', `a -> ${ns}.x:c`],
    })
    expect(await walk('b', { direction: 'DEPENDENTS' })).toEqual({
      truncated: false,
      nodes: ['0 b', '1 a'],
      edges: ['a -> b'],
    })
  })

  it.each([1, 2, 1_000])('ends on a cycle of %i', async (length) => {
    const name = (i: number) => `n${String(i % length).padStart(4, '0')}`
    await gateway.apply(...Array.from({ length }, (_, i) => create(`${ns}:${name(i)}`, null, on(name(i + 1)))))
    for (const direction of ['DEPENDENCIES', 'DEPENDENTS']) {
      const graph = (await walk(name(0), { direction }))!
      expect(graph.nodes).toHaveLength(Math.min(length, 101))
      expect(graph.edges).toHaveLength(Math.min(length, 100))
      expect(graph.truncated).toBe(length > 101)
    }
    expect((await walk(name(0), { direction: 'BOTH' }))!.nodes).toHaveLength(Math.min(length, 201))
  })

  it('ends at 10,000 entries and reports truncation', async () => {
    const many = Array.from({ length: 10_050 }, (_, i) =>
      create(`${ns}.many:${String(i).padStart(5, '0')}`, null, on(`${ns}:hub`)),
    )
    await gateway.apply(create(`${ns}:hub`, null, on(`ns:${ns}.many`)), ...many)
    for (const direction of ['DEPENDENCIES', 'DEPENDENTS']) {
      const graph = (await walk('hub', { direction }))!
      expect(graph.nodes).toHaveLength(10_000)
      expect(graph.nodes.at(-1)).toBe(`1 ${ns}.many:09998`)
      expect(graph.truncated).toBe(true)
    }
  }, 300_000)

  if (backend !== 'none') {
    it('shows the requested state in both directions, whatever has changed since', async () => {
      const then = await gateway.apply(
        create(`${ns}:a`, null, on('b')),
        create(`${ns}:b`, null, { groups: [ns] }),
        create(`${ns}:c`, null, on('b')),
        create(`${ns}:d`, null, on('b')),
        create(`${ns}:e`, null, on('b')),
        create(`${ns}:f`, null, on(`group:${ns}`)),
      )
      const before = {
        deps: await walk('a', { at: { revision: then } }),
        dependents: await walk('b', { at: { revision: then }, direction: 'DEPENDENTS' }),
      }
      expect(before.dependents!.nodes).toEqual(['0 b', '1 a', '1 c', '1 d', '1 e', '1 f'])
      await gateway.apply(
        update(`${ns}:a`, null, on('c')),
        remove(`${ns}:c`),
        create(`${ns}:late`, null, on('b')),
        remove(`${ns}:d`),
        create(`${ns}:d`, null, on('a'), 'other'),
        update(`${ns}:b`),
        update(`${ns}:f`),
      )
      expect(await walk('a', { at: { revision: then } })).toEqual(before.deps)
      expect(await walk('b', { at: { revision: then }, direction: 'DEPENDENTS' })).toEqual(before.dependents)
      expect((await walk('b', { direction: 'DEPENDENTS' }))!.nodes).toEqual(['0 b', '1 e', '1 late'])
      const { snapshot } = await gateway.data(
        'query ($root: EntryID!, $at: At) { snapshot(at: $at) { dependencyGraph(root: $root, direction: DEPENDENTS) { nodes { entry { name } } } } }',
        { root: `${ns}:b`, at: { revision: then } },
      )
      expect(snapshot.dependencyGraph.nodes.map(({ entry }: any) => entry.name)).toEqual(['b', 'a', 'c', 'd', 'e', 'f'])
    })
  }

  describe('warnings', () => {
    const warnings = async (operations: object[], dryRun: boolean) => {
      const { applyChangeset: result } = await gateway.data(WARN, { input: { operations, dryRun } })
      if (result.__typename !== 'Applied') throw new Error(result.message)
      return result.warnings
    }
    /** Expects the same warnings from a dry run and from the write. */
    const both = async (...operations: object[]) => {
      const dry = await warnings(operations, true)
      expect(await warnings(operations, false)).toEqual(dry)
      return dry.map(({ code, entryId, entryIds }: any) =>
        [code, entryId, ...entryIds]
          .filter((each) => each !== null)
          .map((each: string) => each.replace(`${ns}:`, ''))
          .join(' '),
      )
    }

    it('are empty for an ordinary changeset', async () => {
      expect(await both(create(`${ns}:a`, null, on('b')), create(`${ns}:b`))).toEqual([])
    })

    it.each([1, 2, 1_000])('report a cycle of %i', async (length) => {
      const name = (i: number) => `n${String(i % length).padStart(4, '0')}`
      const found = await both(...Array.from({ length }, (_, i) => create(`${ns}:${name(i)}`, null, on(name(i + 1)))))
      expect(found).toEqual([['DEPENDENCY_CYCLE', ...Array.from({ length }, (_, i) => name(i))].join(' ')])
    })

    it('report dependents that a delete leaves dangling, unless the changeset deletes or changes them too', async () => {
      await gateway.apply(
        create(`${ns}:a`),
        create(`${ns}:b`),
        ...['k1', 'k2', 'gone', 'turned'].map((name) => create(`${ns}:${name}`, null, on('a', 'a'))),
        create(`${ns}:k3`, null, on('b')),
        create(`${ns}:turns`),
      )
      expect(
        await both(
          remove(`${ns}:a`),
          remove(`${ns}:b`),
          create(`${ns}:b`, null, null, 'other'),
          remove(`${ns}:gone`),
          update(`${ns}:turned`, null, on('b')),
          update(`${ns}:turns`, null, on('a')),
        ),
      ).toEqual(['DANGLING_DEPENDENTS a k1 k2 turns'])
    })

    it('report dependents of a namespace or group once its last entry is deleted', async () => {
      const [left, group] = [`${ns}.left`, `${ns}.team`]
      await gateway.apply(
        create(`${left}:a`),
        create(`${left}:b`, null, { groups: [group] }),
        create(`${ns}:c`, null, { groups: [group] }),
        create(`${ns}:k1`, null, on(`ns:${left}`)),
        create(`${ns}:k2`, null, on(`group:${group}`)),
      )
      expect(await both(remove(`${left}:a`), remove(`${ns}:c`))).toEqual([])
      expect(await both(remove(`${left}:b`))).toEqual(['DANGLING_DEPENDENTS k2', 'DANGLING_DEPENDENTS k1'])
    })

    it('list at most a hundred, and how many more there are', async () => {
      const names = Array.from({ length: 150 }, (_, i) => `n${String(i).padStart(3, '0')}`)
      await gateway.apply(...names.map((name) => create(`${ns}:${name}`)), create(`${ns}:all`, null, on(...names)))
      const found = await warnings(
        names.map((name) => remove(`${ns}:${name}`)),
        true,
      )
      expect(found).toHaveLength(100)
      expect(found.at(-1)).toMatchObject({
        code: 'MORE_WARNINGS',
        entryIds: [],
        message: expect.stringContaining('51'),
      })
    })
  })
})
