import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import { historyOptions } from '../../support/commit-requests.js'
import { create, type Gateway, openGateway, remove, update } from '../schema-fixture.js'

const SET = /* GraphQL */ `mutation ($input: SetTagInput!) { setTag(input: $input) { name version { number } movable createdAt author } }`
const DELETE = /* GraphQL */ `mutation ($name: String!, $force: Boolean) { deleteTag(name: $name, force: $force) { name version { number } } }`

describe('tags', () => {
  let gateway: Gateway
  beforeEach(async () => {
    gateway = openGateway()
    await gateway.apply(create('a:x'))
    await gateway.apply(create('a:y'), update('a:x', { n: 2 }))
  })
  afterEach(() => gateway.close())

  const set = async (name: string, version: number, rest: object = {}) =>
    (await gateway.data(SET, { input: { name, version, ...rest } })).setTag

  it('select a version wherever a state is named', async () => {
    expect(await set('release/1.0', 1)).toMatchObject({
      name: 'release/1.0',
      version: { number: 1 },
      movable: false,
      author: 'tester',
    })
    const { snapshot, delta } = await gateway.data(`{
      snapshot(at: { tag: "release/1.0" }) { revision entryCount version { number } }
      delta(from: { tag: "release/1.0" }, to: { revision: 2 }) { operations { kind entryId } }
    }`)
    expect(snapshot).toEqual({ revision: 1, entryCount: 1, version: { number: 1 } })
    expect(delta.operations).toEqual([
      { kind: 'UPDATE', entryId: 'a:x' },
      { kind: 'CREATE', entryId: 'a:y' },
    ])
    expect(await gateway.code('{ snapshot(at: { tag: "none" }) { revision } }')).toBe('TAG_NOT_FOUND')
    expect(await gateway.code('{ snapshot(at: { tag: "a b" }) { revision } }')).toBe('BAD_USER_INPUT')
    expect(await gateway.code('{ snapshot(at: { tag: "release/1.0", version: 1 }) { revision } }')).toBe(
      'BAD_USER_INPUT',
    )
  })

  it('are listed, looked up, and loaded with their versions in one read', async () => {
    for (const name of ['c', 'a', 'b']) await set(name, name === 'b' ? 2 : 1)
    const { tags, tag, none, bad } = await gateway.data(`{
      tags(first: 2) { nodes { name } totalCount pageInfo { hasNextPage endCursor } }
      tag(name: "b") { version { number } } none: tag(name: "z") { name } bad: tag(name: "\\u0000") { name }
    }`)
    expect(tags).toMatchObject({
      nodes: [{ name: 'a' }, { name: 'b' }],
      totalCount: 3,
      pageInfo: { hasNextPage: true },
    })
    expect([tag, none, bad]).toEqual([{ version: { number: 2 } }, null, null])
    const more = await gateway.data('query ($after: String) { tags(after: $after) { nodes { name } } }', {
      after: tags.pageInfo.endCursor,
    })
    expect(more.tags.nodes).toEqual([{ name: 'c' }])
    expect(await gateway.code('{ versions(after: "x") { nodes { number } } }')).toBe('INVALID_CURSOR')
    expect(
      await gateway.code('query ($after: String) { versions(after: $after) { nodes { number } } }', {
        after: tags.pageInfo.endCursor,
      }),
    ).toBe('INVALID_CURSOR')
    gateway.calls.clear()
    const { versions } = await gateway.data('{ versions { nodes { number tags { name version { number } } } } }')
    expect(versions.nodes.map((node: any) => node.tags.map(({ name }: { name: string }) => name))).toEqual([
      [],
      ['a', 'c'],
      ['b'],
    ])
    expect(gateway.calls.get('tagsOf')).toBe(1)
  })

  it('are moved and deleted if allowed, and refused with a reason otherwise', async () => {
    await set('fixed', 1)
    await set('latest', 1, { movable: true })
    expect(await set('latest', 2, { expectedVersion: 1 })).toMatchObject({ version: { number: 2 }, movable: true })
    const code = (name: string, version: number, rest: object = {}) =>
      gateway.code(SET, { input: { name, version, ...rest } })
    expect(await code('latest', 1, { expectedVersion: 1 })).toBe('TAG_MOVED')
    expect(await code('fixed', 2)).toBe('TAG_FIXED')
    expect(await code('new', 9)).toBe('VERSION_NOT_FOUND')
    expect(await code('new', -1)).toBe('VERSION_NOT_FOUND')
    expect(await code('new', 1, { expectedVersion: 1 })).toBe('TAG_NOT_FOUND')
    expect(await gateway.code(DELETE, { name: 'fixed' })).toBe('TAG_FIXED')
    expect((await gateway.data(DELETE, { name: 'fixed', force: true })).deleteTag).toEqual({
      name: 'fixed',
      version: { number: 1 },
    })
    expect(await gateway.code(DELETE, { name: 'fixed', force: true })).toBe('TAG_NOT_FOUND')
  })

  it.each(['', ' ', 'a b', '/a', 'a/', 'a//b', '.a', 'a..b', 'ä', 'a\u0000', 'a\n', 'x'.repeat(256)])(
    'cannot be named %j',
    async (name) => {
      expect(await gateway.code(SET, { input: { name, version: 1 } })).toBe('BAD_USER_INPUT')
    },
  )

  it('do not exist without history', async () => {
    const none = openGateway(openMemoryHistory(historyOptions, { hasHistory: false }))
    await none.apply(create('a:x'))
    expect(await none.code(SET, { input: { name: 't', version: 1 } })).toBe('HISTORY_NOT_KEPT')
    expect(await none.data('{ tags { nodes { name } } currentVersion { tags { name } } }')).toEqual({
      tags: { nodes: [] },
      currentVersion: { tags: [] },
    })
    expect(await none.code('{ namespaceHistory(name: "a") { nodes { kind } } }')).toBe('HISTORY_NOT_KEPT')
    await none.close()
  })
})

describe('revertVersion', () => {
  let gateway: Gateway
  beforeEach(async () => {
    gateway = openGateway()
    await gateway.apply(create('a:x', { n: 1 }), create('a:y'))
    await gateway.apply(update('a:x', { n: 2 }), remove('a:y'))
  })
  afterEach(() => gateway.close())

  const REVERT = /* GraphQL */ `
    mutation ($input: RevertVersionInput!) {
      revertVersion(input: $input) {
        __typename
        ... on Applied { version { number previous { number } message } transition { revision kind } changes { kind entryId revision } delta { created updated deleted } dryRun replayed }
        ... on Refused { message problems { code entryId message current { revision meta } } }
      }
    }`
  const revert = async (input: object) => (await gateway.data(REVERT, { input })).revertVersion

  it('undoes the changes of a version as a changeset of its own', async () => {
    await gateway.apply(create('b:later'))
    expect(await revert({ version: 2, message: 'undo' })).toEqual({
      __typename: 'Applied',
      version: { number: 4, previous: { number: 3 }, message: 'undo' },
      transition: { revision: 4, kind: 'CHANGESET' },
      changes: [
        { kind: 'UPDATE', entryId: 'a:x', revision: 4 },
        { kind: 'CREATE', entryId: 'a:y', revision: 4 },
      ],
      delta: { created: 1, updated: 1, deleted: 0 },
      dryRun: false,
      replayed: false,
    })
  })

  it('refuses with the current entry if a later change conflicts', async () => {
    await gateway.apply(update('a:x', { n: 3 }))
    expect(await revert({ version: 2 })).toMatchObject({
      __typename: 'Refused',
      problems: [{ code: 'CONFLICT', entryId: 'a:x', current: { revision: 3, meta: { n: 3 } } }],
    })
    expect(await revert({ version: 0 })).toMatchObject({ problems: [{ code: 'VERSION_NOT_FOUND' }] })
    expect(await revert({ version: 7, expectedHead: 1 })).toMatchObject({
      problems: [{ code: 'HEAD_MOVED' }, { code: 'VERSION_NOT_FOUND' }],
    })
  })

  it('shares the key space of the other mutations, and changes nothing in a dry run', async () => {
    expect(await revert({ version: 2, dryRun: true })).toMatchObject({
      dryRun: true,
      transition: null,
      changes: [],
      delta: { created: 1, updated: 1 },
    })
    const keyed = { version: 2, idempotencyKey: 'k' }
    const first = await revert(keyed)
    expect(await revert(keyed)).toEqual({ ...first, replayed: true })
    expect(await revert({ ...keyed, message: 'other' })).toMatchObject({
      problems: [{ code: 'IDEMPOTENCY_KEY_REUSED' }],
    })
    const moved = await gateway.data(
      'mutation { applyVersion(input: { version: 1, idempotencyKey: "k" }) { ... on Refused { problems { code } } } }',
    )
    expect(moved.applyVersion.problems).toEqual([{ code: 'IDEMPOTENCY_KEY_REUSED' }])
  })
})

describe('namespaceHistory', () => {
  it('lists the changes in a namespace, newest first, in pages', async () => {
    const gateway = openGateway()
    await gateway.apply(create('a:x', { n: 1 }), create('b:x'))
    await gateway.apply(update('a:x', { n: 2 }))
    await gateway.apply(remove('a:x'))
    const PAGE =
      'query ($name: String!, $first: Int, $after: String) { namespaceHistory(name: $name, first: $first, after: $after) { nodes { revision kind entryId entry { meta } previous { meta } } totalCount pageInfo { hasNextPage endCursor } } }'
    const { namespaceHistory: first } = await gateway.data(PAGE, { name: 'a', first: 2 })
    expect(first).toMatchObject({
      nodes: [
        { revision: 3, kind: 'DELETE', entryId: 'a:x', entry: null, previous: { meta: { n: 2 } } },
        { revision: 2, kind: 'UPDATE', entry: { meta: { n: 2 } }, previous: { meta: { n: 1 } } },
      ],
      totalCount: 3,
      pageInfo: { hasNextPage: true },
    })
    const after = first.pageInfo.endCursor
    expect((await gateway.data(PAGE, { name: 'a', after })).namespaceHistory.nodes).toMatchObject([
      { revision: 1, kind: 'CREATE' },
    ])
    expect(await gateway.code(PAGE, { name: 'b', after })).toBe('INVALID_CURSOR')
    expect(await gateway.code(PAGE, { name: 'a/b' })).toBe('BAD_USER_INPUT')
    expect((await gateway.data(PAGE, { name: 'nothing' })).namespaceHistory.nodes).toEqual([])
    await gateway.close()
  })
})
