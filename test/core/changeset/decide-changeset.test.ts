import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import {
  type ChangesetDecision,
  decideChangeset,
  type StateView,
  type SubmittedChangeset,
} from '../../../src/core/changeset/decide-changeset.js'
import type { EntryRevision, SealedContent } from '../../../src/core/entry/entry.js'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import type { Problem } from '../../../src/core/errors/problem.js'
import { applyOperations } from '../../../src/core/history/apply-operations.js'
import type { OperationKind, SubmittedOperation } from '../../../src/core/ordering/operation.js'
import { content, digests, entryId, id, references, seal } from '../arbitraries.js'

const HEAD = { revision: 10, version: 7 }

/** Entries by id, with the revision of their last change. `gone` has the deleted ids, with the revision of the delete. */
function view(
  entries: Record<string, [revision: number, content: SealedContent]>,
  gone: Record<string, number> = {},
): StateView {
  return {
    head: HEAD,
    entry: (entry): EntryRevision | undefined => {
      const held = entries[entry]
      return held === undefined ? undefined : { id: entry, content: held[1], revision: held[0], version: 1 }
    },
    lastChanged: (entry) => entries[entry]?.[0] ?? gone[entry] ?? 0,
    instances: () => 0,
  }
}

function sent(...operations: [OperationKind, string, SealedContent | null, number?][]): SubmittedOperation[] {
  return operations.map(([kind, entry, held, ifRevision], index) => ({
    index,
    kind,
    id: id(entry),
    content: held,
    ifRevision: ifRevision ?? null,
  }))
}

function decide(
  operations: readonly SubmittedOperation[],
  of: StateView,
  more: Partial<SubmittedChangeset> & { expectedHead?: number } = {},
) {
  const { expectedHead = null, ...changeset } = more
  return runAtOnce(
    decideChangeset({ operations, base: null, problems: [], ...changeset }, expectedHead, of, references),
  )
}

/** Shows problems as `operation CODE id`, in order, with `current` if the problem has a current entry. */
function problemsOf(decision: ChangesetDecision): string[] {
  if (!('problems' in decision)) throw new Error('nothing was wrong')
  return decision.problems.map(({ operation, code, entryId: entry, current }) =>
    [operation ?? '-', code, entry ?? '', current === undefined ? '' : `current r${current.revision}`].join(' ').trim(),
  )
}

function planOf(decision: ChangesetDecision) {
  if ('problems' in decision) throw new Error(decision.problems.map((problem) => problem.message).join('; '))
  return decision.operations
}

const [one, two, other] = [seal('k', { n: 1 }), seal('k', { n: 2 }), seal('other', { n: 1 })]
const held = view({ 'a:1': [3, one], 'a:2': [5, other] }, { 'a:gone': 8 })

describe('I13: a changeset is planned as a whole or refused with all its problems', () => {
  it("lists all problems, the changeset's own first and then by operation", () => {
    const operations = sent(
      ['CREATE', 'a:1', two],
      ['UPDATE', 'a:9', two],
      ['DELETE', 'a:8', null, 1],
      ['UPDATE', 'a:2', two, 4],
      ['CREATE', 'b:1', one],
      ['UPDATE', 'b:1', two],
      ['DELETE', 'b:1', null],
    )
    const invalid: Problem = { code: 'INVALID_ENTRY', message: 'bad', entryId: 'a b:c', operation: 7 }
    const large: Problem = { code: 'TOO_LARGE', message: 'large' }
    expect(problemsOf(decide(operations, held, { base: 11, expectedHead: 6, problems: [invalid, large] }))).toEqual([
      '- HEAD_MOVED',
      '- REVISION_NOT_FOUND',
      '- TOO_LARGE',
      '0 ENTRY_EXISTS a:1 current r3',
      '1 ENTRY_NOT_FOUND a:9',
      '2 ENTRY_NOT_FOUND a:8',
      '3 CONFLICT a:2 current r5',
      '3 KIND_MISMATCH a:2 current r5',
      '5 DUPLICATE_OPERATION b:1',
      '6 DUPLICATE_OPERATION b:1',
      '7 INVALID_ENTRY a b:c',
    ])
  })

  it('describes the problem and the remedy in every message', () => {
    const decision = decide(sent(['CREATE', 'a:1', two], ['UPDATE', 'a:9', two], ['DELETE', 'a:9', null]), held, {
      base: 12,
      expectedHead: 1,
    })
    const messages = 'problems' in decision ? decision.problems.map(({ message }) => message) : []
    expect(messages.length).toBeGreaterThan(3)
    expect(messages.filter((message) => !/^.{10,}\. .+\.$/.test(message))).toEqual([])
  })

  it('accepts only operations that fit the state, and names only sent operations in a refusal', () => {
    const operation = fc.record({
      kind: fc.constantFrom<OperationKind>('CREATE', 'UPDATE', 'DELETE'),
      entry: entryId(),
      held: content(),
      ifRevision: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 5 }),
    })
    const entries = fc.array(fc.tuple(entryId(), fc.tuple(fc.integer({ min: 1, max: 3 }), content())), { maxLength: 8 })
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 5 }),
        entries,
        fc.option(fc.integer({ min: 0, max: 11 })),
        (list, there, base) => {
          const of = view(Object.fromEntries(there))
          const operations: SubmittedOperation[] = list.map((item, index) => ({
            index,
            kind: item.kind,
            id: item.entry,
            content: item.kind === 'DELETE' ? null : item.held,
            ifRevision: item.ifRevision,
          }))
          const decision = decide(operations, of, { base })
          if ('problems' in decision) {
            expect(decision.problems.length).toBeGreaterThan(0)
            for (const { operation: index, entryId: entry } of decision.problems)
              if (index !== undefined) expect(operations[index]!.id).toBe(entry)
            return
          }
          const before = new Map<EntryId, SealedContent>(there.map(([entry]) => [entry, of.entry(entry)!.content]))
          const after = applyOperations(before, decision.operations)
          // The last wanted content of each id. A create takes precedence over the delete of its replacement.
          const wanted = new Map(before)
          for (const { id: entry, content: asked } of operations) if (asked === null) wanted.delete(entry)
          for (const { id: entry, content: asked } of operations) if (asked !== null) wanted.set(entry, asked)
          expect(digests(after)).toEqual(digests(wanted))
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('an empty changeset', () => {
  it('is refused', () => {
    expect(problemsOf(decide([], held))).toEqual(['- EMPTY_CHANGESET'])
    expect(problemsOf(decide([], held, { expectedHead: 6 }))).toEqual(['- EMPTY_CHANGESET', '- HEAD_MOVED'])
  })

  it('is not a changeset whose operations were all refused before', () => {
    expect(
      problemsOf(decide([], held, { problems: [{ code: 'INVALID_ENTRY', message: 'bad', operation: 0 }] })),
    ).toEqual(['0 INVALID_ENTRY'])
    expect(problemsOf(decide([], held, { problems: [{ code: 'TOO_LARGE', message: 'large' }] }))).toEqual([
      '- TOO_LARGE',
    ])
  })
})

describe('an entry with live instances', () => {
  const inUse: StateView = { ...held, instances: (entry) => (entry === 'a:1' ? 2 : 0) }
  const forced = (operations: SubmittedOperation[]) => operations.map((operation) => ({ ...operation, force: true }))
  const [asDelete, asOtherKind, asSameKind] = [
    sent(['DELETE', 'a:1', null]),
    sent(['DELETE', 'a:1', null], ['CREATE', 'a:1', other]),
    sent(['DELETE', 'a:1', null], ['CREATE', 'a:1', two]),
  ]

  it('is neither deleted nor replaced by another kind', () => {
    for (const operations of [asDelete, asOtherKind])
      expect(problemsOf(decide(operations, inUse))).toEqual(['0 ENTRY_IN_USE a:1 current r3'])
    expect(problemsOf(decide(sent(['DELETE', 'a:1', null, 2]), inUse))).toEqual([
      '0 CONFLICT a:1 current r3',
      '0 ENTRY_IN_USE a:1 current r3',
    ])
  })

  it('is updated, replaced by its own kind, and deleted by force', () => {
    for (const operations of [sent(['UPDATE', 'a:1', two]), asSameKind, forced(asDelete), forced(asOtherKind)])
      expect(planOf(decide(operations, inUse)).length).toBeGreaterThan(0)
    expect(planOf(decide(sent(['DELETE', 'a:2', null]), inUse))).toHaveLength(1)
  })
})

describe('a changeset with a base', () => {
  it('names what happened since: a change with its current entry, or a delete', () => {
    const decision = decide(sent(['UPDATE', 'a:1', two], ['DELETE', 'a:gone', null]), held, { base: 2 })
    expect(problemsOf(decision)).toEqual(['0 CONFLICT a:1 current r3', '1 CONFLICT a:gone'])
    const messages = 'problems' in decision ? decision.problems.map(({ message }) => message) : []
    expect(messages).toEqual([
      expect.stringMatching(/^a:1 was changed at revision 3, after base 2\./),
      expect.stringMatching(/^a:gone was deleted at revision 8, after base 2\./),
    ])
  })

  it.each([
    [-1, '- REVISION_NOT_FOUND'],
    [11, '- REVISION_NOT_FOUND'],
    [3, '- COMPACTED'],
  ])('is refused unless the base is a stored revision: %i', (base, expected) => {
    expect(problemsOf(decide(sent(['CREATE', 'b:1', one]), { ...held, oldestRevision: 4 }, { base }))).toEqual([
      expected,
    ])
  })

  it.each([4, 10])('is planned with a base from the oldest revision to the head: %i', (base) => {
    expect(planOf(decide(sent(['CREATE', 'b:1', one]), { ...held, oldestRevision: 4 }, { base }))).toHaveLength(1)
  })
})

describe('several operations on one id', () => {
  it.each<[string, SubmittedOperation[], string[]]>([
    ['two creates', sent(['CREATE', 'b:1', one], ['CREATE', 'b:1', one]), ['1 DUPLICATE_OPERATION b:1']],
    ['two deletes', sent(['DELETE', 'a:1', null], ['DELETE', 'a:1', null]), ['1 DUPLICATE_OPERATION a:1']],
    ['an update and a delete', sent(['UPDATE', 'a:1', two], ['DELETE', 'a:1', null]), ['1 DUPLICATE_OPERATION a:1']],
    ['a delete and an update', sent(['DELETE', 'a:1', null], ['UPDATE', 'a:1', two]), ['1 DUPLICATE_OPERATION a:1']],
    [
      'a delete, a create and another delete',
      sent(['DELETE', 'a:1', null], ['CREATE', 'a:1', two], ['DELETE', 'a:1', null]),
      ['1 DUPLICATE_OPERATION a:1', '2 DUPLICATE_OPERATION a:1'],
    ],
    [
      'an update of a missing entry, twice',
      sent(['UPDATE', 'b:9', one], ['UPDATE', 'b:9', one]),
      ['0 ENTRY_NOT_FOUND b:9', '1 DUPLICATE_OPERATION b:9'],
    ],
  ])('are refused: %s', (_title, operations, expected) => {
    expect(problemsOf(decide(operations, held))).toEqual(expected)
  })

  it('include operations that were refused for their content', () => {
    const bad = (operation: number): Problem => ({
      code: 'INVALID_ENTRY',
      message: 'bad',
      entryId: id('b:1'),
      operation,
    })
    expect(problemsOf(decide(sent(['CREATE', 'b:1', one]), held, { problems: [bad(1)] }))).toEqual([
      '1 INVALID_ENTRY b:1',
      '1 DUPLICATE_OPERATION b:1',
    ])
    expect(problemsOf(decide([], held, { problems: [bad(0), bad(0)] }))).toEqual([
      '0 INVALID_ENTRY b:1',
      '0 INVALID_ENTRY b:1',
    ])
    const unread = (operation: number): Problem => ({ ...bad(operation), entryId: 'no id' })
    expect(problemsOf(decide([], held, { problems: [unread(0), unread(1)] }))).toEqual([
      '0 INVALID_ENTRY no id',
      '1 INVALID_ENTRY no id',
    ])
    const replaced: Problem = { ...bad(1), entryId: id('a:1') }
    expect(problemsOf(decide(sent(['DELETE', 'a:1', null]), held, { problems: [replaced] }))).toEqual([
      '1 INVALID_ENTRY a:1',
    ])
  })
})

describe('a replacement', () => {
  const deleteFirst = (held: SealedContent) => sent(['DELETE', 'a:1', null], ['CREATE', 'a:1', held])
  const createFirst = (held: SealedContent) => sent(['CREATE', 'a:1', held], ['DELETE', 'a:1', null])

  it('by the same kind is one update, in either order', () => {
    for (const operations of [deleteFirst(two), createFirst(two)]) {
      const originalRevision = held.entry(id('a:1'))!
      expect(planOf(decide(operations, held))).toEqual([
        { kind: 'UPDATE', id: 'a:1', content: two, original: one, originalRevision },
      ])
    }
  })

  it('by another kind is a delete and then a create', () => {
    for (const operations of [deleteFirst(other), createFirst(other)]) {
      const originalRevision = held.entry(id('a:1'))!
      expect(planOf(decide(operations, held))).toEqual([
        { kind: 'DELETE', id: 'a:1', content: null, original: one, originalRevision },
        { kind: 'CREATE', id: 'a:1', content: other, original: null, originalRevision: null },
      ])
    }
  })

  it('of a missing entry is refused at the delete', () => {
    expect(problemsOf(decide(sent(['CREATE', 'b:1', one], ['DELETE', 'b:1', null]), held))).toEqual([
      '1 ENTRY_NOT_FOUND b:1',
    ])
  })

  it('checks the ifRevision of its delete', () => {
    expect(problemsOf(decide(sent(['DELETE', 'a:1', null, 2], ['CREATE', 'a:1', two]), held))).toEqual([
      '0 CONFLICT a:1 current r3',
    ])
    expect(planOf(decide(sent(['DELETE', 'a:1', null, 3], ['CREATE', 'a:1', two]), held))).toHaveLength(1)
  })
})

describe('fencing', () => {
  it('with expectedHead refuses unless that version is the head', () => {
    expect(problemsOf(decide(sent(['DELETE', 'a:1', null]), held, { expectedHead: 8 }))).toEqual(['- HEAD_MOVED'])
    expect(planOf(decide(sent(['DELETE', 'a:1', null]), held, { expectedHead: 7 }))).toHaveLength(1)
  })

  it('with base refuses only if an entry of the changeset has changed since', () => {
    const operations = sent(['UPDATE', 'a:1', two], ['UPDATE', 'a:2', other])
    expect(planOf(decide(operations, held, { base: 5 }))).toHaveLength(2)
    expect(problemsOf(decide(operations, held, { base: 4 }))).toEqual(['1 CONFLICT a:2 current r5'])
    expect(problemsOf(decide(operations, held, { base: 0 }))).toEqual([
      '0 CONFLICT a:1 current r3',
      '1 CONFLICT a:2 current r5',
    ])
    expect(planOf(decide(sent(['CREATE', 'new:1', one]), held, { base: 0 }))).toHaveLength(1)
  })

  it('with base refuses if the entry was deleted since, without a current entry', () => {
    expect(problemsOf(decide(sent(['UPDATE', 'a:gone', two]), held, { base: 7 }))).toEqual(['0 CONFLICT a:gone'])
    expect(problemsOf(decide(sent(['CREATE', 'a:gone', two]), held, { base: 7 }))).toEqual(['0 CONFLICT a:gone'])
    expect(problemsOf(decide(sent(['UPDATE', 'a:gone', two]), held, { base: 8 }))).toEqual(['0 ENTRY_NOT_FOUND a:gone'])
  })

  it('with base ignores an entry deleted before the oldest revision, which only some stores still know', () => {
    const compacted = { ...held, oldestRevision: 9 }
    expect(
      problemsOf(decide(sent(['CREATE', 'a:gone', two], ['UPDATE', 'a:2', other]), compacted, { base: 4 })),
    ).toEqual(['- COMPACTED', '1 CONFLICT a:2 current r5'])
    expect(problemsOf(decide(sent(['CREATE', 'a:gone', two]), { ...held, oldestRevision: 8 }, { base: 7 }))).toEqual([
      '- COMPACTED',
      '0 CONFLICT a:gone',
    ])
  })

  it('with base reports no other problem for an operation in conflict', () => {
    const operations = sent(['UPDATE', 'a:2', two, 1], ['CREATE', 'a:1', one], ['CREATE', 'a:1', one])
    expect(problemsOf(decide(operations, held, { base: 1 }))).toEqual([
      '0 CONFLICT a:2 current r5',
      '1 CONFLICT a:1 current r3',
      '2 CONFLICT a:1 current r3',
    ])
  })

  it('with a base beyond the head reports one problem and no conflicts', () => {
    expect(problemsOf(decide(sent(['UPDATE', 'a:1', two], ['DELETE', 'b:9', null]), held, { base: 11 }))).toEqual([
      '- REVISION_NOT_FOUND',
      '1 ENTRY_NOT_FOUND b:9',
    ])
    expect(planOf(decide(sent(['UPDATE', 'a:1', two]), held, { base: 10 }))).toHaveLength(1)
  })

  it('with ifRevision refuses one operation unless the entry has that revision', () => {
    expect(problemsOf(decide(sent(['UPDATE', 'a:1', two, 2], ['DELETE', 'a:2', null, 5]), held))).toEqual([
      '0 CONFLICT a:1 current r3',
    ])
    expect(planOf(decide(sent(['UPDATE', 'a:1', two, 3], ['DELETE', 'a:2', null, 5]), held))).toHaveLength(2)
    expect(problemsOf(decide(sent(['DELETE', 'b:9', null, 5]), held))).toEqual(['0 ENTRY_NOT_FOUND b:9'])
  })
})

describe('a plan', () => {
  it('has the original of each operation and its revision', () => {
    const plan = planOf(decide(sent(['CREATE', 'b:1', one], ['UPDATE', 'a:1', two], ['DELETE', 'a:2', null]), held))
    expect(plan).toEqual([
      { kind: 'DELETE', id: 'a:2', content: null, original: other, originalRevision: held.entry(id('a:2')) },
      { kind: 'UPDATE', id: 'a:1', content: two, original: one, originalRevision: held.entry(id('a:1')) },
      { kind: 'CREATE', id: 'b:1', content: one, original: null, originalRevision: null },
    ])
  })

  it('includes an update to equal content', () => {
    expect(planOf(decide(sent(['UPDATE', 'a:1', seal('k', { n: 1 })]), held)).map(({ kind }) => kind)).toEqual([
      'UPDATE',
    ])
  })

  it('is in the order of dependencies, not in that of the request', () => {
    const operations = sent(['CREATE', 'b:1', seal('k', { parent: '2' })], ['CREATE', 'b:2', one])
    expect(planOf(decide(operations, held)).map((operation) => operation.id)).toEqual(['b:2', 'b:1'])
  })
})
