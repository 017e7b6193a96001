import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FINDER_CASES, FINDER_ENTRIES, INVALID_FINDS, INVALID_WHERES } from '../store/contract/finder-cases.js'
import { BACKENDS_WITH_HISTORY, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

describe.each([...BACKENDS_WITH_HISTORY, 'none'] as const)('the finder, over %s', (backend) => {
  let gateway: TestGateway
  /** The revision at which exactly the entries of the cases exist. */
  let revision: number
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    const ids = FINDER_ENTRIES.map(({ id }) => id)
    const fill = () => gateway.apply(...FINDER_ENTRIES.map(({ id, kind, meta }) => create(id, null, meta, kind)))
    if (backend === 'none') {
      revision = await fill()
      return
    }
    revision = await fill()
    // The entries change, are deleted and come back. Only the old revision has their original content.
    await gateway.apply(...ids.filter((_, i) => i % 2 === 0).map((id) => remove(id)))
    await gateway.apply(
      ...FINDER_ENTRIES.filter((_, i) => i % 2 === 1).map(({ id, kind }) =>
        update(id, 1, { v: 'other', tags: ['new'], type: 'sql' }, kind),
      ),
    )
    await gateway.apply(create('app:later', 1, { type: 'sql', tags: ['http'], v: 0 }))
    await gateway.moveTo(1)
  })
  afterAll(() => gateway.close())

  const QUERY = `query ($find: JSONObject, $where: EntryFilter, $at: At) {
    head: entries(find: $find, where: $where) { totalCount nodes { id } }
    snapshot(at: $at) { entries(find: $find, where: $where) { totalCount nodes { entryId } } }
  }`

  it.each(FINDER_CASES.map((finderCase) => [finderCase.says, finderCase] as const))(
    '%s',
    async (_, { find, where, expected }) => {
      // The contract does not allow null in `in`.
      const sendable = where?.meta?.some((each) => each.in?.includes(null))
        ? { or: where.meta.flatMap(({ path, in: values }) => values!.map((eq) => ({ meta: [{ path, eq }] }))) }
        : where
      const { data, errors } = await gateway.query(QUERY, { find, where: sendable, at: { revision } })
      expect(errors).toEqual([])
      expect(data.head.nodes.map(({ id }: any) => id)).toEqual(expected)
      expect(data.snapshot.entries.nodes.map(({ entryId }: any) => entryId)).toEqual(expected)
      expect([data.head.totalCount, data.snapshot.entries.totalCount]).toEqual([expected.length, expected.length])
    },
  )

  it.each(INVALID_FINDS.map(({ says, find, key }) => [says, find, key] as const))(
    'refuses %s and names the key',
    async (_, find, key) => {
      const { errors } = await gateway.query(QUERY, { find, at: { revision } })
      for (const error of errors) {
        expect(error.extensions['code']).toBe('INVALID_CRITERIA')
        expect(error.message).toContain(`"${key}"`)
      }
      expect(errors.length).toBeGreaterThan(0)
    },
  )

  it.each(
    INVALID_WHERES.filter(({ where }) => JSON.stringify(where) !== undefined).map(
      ({ says, where, key }) => [says, where, key] as const,
    ),
  )('refuses %s', async (_, where, key) => {
    const { errors } = await gateway.query(QUERY, { where, at: { revision } })
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) {
      // An error of GraphQL's own types does not name the key.
      expect(['INVALID_CRITERIA', 'BAD_USER_INPUT']).toContain(error.extensions['code'])
      if (error.extensions['code'] === 'INVALID_CRITERIA') expect(error.message).toContain(key)
    }
  })

  it('accepts find as a literal as far as GraphQL syntax allows, and combines it with where', async () => {
    const { a, b } = await gateway.data(
      '{ a: entries(find: {type: "sql", tags: ["store"]}) { nodes { id } } b: entries(where: {not: {meta: [{path: "type", exists: false}]}, kind: {glob: "db*"}}) { nodes { id } } }',
    )
    expect(a.nodes).toEqual([{ id: 'app:db' }])
    expect(b.nodes).toEqual([{ id: 'app:Db' }, { id: 'app:db' }])
  })

  it('treats null criteria as none', async () => {
    const { head } = await gateway.data(QUERY, { find: null, where: null, at: { revision } })
    expect(head.totalCount).toBe(FINDER_ENTRIES.length)
  })

  // A backtracking engine would take years.
  it('answers regular expressions that make other engines backtrack', async () => {
    const found = await gateway.query(QUERY, {
      find: { '~v': '(a+)+$', '~note': '(.*)*x(.*)*(.*)*y', '~.id': '(\\w|\\d|.)*(\\w|\\d|.)*z$' },
      at: { revision },
    })
    expect(found.errors.every(({ extensions }) => ['INVALID_CRITERIA', 'TIMEOUT'].includes(extensions['code']))).toBe(
      true,
    )
  })

  it('reads a namespace by name', async () => {
    const { snapshot } = await gateway.data(
      'query ($at: At) { snapshot(at: $at) { namespace(name: "app") { totalCount revision nodes { name } } nfd: namespace(name: "cafe\u0301", first: 1) { nodes { id } } none: namespace(name: "nobody") { totalCount nodes { id } } namespaces { name entryCount } } }',
      { at: { revision } },
    )
    expect(snapshot.namespace.nodes.map(({ name }: any) => `app:${name}`)).toEqual(
      FINDER_ENTRIES.map(({ id }) => id as string).filter((id) => id.startsWith('app:')),
    )
    expect(snapshot.namespace).toMatchObject({ totalCount: snapshot.namespace.nodes.length, revision })
    expect(snapshot.nfd.nodes).toEqual([{ id: `r${revision}/caf\u00e9:\u00e9` }])
    expect(snapshot.none).toEqual({ totalCount: 0, nodes: [] })
    expect(snapshot.namespaces.reduce((sum: number, { entryCount }: any) => sum + entryCount, 0)).toBe(
      FINDER_ENTRIES.length,
    )
  })
})
