import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../src/core/dependency/default-dependency-patterns.js'
import { fingerprint } from '../../src/server/gateway.js'
import { openStore } from '../../src/store/providers/open-store.js'
import { historyOptions } from '../support/commit-requests.js'
import {
  applied,
  BACKENDS_WITH_HISTORY,
  codesOf,
  create,
  remove,
  startTestGateway,
  type TestGateway,
  update,
} from './gateway-fixture.js'

describe.each(BACKENDS_WITH_HISTORY)('changesets, over %s', (backend) => {
  let gateway: TestGateway
  beforeAll(async () => {
    gateway = await startTestGateway(backend)
  })
  afterAll(() => gateway.close())

  let n = 0
  /** Makes a namespace for one test. */
  let ns: string
  beforeEach(() => {
    ns = `t${++n}`
  })

  const line = async () => {
    const { currentVersion, snapshot } = await gateway.data('{ currentVersion { number } snapshot { revision } }')
    return { version: currentVersion.number as number, revision: snapshot.revision as number }
  }
  const unchanged = async (work: () => Promise<unknown>) => {
    const before = await line()
    await work()
    expect(await line()).toEqual(before)
  }

  describe('a changeset', () => {
    it('makes one version and one transition, and reports all of it', async () => {
      const before = await line()
      const result = await gateway.applyChangeset(
        { operations: [create(`${ns}:a`, { k: 1 }), create(`${ns}:b`)], message: 'why, ünïcode\n2nd line' },
        { 'X-Cadastre-Author': 'me' },
      )
      expect(result).toEqual({
        __typename: 'Applied',
        dryRun: false,
        replayed: false,
        version: { number: before.version + 1, author: 'me', message: 'why, ünïcode\n2nd line' },
        transition: {
          revision: before.revision + 1,
          kind: 'CHANGESET',
          from: { number: before.version },
          to: { number: before.version + 1 },
        },
        changes: ['a', 'b'].map((name) => ({
          kind: 'CREATE',
          entryId: `${ns}:${name}`,
          previous: null,
          entry: {
            id: `r${before.revision + 1}/${ns}:${name}`,
            revision: before.revision + 1,
            version: { number: before.version + 1 },
            data: name === 'a' ? { k: 1 } : null,
          },
        })),
        delta: {
          created: 2,
          updated: 0,
          deleted: 0,
          operations: ['a', 'b'].map((name) => ({
            kind: 'CREATE',
            entryId: `${ns}:${name}`,
            original: null,
            entry: { kind: 'test.thing', meta: {}, data: name === 'a' ? { k: 1 } : null },
          })),
        },
      })
    })

    it('changes nothing if one operation is refused', () =>
      unchanged(async () => {
        expect(
          await gateway.refused({ operations: [create(`${ns}:a`), remove(`${ns}:missing`), create(`${ns}:b`)] }),
        ).toEqual(['ENTRY_NOT_FOUND@1'])
        expect(
          (await gateway.data('query ($id: EntryID!) { entry(id: $id) { id } }', { id: `${ns}:a` })).entry,
        ).toBeNull()
      }))

    it('has no author by default, and the author in the header if there is one', async () => {
      expect((await gateway.applyChangeset({ operations: [create(`${ns}:a`)] })).version).toEqual({
        number: expect.any(Number),
        author: null,
        message: null,
      })
      const { version } = await gateway.applyChangeset(
        { operations: [create(`${ns}:b`)] },
        { 'X-Cadastre-Author': Buffer.from('Zoë').toString('latin1') },
      )
      expect(version.author).toBe('Zoë')
    })

    it('needs at least one operation', () =>
      unchanged(async () => {
        expect(await gateway.refused({ operations: [] })).toEqual(['EMPTY_CHANGESET'])
        expect((await gateway.refused({ operations: [], expectedHead: 99_999, base: 99_999 })).sort()).toEqual([
          'EMPTY_CHANGESET',
          'HEAD_MOVED',
          'REVISION_NOT_FOUND',
        ])
      }))

    it('requires exactly one of create, update and delete in each operation', () =>
      unchanged(async () => {
        const document = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
        for (const operation of [
          {},
          { ...create(`${ns}:a`), ...remove(`${ns}:a`) },
          { create: null },
          { replace: {} },
          null,
          'x',
        ]) {
          expect(await gateway.code(document, { input: { operations: [operation] } })).toBe('BAD_USER_INPUT')
        }
        expect(await gateway.code(document, { input: {} })).toBe('BAD_USER_INPUT')
      }))
  })

  describe('problems', () => {
    it('reports the problems of all operations together, in the order of the operations, each with the current entry', async () => {
      const base = (await line()).revision
      await gateway.apply(create(`${ns}:there`, 'was'), create(`${ns}:changed`), create(`${ns}:kind`))
      const held = await gateway.apply(update(`${ns}:changed`, 2))
      await unchanged(async () => {
        const result = await gateway.applyChangeset({
          operations: [
            create(`${ns}:new`),
            create(`${ns}:there`),
            update(`${ns}:missing`),
            remove(`${ns}:gone`),
            update(`${ns}:kind`, 1, {}, 'other'),
            create('no colon'),
            create(`${ns}:bad`, 1, {}, 'bad kind'),
            create(`${ns}:twice`),
            create(`${ns}:twice`),
            { update: { id: `${ns}:changed`, kind: 'test.thing', ifRevision: base } },
            create('a b:c', '\u0000', {}, ''),
            create(`${ns}:large`, 'x'.repeat(1024 * 1024)),
          ],
          expectedHead: 0,
        })
        expect(codesOf(result)).toEqual([
          'HEAD_MOVED',
          'ENTRY_EXISTS@1',
          'ENTRY_NOT_FOUND@2',
          'ENTRY_NOT_FOUND@3',
          'KIND_MISMATCH@4',
          'INVALID_ENTRY@5',
          'INVALID_ENTRY@6',
          'DUPLICATE_OPERATION@8',
          'CONFLICT@9',
          'INVALID_ENTRY@10',
          'INVALID_ENTRY@10',
          'INVALID_ENTRY@10',
          'TOO_LARGE@11',
        ])
        expect(result.message).toContain('13')
        const at = (index: number) => result.problems.find(({ operation }: any) => operation === index)
        expect(at(1)).toMatchObject({
          entryId: `${ns}:there`,
          current: { id: `${ns}:there`, data: 'was', kind: 'test.thing' },
          participant: null,
        })
        expect(at(2)).toMatchObject({ entryId: `${ns}:missing`, current: null })
        expect(at(4)).toMatchObject({ entryId: `${ns}:kind`, current: { kind: 'test.thing' } })
        expect(at(5)).toMatchObject({ entryId: 'no colon', current: null })
        expect(at(9)).toMatchObject({ entryId: `${ns}:changed`, current: { revision: held, data: 2 } })
        for (const { message } of result.problems) expect(message.length).toBeGreaterThan(15)
      })
    })

    it('does not mistake a malformed id for the entry that it resembles', async () => {
      expect(
        await gateway.refused({
          operations: [
            create(`${ns}:a:b`),
            create({ ns: `${ns}:a`, name: 'b' }),
            create(`${ns}:\ud83d`),
            create(`${ns}:\ufffd`),
          ],
        }),
      ).toEqual(['INVALID_ENTRY@1', 'INVALID_ENTRY@2'])
    })

    it('allows one operation for each id, except a delete with a create, and reports each further one', async () => {
      const there = `${ns}:there`
      const none = `${ns}:none`
      await gateway.apply(create(there))
      await unchanged(async () => {
        const D = 'DUPLICATE_OPERATION'
        expect(await gateway.refused({ operations: [update(there), update(there)] })).toEqual([`${D}@1`])
        expect(await gateway.refused({ operations: [update(there), remove(there)] })).toEqual([`${D}@1`])
        expect(await gateway.refused({ operations: [create(none), update(none)] })).toEqual([`${D}@1`])
        expect(await gateway.refused({ operations: [remove(there), remove(there)] })).toEqual([`${D}@1`])
        expect(await gateway.refused({ operations: [create(none), create(none), create(none)] })).toEqual([
          `${D}@1`,
          `${D}@2`,
        ])
        expect(await gateway.refused({ operations: [remove(there), create(there), create(there)] })).toEqual([
          `${D}@1`,
          `${D}@2`,
        ])
        expect(await gateway.refused({ operations: [remove(there), create(there), update(there)] })).toEqual([
          `${D}@1`,
          `${D}@2`,
        ])
        expect(
          await gateway.refused({ operations: [remove(there), update(there), create(there), remove(`${ns}:gone`)] }),
        ).toEqual([`${D}@1`, `${D}@2`, 'ENTRY_NOT_FOUND@3'])
        expect(await gateway.refused({ operations: [create(there), create(there)] })).toEqual([
          'ENTRY_EXISTS@0',
          `${D}@1`,
        ])
        expect(await gateway.refused({ operations: [create(there), update(there), remove(there)] })).toEqual([
          'ENTRY_EXISTS@0',
          `${D}@1`,
          `${D}@2`,
        ])
        expect(await gateway.refused({ operations: [remove(none), create(none)] })).toEqual(['ENTRY_NOT_FOUND@0'])
        expect(await gateway.refused({ operations: [create(none), remove(none)] })).toEqual(['ENTRY_NOT_FOUND@1'])
      })
    })
  })

  describe('a replacement', () => {
    it('of the same kind is shown as one UPDATE everywhere, among the creates and updates', async () => {
      const first = await gateway.apply(create(`${ns}:m`, 1), create(`${ns}:z`, 1))
      for (const [round, operations] of [
        [remove(`${ns}:m`), create(`${ns}:m`, 2)],
        [create(`${ns}:m`, 3), remove(`${ns}:m`)],
      ].entries()) {
        const result = await gateway.applyChangeset({
          operations: [...operations, create(`${ns}:a${round}`), remove(`${ns}:z`)],
        })
        expect(result.delta).toMatchObject({ created: 1, updated: 1, deleted: 1 })
        const shown = result.changes.map(({ kind, entryId }: any) => `${kind} ${entryId.split(':')[1][0]}`)
        expect(shown).toEqual(['DELETE z', 'CREATE a', 'UPDATE m'])
        expect(result.delta.operations.map(({ kind, entryId }: any) => `${kind} ${entryId.split(':')[1][0]}`)).toEqual(
          shown,
        )
        const { version, transitions } = await gateway.data(
          'query ($n: SafeInt!) { version(number: $n) { changeset { created updated deleted operations { totalCount nodes { kind } } } } transitions(last: 1) { nodes { changes { totalCount nodes { kind previous { data } } } } } }',
          { n: result.version.number },
        )
        expect(version.changeset).toMatchObject({
          created: 1,
          updated: 1,
          deleted: 1,
          operations: { totalCount: 3, nodes: [{ kind: 'DELETE' }, { kind: 'CREATE' }, { kind: 'UPDATE' }] },
        })
        expect(transitions.nodes[0].changes).toMatchObject({
          totalCount: 3,
          nodes: [{ kind: 'DELETE' }, { kind: 'CREATE' }, { kind: 'UPDATE', previous: { data: expect.any(Number) } }],
        })
        await gateway.apply(create(`${ns}:z`, 1))
      }
      const { entry } = await gateway.data(
        'query ($id: EntryID!) { entry(id: $id) { data history { totalCount nodes { revision } } } }',
        { id: `${ns}:m` },
      )
      expect(entry).toMatchObject({ data: 3, history: { totalCount: 3 } })
      expect(entry.history.nodes[2].revision).toBe(first)
    })

    it('of another kind is shown as a DELETE and then a CREATE', async () => {
      await gateway.apply(create(`${ns}:m`, 1, {}, 'one'))
      const result = await gateway.applyChangeset({
        operations: [create(`${ns}:m`, 2, {}, 'two'), remove(`${ns}:m`), create(`${ns}:a`)],
      })
      expect(
        result.changes.map(({ kind, entryId, entry, previous }: any) => [
          kind,
          entryId.split(':')[1],
          entry?.data ?? null,
          previous?.data ?? null,
        ]),
      ).toEqual([
        ['DELETE', 'm', null, 1],
        ['CREATE', 'a', null, null],
        ['CREATE', 'm', 2, null],
      ])
      expect(result.delta).toMatchObject({ created: 2, updated: 0, deleted: 1 })
      const { entry, version } = await gateway.data(
        'query ($id: EntryID!, $n: SafeInt!) { entry(id: $id) { kind history { totalCount nodes { kind } } } version(number: $n) { changeset { created updated deleted operations(first: 2) { totalCount nodes { kind } pageInfo { endCursor hasNextPage } } } } }',
        { id: `${ns}:m`, n: result.version.number },
      )
      expect(entry).toEqual({ kind: 'two', history: { totalCount: 2, nodes: [{ kind: 'two' }, { kind: 'one' }] } })
      expect(version.changeset).toMatchObject({
        created: 2,
        updated: 0,
        deleted: 1,
        operations: { totalCount: 3, nodes: [{ kind: 'DELETE' }, { kind: 'CREATE' }], pageInfo: { hasNextPage: true } },
      })
      const rest = await gateway.data(
        'query ($n: SafeInt!, $after: String) { version(number: $n) { changeset { operations(first: 2, after: $after) { nodes { kind entryId } pageInfo { hasNextPage hasPreviousPage } } } } }',
        { n: result.version.number, after: version.changeset.operations.pageInfo.endCursor },
      )
      expect(rest.version.changeset.operations).toEqual({
        nodes: [{ kind: 'CREATE', entryId: `${ns}:m` }],
        pageInfo: { hasNextPage: false, hasPreviousPage: true },
      })
      const { delta } = await gateway.data(
        'query ($r: SafeInt!) { delta(from: {revision: $r}, to: {version: 0}) { operations { kind entryId } } }',
        { r: result.transition.revision },
      )
      expect(delta.operations.filter(({ entryId }: any) => entryId === `${ns}:m`)).toEqual([
        { kind: 'DELETE', entryId: `${ns}:m` },
      ])
    })

    it('is fenced by the ifRevision of its delete', async () => {
      const revision = await gateway.apply(create(`${ns}:m`, 1))
      expect(
        await gateway.refused({ operations: [create(`${ns}:m`, 2), remove(`${ns}:m`, { ifRevision: revision - 1 })] }),
      ).toEqual(['CONFLICT@1'])
      await gateway.apply(create(`${ns}:m`, 2), remove(`${ns}:m`, { ifRevision: revision }))
    })
  })

  it('treats an update to equal content like any other update', async () => {
    await gateway.apply(create(`${ns}:a`, { x: 1 }))
    const result = await gateway.applyChangeset({ operations: [update(`${ns}:a`, { x: 1 })] })
    expect(result.delta).toMatchObject({ updated: 1, operations: [{ kind: 'UPDATE' }] })
    expect(
      (
        await gateway.data('query ($id: EntryID!) { entry(id: $id) { revision history { totalCount } } }', {
          id: `${ns}:a`,
        })
      ).entry,
    ).toEqual({ revision: result.transition.revision, history: { totalCount: 2 } })
  })

  describe('order', () => {
    const names = (result: any) =>
      applied(result)
        .changes.map(({ entryId }: any) => entryId.split(':')[1])
        .join(' ')
    const on = (name: string, ...targets: string[]) =>
      create(`${ns}:${name}`, null, { depends_on: targets.map((each) => `${ns}:${each}`) })

    it('does not depend on the order sent: dependencies first, ties by id, deletes in reverse', async () => {
      const operations = [
        on('app', 'db', 'web'),
        on('web', 'db'),
        on('db'),
        on('alone'),
        on('zeta', 'alone'),
        on('dangling', 'nowhere'),
      ]
      for (const shuffled of [operations, [...operations].reverse(), [...operations].sort(() => 0.5)]) {
        const result = await gateway.applyChangeset({ operations: shuffled })
        expect(names(result)).toBe('alone dangling db web app zeta')
        const down = await gateway.applyChangeset({ operations: shuffled.map(({ create: { id } }) => remove(id)) })
        expect(names(down)).toBe('app dangling web db zeta alone')
      }
    })

    it('breaks a cycle at its smallest id', async () => {
      expect(
        names(await gateway.applyChangeset({ operations: [on('c', 'b'), on('b', 'a'), on('a', 'c'), on('d', 'd')] })),
      ).toBe('a b c d')
      expect(
        names(
          await gateway.applyChangeset({ operations: ['a', 'b', 'c', 'd'].map((each) => remove(`${ns}:${each}`)) }),
        ),
      ).toBe('a c b d')
    })

    it('uses the state before for deletes, and the state after for creates and updates', async () => {
      await gateway.applyChangeset({ operations: [on('x', 'y'), on('y'), on('p'), on('q')] })
      const result = await gateway.applyChangeset({
        operations: [
          remove(`${ns}:y`),
          remove(`${ns}:x`),
          update(`${ns}:p`, null, { depends_on: [`${ns}:q`] }),
          update(`${ns}:q`),
          create(`${ns}:b`, null, { depends_on: [`${ns}:p`] }),
        ],
      })
      expect(names(result)).toBe('x y q p b')
    })

    it('ignores dependencies through entries that are not in the changeset', async () => {
      await gateway.applyChangeset({ operations: [on('middle', 'z')] })
      expect(names(await gateway.applyChangeset({ operations: [on('a', 'middle'), on('z')] }))).toBe('a z')
    })
  })

  describe('fencing', () => {
    it('refuses with expectedHead unless that version is the head', async () => {
      const { version } = await line()
      expect(await gateway.refused({ operations: [create(`${ns}:a`)], expectedHead: version - 1 })).toEqual([
        'HEAD_MOVED',
      ])
      expect(await gateway.refused({ operations: [create(`${ns}:a`)], expectedHead: version + 1 })).toEqual([
        'HEAD_MOVED',
      ])
      expect(await gateway.refused({ operations: [create(`${ns}:a`)], expectedHead: -1 })).toEqual(['HEAD_MOVED'])
      applied(await gateway.applyChangeset({ operations: [create(`${ns}:a`)], expectedHead: version }))
    })

    it('refuses with base only if an entry of the changeset has changed since', async () => {
      const base = await gateway.apply(create(`${ns}:a`), create(`${ns}:b`), create(`${ns}:c`))
      const changed = await gateway.apply(update(`${ns}:b`, 2))
      applied(await gateway.applyChangeset({ operations: [update(`${ns}:a`, 3)], base }))
      const result = await gateway.applyChangeset({ operations: [update(`${ns}:c`, 3), update(`${ns}:b`, 3)], base })
      expect(codesOf(result)).toEqual(['CONFLICT@1'])
      expect(result.problems[0]).toMatchObject({ entryId: `${ns}:b`, current: { revision: changed, data: 2 } })
      applied(await gateway.applyChangeset({ operations: [update(`${ns}:b`, 3)], base: changed }))
    })

    it('refuses with base entries that were deleted, created or recreated since, with no other problem', async () => {
      const base = await gateway.apply(create(`${ns}:gone`, 1), create(`${ns}:recreated`, 1))
      await gateway.apply(remove(`${ns}:gone`), remove(`${ns}:recreated`))
      await gateway.apply(create(`${ns}:recreated`, 1), create(`${ns}:made`, 1))
      const result = await gateway.applyChangeset({
        base,
        operations: [
          update(`${ns}:gone`, 2),
          update(`${ns}:recreated`, 2, {}, 'other'),
          create(`${ns}:made`),
          remove(`${ns}:never`),
          create(`${ns}:new`),
        ],
      })
      expect(codesOf(result)).toEqual(['CONFLICT@0', 'CONFLICT@1', 'CONFLICT@2', 'ENTRY_NOT_FOUND@3'])
      expect(result.problems.map(({ current }: any) => current?.data ?? null)).toEqual([null, 1, 1, null])
      // Each operation of the pair has a problem.
      expect(
        await gateway.refused({ base, operations: [remove(`${ns}:recreated`), create(`${ns}:recreated`)] }),
      ).toEqual(['CONFLICT@0', 'CONFLICT@1'])
      expect(
        await gateway.refused({
          base,
          operations: [{ update: { id: `${ns}:recreated`, kind: 'other', ifRevision: 1 } }],
        }),
      ).toEqual(['CONFLICT@0'])
      // An entry that was created and deleted again has changed too.
      await gateway.apply(remove(`${ns}:made`))
      expect(await gateway.refused({ base, operations: [create(`${ns}:made`)] })).toEqual(['CONFLICT@0'])
    })

    it('counts a rollback as a change for base', async () => {
      const { version } = await line()
      const base = await gateway.apply(create(`${ns}:a`))
      const made = (await line()).version
      await gateway.moveTo(version)
      await gateway.moveTo(made)
      expect(await gateway.refused({ base, operations: [update(`${ns}:a`)] })).toEqual(['CONFLICT@0'])
    })

    it('refuses a base that is not a revision with REVISION_NOT_FOUND', async () => {
      const { revision } = await line()
      expect(
        await gateway.refused({ base: revision + 1, operations: [create(`${ns}:a`), remove(`${ns}:none`)] }),
      ).toEqual(['REVISION_NOT_FOUND', 'ENTRY_NOT_FOUND@1'])
      expect(await gateway.refused({ base: -1, operations: [create(`${ns}:a`)] })).toEqual(['REVISION_NOT_FOUND'])
      applied(await gateway.applyChangeset({ base: revision, operations: [create(`${ns}:a`)] }))
      applied(await gateway.applyChangeset({ base: 0, operations: [create(`${ns}:b`)] }))
    })

    it('refuses one operation with ifRevision unless the entry has that revision', async () => {
      const first = await gateway.apply(create(`${ns}:a`))
      const second = await gateway.apply(update(`${ns}:a`, 2))
      const fenced = (ifRevision: number) => ({
        operations: [{ update: { id: `${ns}:a`, kind: 'test.thing', data: 3, ifRevision } }],
      })
      for (const wrong of [first, second + 1, 0, -1]) {
        const result = await gateway.applyChangeset(fenced(wrong))
        expect(codesOf(result)).toEqual(['CONFLICT@0'])
        expect(result.problems[0].current).toMatchObject({ revision: second, data: 2 })
      }
      applied(await gateway.applyChangeset(fenced(second)))
      expect(await gateway.refused({ operations: [remove(`${ns}:a`, { ifRevision: second })] })).toEqual(['CONFLICT@0'])
      expect(await gateway.refused({ operations: [remove(`${ns}:none`, { ifRevision: second })] })).toEqual([
        'ENTRY_NOT_FOUND@0',
      ])
      const { revision } = (
        await gateway.data('query ($id: EntryID!) { entry(id: $id) { revision } }', { id: `${ns}:a` })
      ).entry
      applied(await gateway.applyChangeset({ operations: [remove(`${ns}:a`, { ifRevision: revision })] }))
    })
  })

  describe('a dry run', () => {
    it('checks everything and changes nothing', () =>
      unchanged(async () => {
        const { version } = await line()
        const result = await gateway.applyChangeset({
          operations: [create(`${ns}:b`, 1, { depends_on: ['a'] }), create(`${ns}:a`)],
          dryRun: true,
          expectedHead: version,
        })
        expect(result).toMatchObject({
          __typename: 'Applied',
          dryRun: true,
          replayed: false,
          transition: null,
          changes: [],
          version: { number: version },
          delta: { created: 2 },
        })
        expect(result.delta.operations.map(({ entryId }: any) => entryId)).toEqual([`${ns}:a`, `${ns}:b`])
        expect(await gateway.refused({ operations: [remove(`${ns}:a`), create('bad')], dryRun: true })).toEqual([
          'ENTRY_NOT_FOUND@0',
          'INVALID_ENTRY@1',
        ])
        expect(
          (await gateway.data('query ($id: EntryID!) { entry(id: $id) { id } }', { id: `${ns}:a` })).entry,
        ).toBeNull()
      }))
  })

  describe('an idempotency key', () => {
    const key = () => `key ${ns} 😀`

    it('returns the first answer again, whatever has happened since', async () => {
      const input = { operations: [create(`${ns}:a`, { b: 1, a: 2 })], idempotencyKey: key(), message: 'once' }
      const first = await gateway.applyChangeset(input)
      await gateway.apply(update(`${ns}:a`, 2))
      await gateway.apply(remove(`${ns}:a`))
      const { version } = await line()
      const again = await gateway.applyChangeset(input)
      expect(again).toEqual({ ...first, replayed: true })
      expect(JSON.stringify(again.changes[0].entry.data)).toBe('{"b":1,"a":2}')
      expect((await line()).version).toBe(version)
    })

    it('returns the first answer of a replacement and of a rollback again, in the same order', async () => {
      await gateway.apply(
        create(`${ns}:m`, 1, {}, 'one'),
        create(`${ns}:n`, 1),
        create(`${ns}:o`, null, { depends_on: ['m'] }),
      )
      const input = {
        operations: [
          create(`${ns}:m`, { b: -1, a: 0 }, {}, 'two'),
          remove(`${ns}:m`),
          create(`${ns}:a`),
          remove(`${ns}:n`),
          create(`${ns}:n`, 2),
          remove(`${ns}:o`),
        ],
        idempotencyKey: key(),
      }
      const first = await gateway.applyChangeset(input)
      expect(first.changes).toHaveLength(5)
      expect(JSON.stringify(await gateway.applyChangeset(input))).toBe(JSON.stringify({ ...first, replayed: true }))
      const back = { version: first.version.number - 1, idempotencyKey: `${key()} back` }
      const moved = await gateway.applyVersion(back)
      await gateway.moveTo(first.version.number)
      expect(JSON.stringify(await gateway.applyVersion(back))).toBe(JSON.stringify({ ...moved, replayed: true }))
    })

    it('covers the whole input', async () => {
      const input = { operations: [create(`${ns}:a`)], idempotencyKey: key() }
      await gateway.applyChangeset(input)
      const { version, revision } = await line()
      for (const other of [
        { operations: [create(`${ns}:a`, 1)] },
        { message: 'm' },
        { base: revision },
        { expectedHead: version },
        { dryRun: true },
        { operations: [create(`${ns}:a`), create(`${ns}:b`)] },
        { operations: [] },
      ])
        expect(await gateway.refused({ ...input, ...other }), JSON.stringify(other)).toEqual(['IDEMPOTENCY_KEY_REUSED'])
      expect(await gateway.applyChangeset(input)).toMatchObject({ replayed: true })
    })

    // A client that sent the same id in its parts got the answer that it had sent something else.
    it('compares the input as it is understood', async () => {
      const of = (id: unknown, content: object) => ({
        operations: [{ create: { id, kind: 'k', ...content } }],
        idempotencyKey: key(),
      })
      await gateway.applyChangeset(of(`${ns}:cafe\u0301:x`, { data: null }))
      for (const same of [
        of({ ns, name: 'cafe\u0301:x' }, { data: null }),
        of(`${ns}:caf\u00e9:x`, {}),
        of({ ns, name: 'caf\u00e9:x' }, { meta: {} }),
        { ...of(`${ns}:caf\u00e9:x`, { meta: null }), dryRun: false, message: null },
      ])
        expect(await gateway.applyChangeset(same), JSON.stringify(same)).toMatchObject({ replayed: true })
    })

    it('shares one key space between both mutations', async () => {
      const { version } = await line()
      await gateway.applyChangeset({ operations: [create(`${ns}:a`)], idempotencyKey: key() })
      expect(codesOf(await gateway.applyVersion({ version, idempotencyKey: key() }))).toEqual([
        'IDEMPOTENCY_KEY_REUSED',
      ])
      const moved = await gateway.applyVersion({ version, idempotencyKey: `${key()} 2` })
      expect(await gateway.applyVersion({ version, idempotencyKey: `${key()} 2` })).toEqual({
        ...moved,
        replayed: true,
      })
      expect(await gateway.refused({ operations: [create(`${ns}:b`)], idempotencyKey: `${key()} 2` })).toEqual([
        'IDEMPOTENCY_KEY_REUSED',
      ])
      // Applying the head is stored like any other result.
      const nothing = await gateway.applyVersion({ version, idempotencyKey: `${key()} 3` })
      await gateway.apply(create(`${ns}:c`))
      expect(await gateway.applyVersion({ version, idempotencyKey: `${key()} 3` })).toEqual({
        ...nothing,
        replayed: true,
      })
    })

    it('belongs to its author', async () => {
      const input = (name: string) => ({ operations: [create(`${ns}:${name}`)], idempotencyKey: key() })
      applied(await gateway.applyChangeset(input('a'), { 'X-Cadastre-Author': 'ann' }))
      applied(await gateway.applyChangeset(input('b'), { 'X-Cadastre-Author': 'bob' }))
      applied(await gateway.applyChangeset(input('c')))
      expect(await gateway.applyChangeset(input('a'), { 'X-Cadastre-Author': 'ann' })).toMatchObject({ replayed: true })
      expect(await gateway.refused(input('a'), { 'X-Cadastre-Author': 'bob' })).toEqual(['IDEMPOTENCY_KEY_REUSED'])
    })

    it('does not store a refusal or a dry run', async () => {
      expect(await gateway.refused({ operations: [update(`${ns}:a`)], idempotencyKey: key() })).toEqual([
        'ENTRY_NOT_FOUND@0',
      ])
      applied(await gateway.applyChangeset({ operations: [create(`${ns}:b`)], idempotencyKey: key(), dryRun: true }))
      const input = { operations: [create(`${ns}:a`)], idempotencyKey: key() }
      expect(await gateway.applyChangeset(input)).toMatchObject({ replayed: false })
      expect(await gateway.applyChangeset(input)).toMatchObject({ replayed: true })
    })

    it('applies a changeset once if many requests send it concurrently', async () => {
      const input = { operations: [create(`${ns}:a`)], idempotencyKey: key() }
      const answers = await Promise.all(Array.from({ length: 12 }, () => gateway.applyChangeset(input)))
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
      expect(new Set(answers.map(({ version }) => version.number)).size).toBe(1)
    })

    it('must have 1 to 255 bytes', async () => {
      const document = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
      for (const idempotencyKey of ['', 'k'.repeat(256), 'a\u0000', '\ud83d']) {
        expect(await gateway.code(document, { input: { operations: [create(`${ns}:a`)], idempotencyKey } })).toBe(
          'BAD_USER_INPUT',
        )
      }
      applied(
        await gateway.applyChangeset({
          operations: [create(`${ns}:a`)],
          idempotencyKey: `${ns}${'k'.repeat(255 - ns.length)}`,
        }),
      )
    })

    it('works at another gateway', async () => {
      if (backend === 'memory') return
      const input = { operations: [create(`${ns}:a`)], idempotencyKey: key() }
      const first = await gateway.applyChangeset(input)
      const other = await gateway.another()
      expect(await other.applyChangeset(input)).toEqual({ ...first, replayed: true })
      const raced = { operations: [create(`${ns}:b`)], idempotencyKey: `${key()} raced` }
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? gateway : other).applyChangeset(raced)),
      )
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
      await other.close()
    })
  })

  describe('buildDelta', () => {
    const build = async (from: object[], to: object[]) =>
      (
        await gateway.data(
          'query ($from: [EntryInput!]!, $to: [EntryInput!]!) { buildDelta(from: $from, to: $to) { created updated deleted operations { kind entryId entry { entryId ns name kind meta(path: "m") data } original { data } } } }',
          { from, to },
        )
      ).buildDelta
    const entry = (id: unknown, data?: unknown, meta?: unknown, kind = 'k') => ({ id, kind, data, meta })
    const shown = (delta: any) => delta.operations.map(({ kind, entryId }: any) => `${kind} ${entryId}`)

    it('returns the fewest operations, in order', async () => {
      const found = await build(
        [
          entry('a:same', { x: 1, y: [1, 2] }),
          entry('a:old'),
          entry('a:older', null, { depends_on: ['old'] }),
          entry('a:kind', 1),
          entry('a:up', 1),
        ],
        [
          entry('a:up', 2, { m: 'M', depends_on: ['a:zz'] }),
          entry('a:zz'),
          entry({ ns: 'a', name: 'same' }, { y: [1.0, 2], x: 1 }),
          entry('a:kind', 1, {}, 'other'),
        ],
      )
      expect(shown(found)).toEqual([
        'DELETE a:kind',
        'DELETE a:older',
        'DELETE a:old',
        'CREATE a:kind',
        'CREATE a:zz',
        'UPDATE a:up',
      ])
      expect([found.created, found.updated, found.deleted]).toEqual([2, 1, 3])
      expect(found.operations[5]).toEqual({
        kind: 'UPDATE',
        entryId: 'a:up',
        entry: { entryId: 'a:up', ns: 'a', name: 'up', kind: 'k', meta: 'M', data: 2 },
        original: { data: 1 },
      })
    })

    it('compares by value: key order does not matter, 1 equals 1.0, arrays are ordered, null means {} or nothing', async () => {
      expect(shown(await build([entry('a:x', [1, 2])], [entry('a:x', [2, 1])]))).toEqual(['UPDATE a:x'])
      expect(shown(await build([{ id: 'a:x', kind: 'k' }], [entry('a:x', null, {})]))).toEqual([])
      expect(shown(await build([entry('a:x', '1')], [entry('a:x', 1)]))).toEqual(['UPDATE a:x'])
      expect(shown(await build([entry('a:e\u0301')], [entry('a:\u00e9')]))).toEqual([])
      expect(shown(await build([], []))).toEqual([])
      expect(
        (
          await gateway.data(
            '{ buildDelta(from: [{id: "a:x", kind: "k", data: 1}], to: [{id: "a:x", kind: "k", data: 1.0}]) { operations { kind } } }',
          )
        ).buildDelta.operations,
      ).toEqual([])
    })

    it('refuses invalid and repeated entries', async () => {
      for (const from of [
        [entry('bad')],
        [entry('a:x', 1, {}, 'bad kind')],
        [entry('a:x'), entry('a:x')],
        [entry('a:x', '\u0000')],
      ]) {
        await expect(build(from, [])).rejects.toThrow('BAD_USER_INPUT')
      }
    })
  })

  it('limits the message, the fences and the author', async () => {
    const document = 'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename } }'
    for (const input of [
      { message: 'x'.repeat(65_537) },
      { message: 'a\u0000' },
      { base: 1.5 },
      { base: '1' },
      { expectedHead: 2 ** 53 },
    ]) {
      expect(await gateway.code(document, { input: { operations: [create(`${ns}:a`)], ...input } })).toBe(
        'BAD_USER_INPUT',
      )
    }
    applied(await gateway.applyChangeset({ operations: [create(`${ns}:a`)], message: 'x'.repeat(65_536) }))
    expect(
      applied(await gateway.applyChangeset({ operations: [create(`${ns}:b`)], message: '' })).version.message,
    ).toBe('')
    const { errors, status } = await gateway.query(
      document,
      { input: { operations: [create(`${ns}:c`)] } },
      { 'X-Cadastre-Author': 'x'.repeat(2_000) },
    )
    expect([status, errors[0]!.extensions['code']]).toEqual([400, 'BAD_USER_INPUT'])
  })

  it('applies a changeset of 64 MiB and refuses one more byte with TOO_LARGE', async () => {
    const document =
      'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Refused { problems { code operation message } } } }'
    const bytes = 1024 * 1024
    // `{}` and two quotes. The last one leaves room for `{}null` of another entry.
    const operations = Array.from({ length: 64 }, (_, i) =>
      create(`${ns}:e${i}`, 'x'.repeat(bytes - (i === 63 ? 10 : 4))),
    )
    const refused = await gateway.data(document, {
      input: { operations: [...operations, create(`${ns}:last`, 12345)] },
    })
    expect(refused.applyChangeset).toMatchObject({
      problems: [{ code: 'TOO_LARGE', operation: null, message: expect.stringContaining('67108864') }],
    })
    const { applyChangeset } = await gateway.data(document, {
      input: { operations: [...operations, create(`${ns}:last`)] },
    })
    expect(applyChangeset).toEqual({ __typename: 'Applied' })
  }, 300_000)

  it('applies 100,000 operations and refuses 100,001 with TOO_LARGE', async () => {
    const operations = Array.from({ length: 100_001 }, (_, i) => create(`${ns}:e${i}`))
    const document =
      'mutation ($input: ApplyChangesetInput!) { applyChangeset(input: $input) { __typename ... on Applied { delta { created } } ... on Refused { problems { code operation message } } } }'
    const refused = await gateway.data(document, { input: { operations } })
    expect(refused.applyChangeset).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'TOO_LARGE', operation: null, message: expect.stringContaining('100000') }],
    })
    const { applyChangeset } = await gateway.data(document, { input: { operations: operations.slice(0, 100_000) } })
    expect(applyChangeset).toEqual({ __typename: 'Applied', delta: { created: 100_000 } })
  }, 300_000)

  it('leaves a history that verifies', async () => {
    if (gateway.databaseUrl === null) return
    const history = await openStore({
      backend: 'postgres',
      databaseUrl: gateway.databaseUrl,
      dataDir: '',
      // With another fingerprint, it would index the references again and verify its own index.
      options: {
        ...historyOptions,
        referencesFingerprint: fingerprint(DEFAULT_DEPENDENCY_PATTERNS),
        readTimeoutMs: 60_000,
      },
      log: () => undefined,
    })
    try {
      expect((await history.verify()).corruptions).toEqual([])
    } finally {
      await history.close()
    }
  }, 300_000)
})
