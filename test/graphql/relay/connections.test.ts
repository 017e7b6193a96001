import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { APPLY_VERSION, create, type Gateway, openGateway, update } from '../schema-fixture.js'

const COUNT = 37
let gateway: Gateway

beforeAll(async () => {
  gateway = openGateway()
  await gateway.apply(...Array.from({ length: COUNT - 5 }, (_, n) => create(`n${n % 3}:e${n}`, { n })))
  for (let n = 0; n < 8; n++) {
    await gateway.apply(update('n0:e0', { round: n }), ...(n < 5 ? [create(`late:${n}`)] : []))
    if (n === 4) await gateway.data(APPLY_VERSION, { input: { version: 2 } })
    if (n === 4) await gateway.data(APPLY_VERSION, { input: { version: 6 } })
  }
})
afterAll(() => gateway.close())

/** A list with pages from both ends: its query and the field that names its items. */
const LISTS = {
  entries: ['entries', 'id'],
  'entries ID_DESC': ['entries(orderBy: ID_DESC', 'id'],
  'entries REVISION_ASC': ['entries(orderBy: REVISION_ASC', 'id'],
  'entries REVISION_DESC': ['entries(orderBy: REVISION_DESC', 'id'],
  'entries with criteria': ['entries(find: {_none: 1}, where: {ns: {eq: "n1"}}', 'id'],
  'entries of a namespace': ['entries(where: {ns: {eq: "n1"}}', 'id'],
  'snapshot.entries': ['snapshot(at: {revision: 4}) { entries', 'id'],
  'entry.history': ['entry(id: "n0:e0") { history', 'id'],
  versions: ['versions', 'number'],
  transitions: ['transitions', 'revision'],
} as const
type List = keyof typeof LISTS
const lists = Object.keys(LISTS) as List[]

interface PageArgs {
  first?: number
  after?: string | null
  last?: number
  before?: string | null
}

async function page(list: List, args: PageArgs): Promise<any> {
  const [place, key] = LISTS[list]
  const paging = 'first: $first, after: $after, last: $last, before: $before'
  const field = `${/\([^)]*$/.test(place) ? `${place}, ${paging})` : `${place}(${paging})`} {
    totalCount nodes { ${key} } edges { cursor node { ${key} } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
  const data = await gateway.data(
    `query ($first: Int, $after: String, $last: Int, $before: String) { ${field} ${place.includes('{ ') && !place.startsWith('entries') ? '}' : ''} }`,
    { ...args },
  )
  let found: any = data
  while (found.nodes === undefined) found = Object.values(found)[0]
  return { ...found, keys: found.nodes.map((node: any) => node[key]) }
}

async function walk(list: List, size: number, direction: 'forward' | 'backward'): Promise<unknown[]> {
  const keys: unknown[] = []
  let at: string | null = null
  for (;;) {
    const found: any = await page(
      list,
      direction === 'forward' ? { first: size, after: at } : { last: size, before: at },
    )
    if (direction === 'forward') keys.push(...found.keys)
    else keys.unshift(...found.keys)
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = found.pageInfo
    // The other side is bounded by the cursor.
    expect(direction === 'forward' ? hasPreviousPage : hasNextPage).toBe(at !== null)
    if (!(direction === 'forward' ? hasNextPage : hasPreviousPage)) return keys
    at = direction === 'forward' ? endCursor : startCursor
  }
}

describe.each(lists)('the list %s', (list) => {
  it('gives the same items forward and backward, in pages of any size', async () => {
    const whole = (await page(list, { first: 1000 })).keys as unknown[]
    expect(new Set(whole).size).toBe(whole.length)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: COUNT + 1 }), async (size) => {
        expect(await walk(list, size, 'forward')).toEqual(whole)
        expect(await walk(list, size, 'backward')).toEqual(whole)
      }),
      { numRuns: 8 },
    )
  })

  it('has matching edges and nodes, the cursors of both ends, and its full length as totalCount', async () => {
    const whole = await page(list, {})
    const { edges, pageInfo, keys } = await page(list, { first: 3 })
    const key = LISTS[list][1]
    expect(edges.map(({ node }: any) => node[key])).toEqual(keys)
    expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null)
    expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null)
    expect(whole.totalCount).toBe(whole.keys.length)
  })

  it('gives any range between two cursors, from either end', async () => {
    const whole = await page(list, {})
    if (whole.keys.length < 4) return
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.keys.length - 1),
        fc.nat(whole.keys.length - 1),
        fc.integer({ min: 0, max: 5 }),
        async (a, b, size) => {
          const after = whole.edges[a].cursor as string
          const before = whole.edges[b].cursor as string
          const window = whole.keys.slice(a + 1, Math.max(b, a + 1))
          const front = await page(list, { first: size, after, before })
          const back = await page(list, { last: size, after, before })
          expect(front.keys).toEqual(window.slice(0, size))
          expect(back.keys).toEqual(size === 0 ? [] : window.slice(-size))
        },
      ),
      { numRuns: 10 },
    )
  })

  it('allows an empty page', async () => {
    const { keys, pageInfo } = await page(list, { first: 0 })
    expect(keys).toEqual([])
    expect(pageInfo).toMatchObject({ hasPreviousPage: false, startCursor: null, endCursor: null })
    expect(pageInfo.hasNextPage).toBe((await page(list, {})).keys.length > 0)
  })
})

describe('a page', () => {
  const code = (args: string) => gateway.code(`{ versions(${args}) { totalCount } }`)

  it('has 0 to 1,000 items, from one end', async () => {
    for (const args of [
      'first: -1',
      'last: -1',
      'first: 1001',
      'last: 1001',
      'first: 2, last: 2',
      'first: 0, last: 0',
      'first: 99999999999',
    ]) {
      expect([args, await code(args)]).toEqual([args, 'BAD_USER_INPUT'])
    }
    expect(await gateway.code('{ entries(first: 1001) { totalCount } }')).toBe('BAD_USER_INPUT')
    expect((await gateway.run('{ versions(first: 1000) { nodes { id } } }')).errors).toEqual([])
    expect((await gateway.run('{ versions(first: null, last: 1) { nodes { id } } }')).errors).toEqual([])
  })

  it('has 100 items by default', async () => {
    const many = openGateway()
    await many.apply(...Array.from({ length: 120 }, (_, n) => create(`a:${n}`)))
    const { entries } = await many.data('{ entries { nodes { id } pageInfo { hasNextPage } totalCount } }')
    expect([entries.nodes.length, entries.pageInfo.hasNextPage, entries.totalCount]).toEqual([100, true, 120])
    await many.close()
  })

  it('refuses a cursor of another list, order or registry, and an invalid one', async () => {
    const { versions, entries, snapshot } = await gateway.data(
      '{ versions { pageInfo { startCursor } } entries { pageInfo { startCursor } } snapshot { entries { pageInfo { startCursor } } } }',
    )
    const version = versions.pageInfo.startCursor as string
    const entry = entries.pageInfo.startCursor as string
    const codeAfter = (field: string, cursor: string) =>
      gateway.code(`query ($after: String) { ${field} { totalCount } }`, { after: cursor })
    expect(await codeAfter('transitions(after: $after)', version)).toBe('INVALID_CURSOR')
    expect(await codeAfter('entries(after: $after)', version)).toBe('INVALID_CURSOR')
    expect(await codeAfter('entries(after: $after, orderBy: ID_DESC)', entry)).toBe('INVALID_CURSOR')
    expect(await codeAfter('entries(before: $after)', snapshot.entries.pageInfo.startCursor as string)).toBe(
      'INVALID_CURSOR',
    )
    expect(await codeAfter('versions(after: $after)', 'nonsense')).toBe('INVALID_CURSOR')
    const other = openGateway()
    await other.apply(create('a:b'))
    const foreign = (await other.data('{ entries { pageInfo { startCursor } } }')).entries.pageInfo
      .startCursor as string
    expect(await codeAfter('entries(after: $after)', foreign)).toBe('INVALID_CURSOR')
    await other.close()
  })

  it('refuses a cursor beyond the end of the list', async () => {
    const { registryId } = gateway.registry.history
    const future = (list: string, ...position: unknown[]) =>
      Buffer.from(JSON.stringify([list, registryId.slice(0, 8), ...position])).toString('base64url')
    const code2 = (field: string, cursor: string) =>
      gateway.code(`query ($c: String) { ${field} { totalCount } }`, { c: cursor })
    expect(await code2('versions(after: $c)', future('versions', 1_000_000))).toBe('INVALID_CURSOR')
    expect(await code2('transitions(before: $c)', future('transitions', 1_000_000))).toBe('INVALID_CURSOR')
    expect(await code2('entries(after: $c)', future('entries ID_ASC', 'n0:e0', 1_000_000))).toBe('INVALID_CURSOR')
  })

  it('has an end cursor that stays valid, even on the last page', async () => {
    const { versions } = await gateway.data('{ versions { pageInfo { endCursor } } }')
    const next = await gateway.data(
      'query ($after: String) { versions(after: $after) { nodes { id } pageInfo { hasPreviousPage hasNextPage } } }',
      { after: versions.pageInfo.endCursor },
    )
    expect(next.versions).toEqual({ nodes: [], pageInfo: { hasPreviousPage: true, hasNextPage: false } })
  })

  it('counts the whole list only if totalCount is selected', async () => {
    gateway.calls.clear()
    await gateway.data(
      '{ entries { nodes { id } } versions { nodes { id } } transitions { nodes { revision } } entry(id: "n0:e0") { history { nodes { id } } } }',
    )
    expect([...gateway.calls.keys()].filter((name) => name.toLowerCase().includes('count'))).toEqual([])
    await gateway.data('{ entries { totalCount } }')
    expect(gateway.calls.get('countEntries')).toBe(1)
  })
})
