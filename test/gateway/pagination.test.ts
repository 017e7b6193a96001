import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BACKENDS_WITH_HISTORY, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

/** Each list of the contract: its query, and the field that names its items. `BOTH` marks lists with `last` and `before`. */
const LISTS: Readonly<Record<string, { way: readonly string[]; key: string; both: boolean }>> = {
  entries: { way: ['entries(ARGS)'], key: 'id', both: true },
  'entries by ID_DESC': { way: ['entries(orderBy: ID_DESC, ARGS)'], key: 'id', both: true },
  'entries by REVISION_ASC': { way: ['entries(orderBy: REVISION_ASC, ARGS)'], key: 'id', both: true },
  'entries by REVISION_DESC': { way: ['entries(orderBy: REVISION_DESC, ARGS)'], key: 'id', both: true },
  'entries that match': { way: ['entries(where: {name: {glob: "*1*"}}, ARGS)'], key: 'id', both: true },
  'entries of a snapshot': { way: ['snapshot(at: {revision: 2})', 'entries(ARGS)'], key: 'id', both: true },
  'entries of a snapshot by REVISION_DESC': {
    way: ['snapshot(at: {revision: 9})', 'entries(orderBy: REVISION_DESC, ARGS)'],
    key: 'id',
    both: true,
  },
  'a namespace of a snapshot': { way: ['snapshot', 'namespace(name: "b", ARGS)'], key: 'id', both: false },
  versions: { way: ['versions(ARGS)'], key: 'number', both: true },
  transitions: { way: ['transitions(ARGS)'], key: 'revision', both: true },
  history: { way: ['entry(id: "a:e01")', 'history(ARGS)'], key: 'id', both: true },
  operations: { way: ['version(number: 1)', 'changeset', 'operations(ARGS)'], key: 'entryId', both: false },
  'changes of a transition': { way: ['transitions(first: 1)', 'nodes', 'changes(ARGS)'], key: 'entryId', both: false },
}

interface PageArgs {
  first?: number
  after?: string
  last?: number
  before?: string
}

describe.each(BACKENDS_WITH_HISTORY)('pagination, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    await gateway.apply(
      ...Array.from({ length: 23 }, (_, i) => create(`${'abc'[i % 3]}:e${String(i).padStart(2, '0')}`, i)),
    )
    await gateway.apply(create('b:late'), remove('c:e02'))
    for (let i = 0; i < 4; i++) await gateway.apply(update(i % 2 ? 'a:e03' : 'b:e01', i), update('a:e00', i))
    await gateway.moveTo(2)
    await gateway.apply(create('a:e01', 1))
    await gateway.apply(update('a:e01', 2), create('d:😀'), create('d:\ufffd'))
    await gateway.apply(update('a:e01', 3))
  })
  afterAll(() => gateway.close())

  async function ask(list: string, args: PageArgs) {
    const { way, key, both } = LISTS[list]!
    const given = `first: $first, after: $after${both ? ', last: $last, before: $before' : ''}`
    const declared = `$first: Int, $after: String${both ? ', $last: Int, $before: String' : ''}`
    const fields = `{ totalCount nodes { ${key} } edges { cursor node { ${key} } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
    const document = way.reduceRight((inner, step) => `{ ${step.replace('ARGS', given)} ${inner} }`, fields)
    return gateway.query(`query (${declared}) ${document}`, { ...args })
  }
  async function page(list: string, args: PageArgs) {
    const { data, errors } = await ask(list, args)
    if (errors.length > 0) throw new Error(JSON.stringify(errors))
    let found = data
    while (found.pageInfo === undefined) found = Array.isArray(found) ? found[0] : Object.values(found)[0]
    const keys = found.nodes.map((node: any) => node[LISTS[list]!.key])
    expect(found.edges.map(({ node }: any) => node[LISTS[list]!.key])).toEqual(keys)
    expect([found.pageInfo.startCursor, found.pageInfo.endCursor]).toEqual([
      found.edges[0]?.cursor ?? null,
      found.edges.at(-1)?.cursor ?? null,
    ])
    return { ...found, ...found.pageInfo, keys, cursors: found.edges.map(({ cursor }: any) => cursor) }
  }

  describe.each(Object.keys(LISTS))('%s', (list) => {
    const { both } = LISTS[list]!

    it('gives the same items one by one, in threes, forward and backward', async () => {
      const whole = await page(list, {})
      expect(whole.keys.length).toBeGreaterThan(2)
      expect(whole).toMatchObject({ totalCount: whole.keys.length, hasNextPage: false, hasPreviousPage: false })
      expect(new Set(whole.keys).size).toBe(whole.keys.length)
      for (const size of [1, 3]) {
        const forward: unknown[] = []
        for (let args: PageArgs = { first: size }; ; ) {
          const found = await page(list, args)
          forward.push(...found.keys)
          expect(found.hasPreviousPage).toBe(args.after !== undefined)
          expect(found.totalCount).toBe(whole.totalCount)
          expect(found.hasNextPage).toBe(forward.length < whole.keys.length)
          if (!found.hasNextPage) break
          args = { first: size, after: found.endCursor }
        }
        expect(forward).toEqual(whole.keys)
        if (!both) continue
        const backward: unknown[] = []
        for (let args: PageArgs = { last: size }; ; ) {
          const found = await page(list, args)
          backward.unshift(...found.keys)
          expect(found.hasNextPage).toBe(args.before !== undefined)
          expect(found.hasPreviousPage).toBe(backward.length < whole.keys.length)
          if (!found.hasPreviousPage) break
          args = { last: size, before: found.startCursor }
        }
        expect(backward).toEqual(whole.keys)
      }
    })

    it('follows the Cursor Connections Specification', async () => {
      const { keys, cursors } = await page(list, {})
      const n = keys.length
      const sizes = [0, 1, n - 1, n, n + 1]
      const cuts: PageArgs[] = sizes.map((first) => ({ first }))
      for (const first of sizes) cuts.push({ first, after: cursors[0] }, { first, after: cursors.at(-1) })
      if (both)
        for (const size of sizes)
          cuts.push(
            { last: size },
            { last: size, before: cursors.at(-1) },
            { last: size, after: cursors[0] },
            { first: size, before: cursors[1] },
            { first: size, after: cursors[0], before: cursors[2] },
            { last: size, after: cursors[0], before: cursors[2] },
            { first: size, after: cursors[2], before: cursors[0] },
          )
      const found = await Promise.all(cuts.map((args) => page(list, args)))
      for (const [i, args] of cuts.entries()) {
        const { keys: given, hasNextPage, hasPreviousPage } = found[i]!
        const from = args.after === undefined ? 0 : cursors.indexOf(args.after) + 1
        const to = args.before === undefined ? n : cursors.indexOf(args.before)
        const window = keys.slice(from, Math.max(from, to))
        const expected =
          args.first !== undefined ? window.slice(0, args.first) : window.slice(Math.max(0, window.length - args.last!))
        expect(given, JSON.stringify(args)).toEqual(expected)
        // As in its algorithms HasNextPage and HasPreviousPage.
        if (args.first !== undefined) expect(hasNextPage, JSON.stringify(args)).toBe(window.length > args.first)
        else expect(hasPreviousPage, JSON.stringify(args)).toBe(window.length > args.last!)
      }
    })

    it('refuses invalid sizes, first with last, and cursors of other lists', async () => {
      const code = async (args: PageArgs) => {
        const { errors } = await ask(list, args)
        return errors[0]?.extensions['code']
      }
      const size = both ? ['first', 'last'] : ['first']
      for (const end of size)
        for (const wrong of [-1, 1001, 1_000_000])
          expect(await code({ [end]: wrong }), `${end}: ${wrong}`).toBe('BAD_USER_INPUT')
      expect((await page(list, { first: 1000 })).keys.length).toBeGreaterThan(0)
      if (both) expect(await code({ first: 1, last: 1 })).toBe('BAD_USER_INPUT')
      const others = await Promise.all(
        Object.keys(LISTS)
          .filter(
            (other) =>
              other !== list &&
              LISTS[other]!.way.join().replace(/\(.*?\)/g, '') !== LISTS[list]!.way.join().replace(/\(.*?\)/g, ''),
          )
          .map(async (other) => (await page(other, { first: 2 })).endCursor),
      )
      const own = (await page(list, { first: 2 })).endCursor
      const refused = [
        '',
        'x',
        'MQ==',
        '0',
        'null',
        `${own}x`,
        ` ${own}`,
        own.slice(0, -1),
        own.toUpperCase(),
        '😀',
        'W10',
        'e30',
        ...others,
      ]
      const codes = await Promise.all(
        refused.map(async (cursor) => [
          cursor,
          await code({ after: cursor }),
          both ? await code({ last: 1, before: cursor }) : 'INVALID_CURSOR',
        ]),
      )
      expect(codes).toEqual(refused.map((cursor) => [cursor, 'INVALID_CURSOR', 'INVALID_CURSOR']))
    })
  })

  it('refuses a cursor of another order', async () => {
    const cursor = async (order: string) => (await page(`entries by ${order}`, { first: 1 })).endCursor
    for (const list of ['entries', 'entries by ID_DESC', 'entries by REVISION_ASC', 'entries by REVISION_DESC']) {
      for (const order of ['ID_DESC', 'REVISION_ASC', 'REVISION_DESC']) {
        if (list.endsWith(order)) continue
        expect((await ask(list, { after: await cursor(order) })).errors[0]?.extensions['code']).toBe('INVALID_CURSOR')
      }
    }
  })

  it('refuses a cursor from the history of another entry', async () => {
    const { entry } = await gateway.data('{ entry(id: "a:e00") { history(first: 1) { pageInfo { endCursor } } } }')
    expect((await ask('history', { after: entry.history.pageInfo.endCursor })).errors[0]?.extensions['code']).toBe(
      'INVALID_CURSOR',
    )
  })

  it('refuses a cursor of another registry', async () => {
    const other = await startTestGateway('memory')
    try {
      await other.apply(create('a:x'))
      for (const list of ['entries', 'versions', 'transitions']) {
        const { data } = await other.query(`{ ${list}(first: 1) { pageInfo { endCursor } } }`)
        expect((await ask(list, { after: data[list].pageInfo.endCursor })).errors[0]?.extensions['code']).toBe(
          'INVALID_CURSOR',
        )
      }
    } finally {
      await other.close()
    }
  })

  it('gives 100 items by default, and keeps the pages of a snapshot stable while the head moves', async () => {
    const revision = await gateway.apply(...Array.from({ length: 150 }, (_, i) => create(`many:e${1000 + i}`)))
    const ask = (after: string | null) =>
      gateway.data(
        'query ($r: SafeInt!, $after: String) { snapshot(at: {revision: $r}) { entries(where: {ns: {eq: "many"}}, after: $after) { totalCount nodes { name } pageInfo { endCursor hasNextPage } } } }',
        { r: revision, after },
      )
    const first = (await ask(null)).snapshot.entries
    expect(first.nodes).toHaveLength(100)
    await gateway.apply(remove('many:e1100'), create('many:e1100b'))
    const rest = (await ask(first.pageInfo.endCursor)).snapshot.entries
    expect(rest).toMatchObject({ totalCount: 150, pageInfo: { hasNextPage: false } })
    expect([...first.nodes, ...rest.nodes].map(({ name }: any) => name)).toEqual(
      Array.from({ length: 150 }, (_, i) => `e${1000 + i}`),
    )
  })

  it.each(['ID_ASC', 'ID_DESC', 'REVISION_ASC', 'REVISION_DESC'])(
    'never skips or repeats an unchanged entry in pages of the head by %s, whatever is written in between',
    async (orderBy) => {
      const ns = `stay-${orderBy.toLowerCase()}`
      await gateway.apply(...Array.from({ length: 12 }, (_, i) => create(`${ns}:e${10 + i * 2}`)))
      const stay = new Set(Array.from({ length: 12 }, (_, i) => `${ns}:e${10 + i * 2}`))
      const seen: string[] = []
      const revisions: number[] = []
      let after: string | null = null
      for (let round = 0; ; round++) {
        const { entries } = await gateway.data(
          `query ($after: String, $ns: String) { entries(where: {ns: {eq: $ns}}, orderBy: ${orderBy}, first: 3, after: $after) { revision nodes { id } pageInfo { endCursor hasNextPage } } }`,
          { after, ns },
        )
        seen.push(...entries.nodes.map(({ id }: any) => id))
        revisions.push(entries.revision)
        if (!entries.pageInfo.hasNextPage) break
        after = entries.pageInfo.endCursor
        const gone = `${ns}:e${10 + round * 4}`
        await gateway.apply(create(`${ns}:e${11 + round * 2}`), ...(stay.delete(gone) ? [remove(gone)] : []))
        if (round > 20) throw new Error('it never ends')
      }
      for (const id of stay) expect(seen.filter((each) => each === id)).toHaveLength(1)
      expect(new Set(seen).size).toBe(seen.length)
      const isById = orderBy.startsWith('ID')
      expect(new Set(revisions).size).toBe(isById ? revisions.length : 1)
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
    },
  )
})
