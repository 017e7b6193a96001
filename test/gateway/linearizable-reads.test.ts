import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, startTestGateway, type TestGateway } from './gateway-fixture.js'
import { type Read, violations, type Write } from './linearizable-history.js'

const PAIR = 'query ($a: EntryID!, $b: EntryID!) { a: entry(id: $a) { data } b: entry(id: $b) { data } }'
// The gateway caches the answer to such a query until the entry changes.
const SINGLE = 'query ($id: EntryID!) { entry(id: $id) { data } }'
const NODES = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Entry { id data } } }'

const PAGE =
  'query ($first: Int!, $after: String) { entries(first: $first, after: $after) { nodes { id data } pageInfo { hasNextPage endCursor } } }'

describe('the checker of linearizable reads', () => {
  const write = (key: string, value: number | null, revision: number, begun: number, ended: number): Write => ({
    key,
    value,
    revision,
    begun,
    ended,
  })
  const read = (seen: Record<string, number | null>, begun: number, ended: number): Read => ({
    seen: new Map(Object.entries(seen)),
    begun,
    ended,
  })
  const writes = [
    write('x', 1, 1, 0, 10),
    write('y', 1, 1, 0, 10),
    write('x', 2, 2, 20, 30),
    write('y', 2, 2, 20, 30),
    write('x', null, 3, 40, 50),
  ]

  it.each<[string, Read[], number]>([
    [
      'reads that see all acknowledged writes',
      [read({ x: 1, y: 1 }, 11, 12), read({ x: 2 }, 31, 32), read({ x: null, y: 2 }, 51, 52)],
      0,
    ],
    [
      'reads on either side of a write in flight',
      [read({ x: 1 }, 21, 22), read({ x: 2 }, 23, 24), read({ x: null }, 1, 2)],
      0,
    ],
    ['a read that misses an acknowledged write', [read({ x: 1 }, 31, 32)], 1],
    ['a read that misses a delete', [read({ x: 2 }, 51, 52)], 1],
    ['a read that misses an existing entry', [read({ x: null }, 31, 32)], 1],
    ['a read that sees a write before it was sent', [read({ x: 2 }, 11, 12)], 1],
    ['a read of two entries in a combination that never existed', [read({ x: 2, y: 1 }, 21, 29)], 1],
    ['a read that is older than an earlier read', [read({ x: 2 }, 21, 22), read({ x: 1 }, 23, 24)], 1],
  ])('counts violations of: %s', (_, reads, count) => {
    expect(violations(writes, reads)).toHaveLength(count)
  })
})

describe.each(['postgres', 'memory'] as const)('reads at the head, over %s', (backend) => {
  let gateway: TestGateway
  let clients: Client[]
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    clients = [gateway, backend === 'postgres' ? await gateway.another() : gateway]
  })
  afterAll(() => gateway.close())

  it('see every write that was acknowledged before them, on either gateway, in any interleaving', async () => {
    const PAIRS = 8
    const writes: Write[] = []
    const reads: Read[] = []
    let value = 0
    let writing = true
    const random = (n: number) => Math.floor(Math.random() * n)
    const client = () => clients[random(clients.length)]!

    // One writer for each pair. Both entries always have the same value, and are created and deleted together.
    const writer = async (pair: number) => {
      const keys = [`lin:a${pair}`, `lin:b${pair}`]
      let there = false
      for (let i = 0; i < 25; i++) {
        const gone: boolean = there && random(5) === 0
        const data = ++value
        const begun = performance.now()
        const revision = await client().apply(
          ...keys.map((id) =>
            gone ? { delete: { id } } : { [there ? 'update' : 'create']: { id, kind: 'test.thing', data } },
          ),
        )
        const ended = performance.now()
        for (const key of keys) writes.push({ key, value: gone ? null : data, revision, begun, ended })
        there = !gone
        if (random(4) === 0) await new Promise((resolve) => setTimeout(resolve, random(10)))
      }
    }
    const ids = ['a', 'b'].flatMap((half) => Array.from({ length: PAIRS }, (_, i) => `lin:${half}${i}`))
    const reader = async () => {
      /** The end of the last page: a cursor and its id. */
      let after: [string, string] | null = null
      while (writing) {
        const pair = random(PAIRS)
        const [a, b] = [`lin:a${pair}`, `lin:b${pair}`]
        const begun = performance.now()
        const seen = new Map<string, number | null>()
        if (random(3) === 0) {
          const {
            nodes,
            pageInfo,
          }: { nodes: { id: string; data: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string } } = (
            await client().data(PAGE, { first: 1 + random(2 * PAIRS), after: after?.[0] ?? null })
          ).entries
          const last: string | undefined = nodes.at(-1)?.id
          // A page shows which ids between its bounds exist and which do not.
          for (const id of ids)
            if ((after === null || id > after[1]) && (!pageInfo.hasNextPage || id <= last!)) seen.set(id, null)
          for (const { id, data } of nodes) seen.set(id, data)
          after = pageInfo.hasNextPage && random(3) > 0 ? [pageInfo.endCursor, last!] : null
        } else if (random(2) === 0) {
          seen.set(a, (await client().data(SINGLE, { id: a })).entry?.data ?? null)
          // biome-ignore lint/suspicious/noDuplicateElseIf: each call of random() rolls again
        } else if (random(2) === 0) {
          const found = await client().data(PAIR, { a, b })
          seen.set(a, found.a?.data ?? null).set(b, found.b?.data ?? null)
        } else {
          const { nodes } = await client().data(NODES, { ids })
          ids.forEach((id, i) => seen.set(id, nodes[i]?.data ?? null))
        }
        reads.push({ seen, begun, ended: performance.now() })
      }
    }
    const readers = Array.from({ length: 12 }, reader)
    await Promise.all(Array.from({ length: PAIRS }, (_, pair) => writer(pair)))
    writing = false
    await Promise.all(readers)
    expect(reads.length).toBeGreaterThan(100)
    expect(violations(writes, reads)).toEqual([])
  }, 300_000)
})
