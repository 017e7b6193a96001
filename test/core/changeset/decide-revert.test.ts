import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { decideRevert } from '../../../src/core/changeset/decide-revert.js'
import type { EntryRevision, SealedContent } from '../../../src/core/entry/entry.js'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import type { Change } from '../../../src/core/history/change.js'
import { id, seal } from '../arbitraries.js'

const [before, after, later] = [seal('k', { n: 1 }), seal('k', { n: 2 }), seal('k', { n: 3 })]

function revisionOf(entry: EntryId, content: SealedContent, revision = 5): EntryRevision {
  return { id: entry, content, revision, version: 3 }
}

function change(kind: Change['kind'], entry: string, was: SealedContent | null, is: SealedContent | null): Change {
  const of = (content: SealedContent | null) => (content === null ? null : revisionOf(id(entry), content))
  return { revision: 3, position: 0, kind, id: id(entry), entry: of(is), previous: of(was) }
}

const CHANGES = [
  change('CREATE', 'a:new', null, after),
  change('UPDATE', 'a:changed', before, after),
  change('DELETE', 'a:gone', before, null),
]
const AFTERWARDS: Readonly<Record<string, SealedContent>> = { 'a:new': after, 'a:changed': after }

function revert(held: Readonly<Record<string, SealedContent>>, force = false) {
  const current = (entry: EntryId) => {
    const content = held[entry]
    return content === undefined ? undefined : revisionOf(entry, content, 9)
  }
  return runAtOnce(decideRevert(3, CHANGES, current, force))
}

describe('reverting a version', () => {
  it.each([true, false])('undoes its changes from the last to the first, forced or not: %s', (force) => {
    const { operations, problems } = revert(AFTERWARDS, force)
    expect(problems).toEqual([])
    const common = { ifRevision: null, force }
    expect(operations).toEqual([
      { ...common, index: 0, kind: 'CREATE', id: 'a:gone', content: before },
      { ...common, index: 1, kind: 'UPDATE', id: 'a:changed', content: before },
      { ...common, index: 2, kind: 'DELETE', id: 'a:new', content: null },
    ])
  })

  it('names each entry that was deleted or changed since, with its current content', () => {
    const { problems } = revert({ 'a:changed': later, 'a:gone': before })
    expect(problems.map(({ code, entryId, current }) => [code, entryId, current?.revision])).toEqual([
      ['CONFLICT', 'a:new', undefined],
      ['CONFLICT', 'a:changed', 9],
      ['CONFLICT', 'a:gone', 9],
    ])
    expect(problems[0]).not.toHaveProperty('current')
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('a:new has changed since version 3: it was deleted.'),
      expect.stringContaining('a:changed has changed since version 3: it was changed at revision 9.'),
      expect.stringContaining('a:gone has changed since version 3: it was changed at revision 9.'),
    ])
  })

  it('has no problem if an entry was changed and changed back', () => {
    expect(revert({ ...AFTERWARDS, 'a:changed': seal('k', { n: 2 }) }).problems).toEqual([])
  })
})
