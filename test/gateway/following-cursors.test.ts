import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenStream, openStream, TRANSPORTS, type Transport } from './following-stream.js'
import { BACKENDS_WITH_HISTORY, create, remove, startTestGateway, type TestGateway, update } from './gateway-fixture.js'

const CHANGES = `subscription ($after: String, $afterRevision: SafeInt, $initial: Boolean, $find: JSONObject, $where: EntryFilter) {
  changes(after: $after, afterRevision: $afterRevision, initial: $initial, find: $find, where: $where) {
    cursor revision complete synced changes { kind entryId entry { revision digest } previous { revision } } } }`

interface Batch {
  readonly cursor: string
  readonly revision: number
  readonly complete: boolean
  readonly synced: boolean
  readonly changes: readonly { readonly kind: string; readonly entryId: string }[]
}

interface Filter {
  readonly find?: object
  readonly where?: object
}

/** Filters, and other spellings of each. The first criteria of a row are those that clients of the others may resume. */
const FILTERS: readonly (readonly Filter[])[] = [
  [{}, { find: {} }, { where: {} }, { find: {}, where: { and: [] } }],
  [{ find: { '.ns': 'a' } }, { where: { ns: { eq: 'a' } } }, { where: { ns: { glob: 'a' } } }],
  [
    { find: { k: 1, '.ns': 'big' } },
    { find: { '.ns': 'big', 'meta.k': 1 } },
    { find: { '.ns': 'big' }, where: { meta: [{ path: 'k', eq: 1 }] } },
    { find: { k: 1 }, where: { ns: { eq: 'big' } } },
    { where: { and: [{ meta: [{ eq: 1.0, path: 'k' }] }, { ns: { eq: 'big' } }] } },
  ],
  [{ where: { name: { regex: '[05]$' } } }, { find: { '~.name': '[05]$' } }],
  [{ find: { o: { x: 1, y: [2] } } }, { where: { meta: [{ path: 'o', eq: { y: [2], x: 1 } }] } }],
]
const filter = fc
  .nat(FILTERS.length - 1)
  .chain((row) => fc.record({ row: fc.constant(row), variables: fc.constantFrom(...FILTERS[row]!) }))

const result = async (stream: OpenStream): Promise<Batch | string> => {
  const next = await stream.next()
  if (next?.errors !== undefined) return String(next.errors[0]!.extensions['code'])
  if (next === null) throw new Error('The stream has ended')
  return next.data.changes as Batch
}

describe.each(BACKENDS_WITH_HISTORY)('a cursor of the stream, over %s', (backend) => {
  let gateway: TestGateway
  let head = 0
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
    const meta = (n: number) => ({ k: n % 3, ...(n % 4 === 0 && { o: { y: [2], x: 1 } }) })
    await gateway.apply(...Array.from({ length: 60 }, (_, n) => create(`${'ab'[n % 2]}:e${n}`, n, meta(n))))
    await gateway.apply(...Array.from({ length: 1_100 }, (_, n) => create(`big:e${n}`, n, meta(n))))
    await gateway.apply(update('a:e0', 1, { k: 1 }), update('b:e1', 1, { k: 0 }), remove('a:e2'))
    await gateway.moveTo(1)
    await gateway.apply(create('c:only'))
    await gateway.moveTo(2)
    await gateway.apply(...Array.from({ length: 900 }, (_, n) => update(`big:e${n}`, n, meta(n + 1))))
    head = await gateway.apply(remove('big:e5'), remove('a:e0'), create('a:last', 1, meta(0)))
  })
  const streams: OpenStream[] = []
  afterAll(() => {
    for (const stream of streams) stream.cut()
    return gateway.close()
  })

  /** Reads a stream until it is synced. Returns the code if it fails. */
  async function read(variables: object, transport: Transport = 'ws'): Promise<Batch[] | string> {
    const stream = openStream(transport, gateway.endpoint, CHANGES, variables)
    try {
      const batches: Batch[] = []
      for (;;) {
        const batch = await result(stream)
        if (typeof batch === 'string') return batch
        batches.push(batch)
        if (batch.synced) return batches
      }
    } finally {
      stream.cut()
    }
  }
  async function whole(variables: object): Promise<Batch[]> {
    const batches = await read(variables)
    if (typeof batches === 'string') throw new Error(batches)
    return batches
  }
  const changesOf = (batches: readonly Batch[]) => batches.flatMap(({ changes }) => changes)

  // Regression: with another filter, a cursor of the initial pages gave the rest of them, and earlier entries were missing.
  it('resumes what the uncut stream would have sent, or is INVALID_CURSOR, with any filter, place and transport', async () => {
    const known = new Map<string, Promise<Batch[]>>()
    // Nothing is written meanwhile, so each uncut stream is read once.
    const uncutOf = (variables: object) => {
      const key = JSON.stringify(variables)
      const batches = known.get(key) ?? whole(variables)
      known.set(key, batches)
      return batches
    }
    await fc.assert(
      fc.asyncProperty(
        filter,
        fc.oneof(fc.constant('initial' as const), fc.nat(8)),
        fc.nat(),
        fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: filter }),
        fc.constantFrom(...TRANSPORTS),
        fc.boolean(),
        async (first, start, at, other, transport, initial) => {
          const from = start === 'initial' ? { initial: true } : { afterRevision: Math.min(start, head) }
          const uncut = await uncutOf({ ...first.variables, ...from })
          const cut = at % uncut.length
          const { cursor, revision, complete } = uncut[cut]!
          const second = other ?? { row: first.row, variables: FILTERS[first.row]![at % FILTERS[first.row]!.length]! }
          const resumed = await read({ ...second.variables, after: cursor, initial }, transport)

          const isWithinInitial = start === 'initial' && !complete
          if (isWithinInitial && second.row !== first.row) {
            expect(resumed).toBe('INVALID_CURSOR')
            return
          }
          expect(resumed).toBeInstanceOf(Array)
          const sent = changesOf(resumed as Batch[])
          if (second.row === first.row) expect(sent).toEqual(changesOf(uncut.slice(cut + 1)))
          else if (complete)
            expect(sent).toEqual(changesOf(await uncutOf({ ...second.variables, afterRevision: revision })))
          else {
            // It begins within a revision, so the rest of that is a part of what another filter sees of it.
            const later = changesOf(await uncutOf({ ...second.variables, afterRevision: revision }))
            const all = changesOf(await uncutOf({ ...second.variables, afterRevision: revision - 1 }))
            expect(sent.length).toBeGreaterThanOrEqual(later.length)
            expect(sent).toEqual(all.slice(all.length - sent.length))
          }
        },
      ),
      { numRuns: backend === 'memory' ? 60 : 30 },
    )
  })

  it.each(TRANSPORTS)(
    'comes with what was read, and begins right after it: snapshots, transitions, pages, over %s',
    async (transport) => {
      const { transitions, snapshot, past, entries, byRevision } = await gateway.data(`{
      transitions(last: 3) { nodes { revision cursor } }
      snapshot { revision cursor entries(first: 2) { revision cursor } namespace(name: "a", first: 1) { revision cursor } }
      past: snapshot(at: {revision: 4}) { revision cursor entries(orderBy: ID_DESC, first: 1) { revision cursor } }
      entries(find: {k: 1}, first: 1) { revision cursor nodes { history(first: 1) { revision cursor } } }
      byRevision: entries(orderBy: REVISION_DESC, first: 1) { revision cursor }
    }`)
      const read = [
        ...transitions.nodes,
        snapshot,
        snapshot.entries,
        snapshot.namespace,
        past,
        past.entries,
        entries,
        byRevision,
      ]
      read.push(...entries.nodes.map(({ history }: any) => history))
      expect(new Set(read.map(({ revision }) => revision)).size).toBeGreaterThan(2)
      const { applied } = await gateway.data(
        'mutation { applied: applyVersion(input: {version: 3}) { ... on Applied { transition { revision cursor } } } }',
      )
      await gateway.apply(create(`a:since-${transport}`))
      for (const { revision, cursor } of [...read, applied.transition]) {
        const expected = await whole({ afterRevision: revision })
        const resumed = await result(openedStream(transport, { after: cursor }))
        expect(resumed).toEqual(expected[0])
        expect(changesOf(await whole({ after: cursor, initial: true }))).toEqual(changesOf(expected))
      }
    },
  )
  function openedStream(transport: Transport, variables: object): OpenStream {
    const stream = openStream(transport, gateway.endpoint, CHANGES, variables)
    streams.push(stream)
    return stream
  }

  it('within initial pages is taken with `find` and `where` mixed, their keys in any order, and with no other filter', async () => {
    const both = {
      find: { '.ns': 'big', '~.name': '^e' },
      where: { meta: [{ path: 'k', eq: 1 }], kind: { eq: 'test.thing' } },
    }
    const [first, ...rest] = await whole({ ...both, initial: true })
    expect(first!.complete).toBe(false)
    const same = [
      both,
      { where: { kind: { eq: 'test.thing' }, meta: [{ eq: 1, path: 'k' }] }, find: { '~.name': '^e', '.ns': 'big' } },
      { where: { kind: { eq: 'test.thing' }, ns: { eq: 'big' }, name: { regex: '^e' }, meta: [{ path: 'k', eq: 1 }] } },
      { find: { '.kind': 'test.thing', k: 1, '.ns': 'big', '~.name': '^e' } },
      { find: { k: 1, '.ns': 'big' }, where: { and: [{ kind: { eq: 'test.thing' } }, { name: { regex: '^e' } }] } },
    ]
    for (const filter of same)
      expect(changesOf(await whole({ ...filter, after: first!.cursor }))).toEqual(changesOf(rest))
    const others = [
      {},
      { find: both.find },
      { where: both.where },
      { ...both, find: { ...both.find, '.ns': 'a' } },
      { ...both, find: { ...both.find, '^.name': 'e' } },
      { ...both, where: { ...both.where, meta: [{ path: 'k', eq: '1' }] } },
      { ...both, where: { or: [both.where], not: { ns: { eq: 'x' } } } },
    ]
    for (const filter of others)
      expect(await read({ ...filter, after: first!.cursor }), JSON.stringify(filter)).toBe('INVALID_CURSOR')
  })
})
