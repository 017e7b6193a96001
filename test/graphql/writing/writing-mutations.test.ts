import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { APPLY, APPLY_VERSION, create, type Gateway, openGateway, remove, update } from '../schema-fixture.js'

let gateway: Gateway

beforeEach(() => {
  gateway = openGateway()
})
afterEach(() => gateway.close())

const send = async (input: Record<string, unknown>) => (await gateway.data(APPLY, { input })).applyChangeset
const move = async (input: Record<string, unknown>) => (await gateway.data(APPLY_VERSION, { input })).applyVersion
const codes = (answer: any) => answer.problems.map(({ code, operation }: any) => [code, operation])

const FULL = /* GraphQL */ `
  mutation ($input: ApplyChangesetInput!) {
    applyChangeset(input: $input) {
      ... on Applied {
        version { number isHead message author } transition { revision kind from { number } to { number } changes { totalCount } }
        changes { kind entryId entry { id data entry { data } } previous { id data } }
        delta { created updated deleted operations { kind entryId entry { data } original { data } } } dryRun replayed
      }
      ... on Refused { problems { code } }
    }
  }
`

describe('a changeset that is applied', () => {
  it('returns the version, the transition, the changes and the delta', async () => {
    await gateway.apply(create('a:x', {}, 1), create('a:y', {}, 2))
    const { applyChangeset } = await gateway.data(FULL, {
      input: { message: 'why', operations: [create('a:z', {}, 3), update('a:x', {}, 9), remove('a:y')] },
    })
    expect(applyChangeset).toEqual({
      version: { number: 2, isHead: true, message: 'why', author: 'tester' },
      transition: {
        revision: 2,
        kind: 'CHANGESET',
        from: { number: 1 },
        to: { number: 2 },
        changes: { totalCount: 3 },
      },
      changes: [
        { kind: 'DELETE', entryId: 'a:y', entry: null, previous: { id: 'r1/a:y', data: 2 } },
        {
          kind: 'UPDATE',
          entryId: 'a:x',
          entry: { id: 'r2/a:x', data: 9, entry: { data: 9 } },
          previous: { id: 'r1/a:x', data: 1 },
        },
        { kind: 'CREATE', entryId: 'a:z', entry: { id: 'r2/a:z', data: 3, entry: { data: 3 } }, previous: null },
      ],
      delta: {
        created: 1,
        updated: 1,
        deleted: 1,
        operations: [
          { kind: 'DELETE', entryId: 'a:y', entry: null, original: { data: 2 } },
          { kind: 'UPDATE', entryId: 'a:x', entry: { data: 9 }, original: { data: 1 } },
          { kind: 'CREATE', entryId: 'a:z', entry: { data: 3 }, original: null },
        ],
      },
      dryRun: false,
      replayed: false,
    })
  })

  it('shows the registry as it is after each of several writes in one request', async () => {
    const { a, b } = await gateway.data(
      `mutation ($x: JSON, $y: JSON) {
      a: applyChangeset(input: {operations: [{create: {id: "a:x", kind: "k", data: $x}}]}) { ... on Applied { version { number isHead } changes { entry { entry { data } } } } }
      b: applyChangeset(input: {operations: [{update: {id: {ns: "a", name: "x"}, kind: "k", data: $y}}]}) { ... on Applied { version { number isHead } changes { entry { entry { data } } } } }
    }`,
      { x: 1, y: 2 },
    )
    expect([a.changes[0].entry.entry.data, b.changes[0].entry.entry.data]).toEqual([1, 2])
    expect([a.version, b.version]).toEqual([
      { number: 1, isHead: true },
      { number: 2, isHead: true },
    ])
  })

  it('lists all of its changes, however many there are, and reads them only for a repeated request', async () => {
    const operations = Array.from({ length: 12_345 }, (_, n) => create(`a:${n}`))
    for (const reads of [undefined, 2]) {
      const { applyChangeset } = await gateway.data(
        'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { ... on Applied { changes { entryId } } } }',
        { input: { operations, idempotencyKey: 'many' } },
      )
      expect(new Set(applyChangeset.changes.map(({ entryId }: any) => entryId)).size).toBe(12_345)
      expect(gateway.calls.get('changesOf')).toBe(reads)
    }
  })

  it('does not read its changes unless they are selected', async () => {
    await gateway.apply(create('a:x'))
    expect(gateway.calls.has('changesOf')).toBe(false)
  })

  it('reports what would change in a dry run, and changes nothing', async () => {
    const { applyChangeset } = await gateway.data(FULL, { input: { dryRun: true, operations: [create('a:x', {}, 1)] } })
    expect(applyChangeset).toMatchObject({
      version: { number: 0 },
      transition: null,
      changes: [],
      delta: { created: 1, operations: [{ kind: 'CREATE', entryId: 'a:x' }] },
      dryRun: true,
    })
    expect((await gateway.data('{ entry(id: "a:x") { id } }')).entry).toBeNull()
  })

  it('is applied once for the same idempotency key, with the same answer', async () => {
    const input = { idempotencyKey: 'k1', operations: [create('a:x', {}, 1)] }
    const first = (await gateway.data(FULL, { input })).applyChangeset
    await gateway.apply(update('a:x', {}, 2))
    const again = (await gateway.data(FULL, { input })).applyChangeset
    expect(again.replayed).toBe(true)
    expect(again.transition).toEqual(first.transition)
    expect(again.delta).toEqual(first.delta)
    expect(again.changes.map(({ kind, entryId }: any) => [kind, entryId])).toEqual([['CREATE', 'a:x']])
    expect(codes(await send({ ...input, operations: [create('a:other')] }))).toEqual([['IDEMPOTENCY_KEY_REUSED', null]])
  })

  it('shows a replacement by another kind as a delete and a create', async () => {
    await gateway.apply(create('a:x', {}, 1))
    const { applyChangeset } = await gateway.data(FULL, {
      input: { operations: [create('a:x', {}, 2, 'other.kind'), remove('a:x')] },
    })
    expect(applyChangeset.changes.map(({ kind }: any) => kind)).toEqual(['DELETE', 'CREATE'])
  })
})

describe('a changeset that is refused', () => {
  it('lists every problem with its operation and the current entry', async () => {
    const base = await gateway.apply(create('a:there', {}, 'old'), create('a:fenced'), create('a:kinded'))
    await gateway.apply(update('a:fenced', {}, 1))
    const answer = await send({
      operations: [
        create('a:there'),
        update('a:missing'),
        remove('a:missing2'),
        update('a:kinded', {}, null, 'other.kind'),
        create('no colon'),
        create('a:badkind', {}, null, 'not a kind'),
        create('a:nul', {}, 'x\u0000y'),
        create('a:inf', {}, { deep: [Infinity] }),
        { update: { id: 'a:fenced', kind: 'test.thing', ifRevision: base } },
        create('a:fine'),
        create('a:fine'),
        create({ ns: 'a b', name: 'c' }),
      ],
    })
    expect(answer.__typename).toBe('Refused')
    expect(codes(answer).sort((a: any, b: any) => a[1] - b[1])).toEqual([
      ['ENTRY_EXISTS', 0],
      ['ENTRY_NOT_FOUND', 1],
      ['ENTRY_NOT_FOUND', 2],
      ['KIND_MISMATCH', 3],
      ['INVALID_ENTRY', 4],
      ['INVALID_ENTRY', 5],
      ['INVALID_ENTRY', 6],
      ['INVALID_ENTRY', 7],
      ['CONFLICT', 8],
      ['DUPLICATE_OPERATION', 10],
      ['INVALID_ENTRY', 11],
    ])
    const of = (operation: number) => answer.problems.find((problem: any) => problem.operation === operation)
    expect(of(4).entryId).toBe('no colon')
    expect(of(8).current).toEqual({ entryId: 'a:fenced', revision: 2 })
    expect(answer.message).toMatch(/^11 problems. The first one: /)
    expect(answer.message).not.toContain('\n')
    expect((await gateway.data('{ currentVersion { number } }')).currentVersion.number).toBe(2)
  })

  it('reports an empty list, a moved head and a future base', async () => {
    await gateway.apply(create('a:x'))
    expect(codes(await send({ operations: [] }))).toEqual([['EMPTY_CHANGESET', null]])
    expect(codes(await send({ operations: [create('a:y')], expectedHead: 0 }))).toEqual([['HEAD_MOVED', null]])
    expect(codes(await send({ operations: [create('a:y')], base: 99 }))).toEqual([['REVISION_NOT_FOUND', null]])
    await gateway.apply(update('a:x', {}, 2))
    expect(codes(await send({ operations: [update('a:x', {}, 3), create('a:y')], base: 1 }))).toEqual([['CONFLICT', 0]])
  })

  it('refuses a number beyond the range of a double, instead of reading it as null', async () => {
    const { applyChangeset } = await gateway.data(
      'mutation { applyChangeset(input: {operations: [{create: {id: "a:x", kind: "k", data: {n: 1e400}}}]}) { ... on Refused { problems { code operation } } } }',
    )
    expect(applyChangeset.problems).toEqual([{ code: 'INVALID_ENTRY', operation: 0 }])
  })
})

describe('an invalid request', () => {
  it.each([
    ['no operation given', { operations: [{}] }],
    ['two operations in one', { operations: [{ ...create('a:x'), ...remove('a:x') }] }],
    ['an operation that is null', { operations: [{ create: null }] }],
    ['an id of another JSON type', { operations: [create(7)] }],
    ['meta that is a list', { operations: [create('a:x', [])] }],
    ['a revision that is a text', { operations: [], base: '1' }],
    ['a revision beyond 2^53', { operations: [], base: 2 ** 53 }],
    ['a field that is unknown', { operations: [], nonsense: 1 }],
    ['no operations', {}],
    ['a message with U+0000', { operations: [create('a:x')], message: 'a\u0000b' }],
    ['a message with a lone surrogate', { operations: [create('a:x')], message: '\ud800' }],
    ['a message too long', { operations: [create('a:x')], message: 'ü'.repeat(32_769) }],
    ['an idempotency key with a lone surrogate', { operations: [create('a:x')], idempotencyKey: 'x\udc00' }],
    ['an idempotency key too long', { operations: [create('a:x')], idempotencyKey: 'ü'.repeat(128) }],
    ['an idempotency key that is empty', { operations: [create('a:x')], idempotencyKey: '' }],
  ])('is BAD_USER_INPUT: %s', async (_name, input) => {
    expect(await gateway.code(APPLY, { input })).toBe('BAD_USER_INPUT')
    expect((await gateway.data('{ currentVersion { number } }')).currentVersion.number).toBe(0)
  })

  it('is BAD_USER_INPUT: an author that cannot be stored', async () => {
    const odd = openGateway(undefined, 'a\u0000b')
    expect(await odd.code(APPLY, { input: { operations: [create('a:x')] } })).toBe('BAD_USER_INPUT')
    await odd.close()
  })

  it('is accepted up to the limits', async () => {
    const input = { operations: [create('a:x')], message: 'ü😀'.repeat(10_922), idempotencyKey: 'k'.repeat(255) }
    expect((await send(input)).__typename).toBe('Applied')
    expect((await gateway.data('{ currentVersion { message } }')).currentVersion.message).toBe(input.message)
  })
})

describe('applying a version', () => {
  beforeEach(async () => {
    await gateway.apply(create('a:x', {}, 1))
    await gateway.apply(update('a:x', {}, 2), create('a:y'))
  })

  it('moves the head in one transition, and makes no version', async () => {
    expect(await move({ version: 1, message: 'back' })).toEqual({
      __typename: 'Applied',
      version: { number: 1 },
      transition: { revision: 3 },
      changes: [
        { kind: 'DELETE', entryId: 'a:y' },
        { kind: 'UPDATE', entryId: 'a:x' },
      ],
      delta: { created: 0, updated: 1, deleted: 1 },
      dryRun: false,
      replayed: false,
    })
    expect(
      await gateway.data('{ versions { totalCount } entry(id: "a:x") { data revision version { number } } }'),
    ).toEqual({
      versions: { totalCount: 3 },
      entry: { data: 1, revision: 3, version: { number: 1 } },
    })
  })

  it('succeeds without a change if it is already the head', async () => {
    expect(await move({ version: 2 })).toMatchObject({
      version: { number: 2 },
      transition: null,
      changes: [],
      delta: { created: 0, updated: 0, deleted: 0 },
    })
  })

  it('supports dry runs, fences and idempotency keys', async () => {
    expect(await move({ version: 0, dryRun: true })).toMatchObject({
      version: { number: 2 },
      transition: null,
      changes: [],
      delta: { deleted: 2 },
      dryRun: true,
    })
    expect(codes(await move({ version: 0, expectedHead: 1 }))).toEqual([['HEAD_MOVED', undefined]])
    expect(codes(await move({ version: 99 }))).toEqual([['VERSION_NOT_FOUND', undefined]])
    const input = { version: 1, idempotencyKey: 'm', force: true }
    expect(await move(input)).toMatchObject({ replayed: false, transition: { revision: 3 } })
    await move({ version: 2 })
    expect(await move(input)).toMatchObject({ replayed: true, transition: { revision: 3 } })
  })

  it('branches history: the next changeset continues from there', async () => {
    await move({ version: 1 })
    await gateway.apply(create('a:z'))
    expect(
      await gateway.data('{ version(number: 1) { children { number } } currentVersion { previous { number } } }'),
    ).toEqual({
      version: { children: [{ number: 2 }, { number: 3 }] },
      currentVersion: { previous: { number: 1 } },
    })
  })
})
