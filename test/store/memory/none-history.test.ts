import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING } from '../../../src/core/criteria/criteria.js'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { History } from '../../../src/store/contract/history.js'
import { openMemoryHistory } from '../../../src/store/memory/memory-history.js'
import {
  apply,
  changeset,
  commitOne,
  create,
  expectApplied,
  historyOptions,
  problemCodes,
  remove,
  revertOf,
  update,
  versionMove,
} from '../../support/commit-requests.js'

const all = { limit: 1_000, after: null, before: null, fromEnd: false }

describe('a registry without a history', () => {
  let history: History
  beforeEach(() => {
    history = openMemoryHistory(historyOptions, { hasHistory: false })
  })
  afterEach(() => history.close())

  it('has the state at the head, and reports that it has no older one', async () => {
    await apply(history, create('a:x', 'thing', { n: 1 }))
    await apply(history, update('a:x', 'thing', { n: 2 }), create('a:y'))
    expect(history).toMatchObject({ backend: 'none', hasHistory: false })
    expect(await history.oldestRevision()).toBe(2)
    expect((await history.findEntries(EVERYTHING, 'ID_ASC', all, 'head')).items.map(({ id }) => id)).toEqual([
      'a:x',
      'a:y',
    ])
    expect((await history.findEntries(EVERYTHING, 'ID_ASC', all, 2)).items).toHaveLength(2)
    await expect(history.entries([parseEntryId('a:x')], 1)).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    await expect(history.delta(1, 2)).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    await expect(history.verify()).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
  })

  it('finds the current content of an entry by its revision, and no older one', async () => {
    await apply(history, create('a:x'))
    await apply(history, update('a:x', 'thing', { n: 2 }))
    const id = parseEntryId('a:x')
    expect([
      ...(
        await history.entryRevisions([
          { id, revision: 1 },
          { id, revision: 2 },
        ])
      ).keys(),
    ]).toEqual(['r2/a:x'])
    expect((await history.entryHistories([id], all)).get(id)!.items.map(({ revision }) => revision)).toEqual([2])
  })

  it('applies the version at the head, and refuses any other with the reason', async () => {
    await apply(history, create('a:x'))
    await apply(history, create('a:y'))
    expect(expectApplied(await commitOne(history, versionMove(2))).revision).toBe(null)
    await expect(commitOne(history, versionMove(1))).rejects.toMatchObject({
      code: 'HISTORY_NOT_KEPT',
      message: expect.stringContaining('stores no history') as string,
    })
    expect(problemCodes(await commitOne(history, versionMove(9)))).toEqual(['VERSION_NOT_FOUND'])
  })

  it('fails the move alone, not what is committed beside it', async () => {
    await apply(history, create('a:x'))
    const answers = await history.commit([changeset([create('a:y')]), versionMove(1), changeset([create('a:z')])])
    expect(answers.map(({ type }) => type)).toEqual(['applied', 'failed', 'applied'])
    expect(await history.head()).toEqual({ revision: 3, version: 3 })
  })

  it('has no version to revert or to tag, and no history of a namespace', async () => {
    await apply(history, create('a:x'))
    await expect(commitOne(history, revertOf(1))).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    for (const version of [0, 9])
      expect(problemCodes(await commitOne(history, revertOf(version)))).toEqual(['VERSION_NOT_FOUND'])
    const tag = { name: 't', version: 1, movable: null, expectedVersion: null, author: null }
    await expect(history.setTag(tag)).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    await expect(history.namespaceChanges('a', all)).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    expect(await history.tagCount()).toBe(0)
  })

  it('retains the last thousand revisions for followers, and no more', async () => {
    await apply(history, create('a:x', 'thing', { n: 0 }), create('a:gone'))
    await apply(history, remove('a:gone'))
    for (let n = 1; n <= 1_100; n++) await apply(history, update('a:x', 'thing', { n }))
    await expect(history.log({ revision: 50, position: Infinity }, 10)).rejects.toMatchObject({ code: 'COMPACTED' })
    const { changes } = await history.log({ revision: 102, position: Infinity }, 2)
    expect(changes.map(({ revision }) => revision)).toEqual([103, 104])
    expect(changes[0]!.previous).not.toBe(null)
    expect([...(await history.changesOf([0, 1, 102, 103, 1_102], all)).keys()]).toEqual([0, 103, 1_102])
    expect(await history.entryCount('head')).toBe(1)
  })
})
