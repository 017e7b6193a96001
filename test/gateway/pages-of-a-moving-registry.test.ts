import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  applied,
  BACKENDS_WITH_HISTORY,
  create,
  remove,
  startTestGateway,
  type TestGateway,
  update,
} from './gateway-fixture.js'

type Order = 'ID_ASC' | 'ID_DESC' | 'REVISION_ASC' | 'REVISION_DESC'
const ORDERS: readonly Order[] = ['ID_ASC', 'ID_DESC', 'REVISION_ASC', 'REVISION_DESC']

interface List {
  /** The fields around the list, with ARGS for its arguments. */
  readonly fields: readonly string[]
  readonly order: Order
  /** Whether all pages show the revision of the first one. */
  readonly stays: boolean
  readonly where: string
}

/** The store matches a regular expression row by row and translates the other filter to SQL. */
const WHERES = ['', 'where: {name: {regex: "[13579]"}}, ', 'where: {meta: [{path: "k", eq: 1}]}, ']

const LISTS: readonly List[] = ORDERS.flatMap((order) =>
  WHERES.flatMap((where): List[] => {
    const list = `entries(${where}orderBy: ${order}, ARGS)`
    return [
      { fields: [list], order, stays: order.startsWith('REVISION'), where },
      { fields: ['snapshot', list], order, stays: true, where },
      { fields: ['snapshot(at: {tag: "now"})', list], order, stays: true, where },
      { fields: ['snapshot(at: {time: "2100-01-01T00:00:00Z"})', list], order, stays: true, where },
    ]
  }),
)
const NAMESPACE: List = {
  fields: ['snapshot', 'namespace(name: "m", ARGS)'],
  order: 'ID_ASC',
  stays: true,
  where: 'where: {ns: {eq: "m"}}, ',
}

interface Page {
  readonly revision: number
  readonly totalCount: number
  readonly nodes: readonly { id: string; entryId: string; revision: number; digest: string }[]
  readonly pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string }
}

const FIELDS =
  '{ revision totalCount nodes { id entryId revision digest } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }'

function documentOf({ fields }: List, both: boolean): string {
  const given = `first: $first, after: $after${both ? ', last: $last, before: $before' : ''}`
  const declared = `$first: Int, $after: String${both ? ', $last: Int, $before: String' : ''}`
  return `query (${declared}) ${fields.reduceRight((inner, field) => `{ ${field.replace('ARGS', given)} ${inner} }`, FIELDS)}`
}

async function read(gateway: TestGateway, list: List, args: Record<string, unknown>): Promise<Page> {
  let found = await gateway.data(documentOf(list, list !== NAMESPACE), args)
  for (const _ of list.fields) found = Object.values(found)[0]
  return found
}

const contentOf = ({ entryId, revision, digest }: Page['nodes'][number]) => `${entryId} ${revision} ${digest}`

const move = fc.oneof(
  fc.record({ act: fc.constant('write'), ids: fc.uniqueArray(fc.nat(13), { minLength: 1, maxLength: 4 }) }),
  fc.record({ act: fc.constant('remove'), ids: fc.uniqueArray(fc.nat(13), { minLength: 1, maxLength: 2 }) }),
  fc.record({ act: fc.constant('back'), ids: fc.constant<number[]>([]) }),
)

describe.each(BACKENDS_WITH_HISTORY)('pages of a moving registry, over %s', (backend) => {
  let gateway: TestGateway
  let count = 0
  const alive = new Set<string>()

  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    await write([0, 1, 2, 3, 4, 5])
    await write([6, 7, 1])
    await tag()
  })
  afterAll(() => gateway.close())

  const idOf = (n: number) => `${n % 3 === 0 ? 'l' : 'm'}:e${n}`
  async function write(numbers: readonly number[]) {
    count++
    await gateway.apply(
      ...numbers.map((n) => {
        const id = idOf(n)
        const make = alive.has(id) ? update : create
        alive.add(id)
        return make(id, { count }, { k: (n + count) % 3 })
      }),
    )
  }
  async function tag() {
    const { currentVersion } = await gateway.data('{ currentVersion { number } }')
    const input = { name: 'now', version: currentVersion.number, movable: true }
    await gateway.data('mutation ($input: SetTagInput!) { setTag(input: $input) { name } }', { input })
  }
  async function run({ act, ids }: { act: string; ids: readonly number[] }) {
    if (act === 'write') await write(ids)
    if (act === 'remove') {
      const found = ids.map(idOf).filter((id) => alive.delete(id))
      if (found.length > 0) await gateway.apply(...found.map((id) => remove(id)))
    }
    if (act === 'back') {
      const { currentVersion } = await gateway.data('{ currentVersion { number previous { number } } }')
      applied(await gateway.applyVersion({ version: currentVersion.previous?.number ?? 0 }))
      alive.clear()
      for (const { entryId } of await now()) alive.add(entryId)
    }
    await tag()
  }
  const now = async () => (await gateway.data('{ entries(first: 1000) { nodes { entryId } } }')).entries.nodes

  async function walk(list: List, size: number, isBackward: boolean, moves: readonly Parameters<typeof run>[0][]) {
    const pages: Page[] = []
    const always = new Set(alive)
    let cursor: string | null = null
    for (let n = 0; ; n++) {
      const page = await read(
        gateway,
        list,
        isBackward ? { last: size, before: cursor } : { first: size, after: cursor },
      )
      pages.push(page)
      if (!(isBackward ? page.pageInfo.hasPreviousPage : page.pageInfo.hasNextPage)) break
      cursor = isBackward ? page.pageInfo.startCursor : page.pageInfo.endCursor
      if (moves[n] !== undefined) await run(moves[n]!)
      for (const id of always) if (!alive.has(id)) always.delete(id)
    }
    if (isBackward) pages.reverse()
    return { pages, always }
  }

  /** The whole list as it was at a revision. */
  async function listAt({ order, where }: List, revision: number): Promise<Page> {
    const fields = [`snapshot(at: {revision: ${revision}})`, `entries(${where}orderBy: ${order}, ARGS)`]
    return read(gateway, { fields, order, where, stays: true }, { first: 1000 })
  }

  it('show the first page’s revision, by revision and of a snapshot, however the head and its tags move', async () => {
    const stays = [...LISTS.filter((list) => list.stays), NAMESPACE]
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...stays),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.array(move, { minLength: 1, maxLength: 4 }),
        async (list, size, isBackward, moves) => {
          const { pages } = await walk(list, size, isBackward && list !== NAMESPACE, moves)
          const { revision } = pages[0]!
          const whole = await listAt(list, revision)
          expect(pages.map((page) => page.revision)).toEqual(pages.map(() => revision))
          expect(pages.map(({ totalCount }) => totalCount)).toEqual(pages.map(() => whole.nodes.length))
          expect(pages.flatMap(({ nodes }) => nodes.map(contentOf))).toEqual(whole.nodes.map(contentOf))
        },
      ),
      { numRuns: backend === 'memory' ? 60 : 30 },
    )
  })

  it('neither skip nor repeat an entry that stays, by id at the head', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...LISTS.filter((list) => !list.stays && list.where === '')),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.array(move, { minLength: 1, maxLength: 4 }),
        async (list, size, isBackward, moves) => {
          const { pages, always } = await walk(list, size, isBackward, moves)
          const ids = pages.flatMap(({ nodes }) => nodes.map(({ entryId }) => entryId))
          const sorted = [...new Set(ids)].sort()
          expect(ids).toEqual(list.order === 'ID_ASC' ? sorted : sorted.reverse())
          expect(ids).toEqual(expect.arrayContaining([...always]))
        },
      ),
      { numRuns: backend === 'memory' ? 25 : 12 },
    )
  })

  it('give no entry of a later page twice when it is updated before that page is read', async () => {
    const list = LISTS.find(({ fields, order }) => fields.length === 1 && order === 'REVISION_ASC')!
    await write([3, 4, 5, 6, 7])
    const first = await read(gateway, list, { first: 2 })
    const [moved] = first.nodes
    await gateway.apply(update(moved!.entryId))
    const rest = await read(gateway, list, { first: 1000, after: first.pageInfo.endCursor })
    expect(rest.nodes.map(({ entryId }) => entryId)).not.toContain(moved!.entryId)
    expect(rest.revision).toBe(first.revision)
  })

  it('follow on, by their `cursor`, with everything since the first page', async () => {
    const list = LISTS.find(({ fields, order }) => fields.length === 1 && order === 'REVISION_DESC')!
    const first = await read(gateway, list, { first: 2 })
    await write([1])
    const { entries } = await gateway.data(
      'query ($after: String) { entries(orderBy: REVISION_DESC, first: 2, after: $after) { cursor } snapshot { cursor } }',
      { after: first.pageInfo.endCursor },
    )
    const at = await gateway.data(`{ snapshot(at: {revision: ${first.revision}}) { cursor } }`)
    expect(entries.cursor).toBe(at.snapshot.cursor)
  })

  it('are refused with cursors of pages of two revisions, and by a snapshot of another revision', async () => {
    const list = LISTS.find(({ fields, order }) => fields.length === 1 && order === 'REVISION_ASC')!
    const first = await read(gateway, list, { first: 1 })
    await write([2])
    const second = await read(gateway, list, { last: 1 })
    const args = { first: 5, after: first.pageInfo.endCursor, before: second.pageInfo.startCursor }
    expect(await gateway.code(documentOf(list, true), args)).toBe('INVALID_CURSOR')

    const snapshot = (at: string) =>
      ({ fields: [`snapshot(at: {${at}})`, 'entries(ARGS)'], order: 'ID_ASC', where: '', stays: true }) as const
    const page = await read(gateway, snapshot('revision: 1'), { first: 2 })
    const after = page.pageInfo.endCursor
    expect((await read(gateway, snapshot('version: 1'), { after })).revision).toBe(1)
    expect(await gateway.code(documentOf(snapshot('revision: 2'), true), { after })).toBe('INVALID_CURSOR')
  })

  // A registry that was restored from a backup gets cursors of revisions that it has lost.
  it('are refused with cursors of a revision that does not exist yet', async () => {
    await write([1, 2, 3])
    await tag()
    for (const list of LISTS.filter(({ where }) => where === '')) {
      const { pageInfo } = await read(gateway, list, { first: 1 })
      const parts = JSON.parse(Buffer.from(pageInfo.endCursor, 'base64url').toString()) as unknown[]
      const later = Buffer.from(JSON.stringify([...parts.slice(0, -1), 1_000_000])).toString('base64url')
      const codes = [{ after: later }, { last: 1, before: later }].map((args) =>
        gateway.code(documentOf(list, true), args),
      )
      expect(await Promise.all(codes)).toEqual(['INVALID_CURSOR', 'INVALID_CURSOR'])
    }
  })

  it('are COMPACTED once their revision has been compacted, while pages by id go on', async () => {
    await write([1, 2, 3])
    await tag()
    const cursors = await Promise.all(
      LISTS.filter(({ where }) => where === '').map(async (list) => ({
        list,
        after: (await read(gateway, list, { first: 1 })).pageInfo.endCursor,
      })),
    )
    await write([1])
    await write([2])
    const { entries } = await gateway.data('{ entries(first: 0) { revision } }')
    await gateway.data(`mutation { deleteTag(name: "now", force: true) { name } }`)
    await gateway.data(`mutation { compact(before: ${entries.revision}) { oldestRevision } }`)
    await tag()
    for (const { list, after } of cursors) {
      const { errors, data } = await gateway.query(documentOf(list, true), { first: 2, after })
      if (list.stays) {
        expect(errors[0]?.extensions).toMatchObject({ code: 'COMPACTED', oldestRevision: entries.revision })
      } else expect(data.entries.revision).toBe(entries.revision)
    }
  })
})

describe('pages over a store without history', () => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway('none')
    await gateway.apply(create('a:1'), create('a:2'), create('a:3'))
  })
  afterAll(() => gateway.close())

  it.each([
    ['entries(orderBy: REVISION_DESC, ARGS)'],
    ['entries(orderBy: REVISION_ASC, ARGS)'],
    ['snapshot', 'entries(ARGS)'],
    ['snapshot', 'entries(orderBy: REVISION_DESC, ARGS)'],
  ])('go on while nothing is written, and are HISTORY_NOT_KEPT afterwards: %s %s', async (...fields) => {
    const list: List = {
      fields: fields.filter((field) => field !== undefined),
      order: 'ID_ASC',
      stays: true,
      where: '',
    }
    const first = await read(gateway, list, { first: 1 })
    const after = first.pageInfo.endCursor
    expect((await read(gateway, list, { first: 5, after })).nodes).toHaveLength(2)
    await gateway.apply(update('a:3'))
    expect(await gateway.code(documentOf(list, true), { first: 5, after })).toBe('HISTORY_NOT_KEPT')
    expect((await read(gateway, list, { first: 5 })).nodes).toHaveLength(3)
  })

  it('go on by id at the head', async () => {
    const list: List = { fields: ['entries(ARGS)'], order: 'ID_ASC', stays: false, where: '' }
    const { pageInfo } = await read(gateway, list, { first: 1 })
    await gateway.apply(update('a:2'))
    expect((await read(gateway, list, { first: 5, after: pageInfo.endCursor })).nodes).toHaveLength(2)
  })
})
