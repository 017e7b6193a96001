import { describe, expect, it } from 'vitest'
import { endsInstances, entryInUse } from '../../../src/core/changeset/entry-in-use.js'
import type { EntryRevision } from '../../../src/core/entry/entry.js'
import { id, seal } from '../arbitraries.js'

const entry = id('a:b')

function revision(kind: string): EntryRevision {
  return { id: entry, content: seal(kind), revision: 1, version: 1 }
}

describe('an entry in use', () => {
  it.each([
    [0, false],
    [0, true],
    [1, true],
    [7, true],
  ])('is no problem with %i live instances, forced: %s', (live, force) => {
    expect(entryInUse(entry, live, force)).toBeUndefined()
  })

  it.each([
    [1, 'a:b has 1 live instance.'],
    [2, 'a:b has 2 live instances.'],
  ])('is refused with its number of live instances: %i', (live, start) => {
    expect(entryInUse(entry, live, false)).toEqual({
      code: 'ENTRY_IN_USE',
      entryId: entry,
      message: `${start} Wait until they are released or expire, or send it with force, which ends them.`,
    })
  })

  it.each([
    ['a delete', revision('k'), null, true],
    ['a delete without a row', revision('k'), undefined, true],
    ['another kind', revision('k'), revision('l'), true],
    ['an update', revision('k'), revision('k'), false],
    ['a create', null, revision('k'), false],
    ['a create without a row', undefined, revision('k'), false],
    ['nothing', null, null, false],
  ])('loses its instances if it is deleted or replaced: %s', (_, before, after, ends) => {
    expect(endsInstances(before, after)).toBe(ends)
  })
})
