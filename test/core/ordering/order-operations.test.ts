import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SealedContent } from '../../../src/core/entry/entry.js'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import type { Operation } from '../../../src/core/ordering/operation.js'
import { orderOperations } from '../../../src/core/ordering/order-operations.js'
import { cpuTime } from '../../support/cpu-time.js'
import { changesetFor, edits, id, references, seal, shown, state } from '../arbitraries.js'
import { ancestors, edges, naiveOrder } from './naive-order.js'

const changeset = fc.tuple(state(), edits()).map(([before, wanted]) => changesetFor(before, wanted))

const ENTRIES = ['a:1', 'a:2', 'a:3', 'b:1', 'b:2', 'c:1', 'c:2', 'd:1', 'd:2']

/** Up to nine operations with so many references that cycles, also through namespaces and groups, are usual. */
const tangle: fc.Arbitrary<Operation[]> = fc
  .tuple(
    ...ENTRIES.map((entry) =>
      fc
        .record({
          dependsOn: fc.array(fc.constantFrom(...ENTRIES, 'ns:a', 'ns:b', 'ns:c', 'group:g', 'group:h'), {
            maxLength: 3,
          }),
          groups: fc.subarray(['g', 'h']),
          kind: fc.constantFrom('CREATE', 'CREATE', 'DELETE', 'NONE'),
        })
        .map(({ dependsOn, groups, kind }): Operation[] => {
          const content = seal('k', { depends_on: dependsOn, groups })
          if (kind === 'CREATE') return [{ kind, id: id(entry), content, original: null }]
          return kind === 'DELETE' ? [{ kind, id: id(entry), content: null, original: content }] : []
        }),
    ),
  )
  .map((lists) => lists.flat())

function create(entry: string, ...dependsOn: string[]): Operation {
  return { kind: 'CREATE', id: id(entry), content: seal('k', { depends_on: dependsOn }), original: null }
}

function remove(entry: string, ...dependsOn: string[]): Operation {
  return { kind: 'DELETE', id: id(entry), content: null, original: seal('k', { depends_on: dependsOn }) }
}

function inGroups(entry: string, groups: string[], ...dependsOn: string[]): Operation {
  return { kind: 'CREATE', id: id(entry), content: seal('k', { groups, depends_on: dependsOn }), original: null }
}

const order = (...operations: Operation[]) => orderOperations(operations, references).map((operation) => operation.id)

/** Content without the cost of sealing, for the large ones: only its references count here. */
function light(dependsOn: readonly string[]): SealedContent {
  return new SealedContent('k', JSON.stringify({ depends_on: dependsOn }), 'null', '')
}

describe('I5: the order is a pure function of the set', () => {
  it('however the operations are shuffled', () => {
    fc.assert(
      fc.property(
        changeset.chain((operations) =>
          fc.tuple(fc.constant(operations), fc.shuffledSubarray(operations, { minLength: operations.length })),
        ),
        ([operations, shuffled]) => {
          expect(orderOperations(shuffled, references).map(shown)).toEqual(operations.map(shown))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('and nothing is lost, added or said twice', () => {
    fc.assert(
      fc.property(changeset, (operations) => {
        expect(orderOperations(operations, references).map(shown).sort()).toEqual(operations.map(shown).sort())
      }),
    )
  })

  it('and is what the rule gives with every edge written out', () => {
    fc.assert(
      fc.property(tangle, (operations) => {
        expect(orderOperations(operations, references).map(shown)).toEqual(naiveOrder(operations).map(shown))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('I6: every reference that is on no cycle is kept to', () => {
  it('deletes first, dependents before dependencies; then the rest, dependencies before dependents', () => {
    fc.assert(
      fc.property(changeset, (operations) => {
        const kinds = operations.map(({ kind }) => kind === 'DELETE')
        expect(kinds.lastIndexOf(true)).toBeLessThan(kinds.includes(false) ? kinds.indexOf(false) : Infinity)
        for (const half of ['DELETES', 'OTHERS'] as const) {
          const ids: EntryId[] = operations
            .filter(({ kind }) => (kind === 'DELETE') === (half === 'DELETES'))
            .map((operation) => operation.id)
          const before = edges(operations, half)
          const reached = ancestors(before)
          for (const [later, earlier] of before) {
            for (const first of earlier)
              if (!reached.get(first)!.has(later)) expect(ids.indexOf(first)).toBeLessThan(ids.indexOf(later))
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('ties go by id', () => {
    expect(order(create('b:1'), create('a:2'), create('a:1'), create('a!:0'))).toEqual(['a:1', 'a:2', 'a!:0', 'b:1'])
    expect(order(create('a:1', 'c:1'), create('b:1'), create('c:1'))).toEqual(['b:1', 'c:1', 'a:1'])
    expect(order(remove('a:1', 'c:1'), remove('b:1'), remove('c:1', 'b:1'))).toEqual(['a:1', 'c:1', 'b:1'])
  })

  it('a namespace stands for its entries, a group for those in it, without oneself', () => {
    expect(order(create('a:1', 'ns:n'), create('n:1'), create('n:2'))).toEqual(['n:1', 'n:2', 'a:1'])
    expect(order(create('n:1', 'ns:n'), create('n:2'), create('n:3'))).toEqual(['n:2', 'n:3', 'n:1'])
    expect(order(create('n:1', 'ns:n'), create('n:2'), create('a:0', 'ns:n'))).toEqual(['n:2', 'n:1', 'a:0'])
    expect(order(inGroups('a:1', ['g'], 'group:g'), inGroups('b:1', ['g']), inGroups('c:1', ['h']))).toEqual([
      'b:1',
      'a:1',
      'c:1',
    ])
    expect(order(remove('a:1'), remove('b:1', 'ns:a'), remove('b:2', 'ns:b'))).toEqual(['b:2', 'b:1', 'a:1'])
  })

  it('deletes go by what the entries held, updates by what they are to hold', () => {
    const swap: Operation[] = [
      { kind: 'UPDATE', id: id('a:1'), original: seal('k', {}), content: seal('k', { parent: '2' }) },
      { kind: 'UPDATE', id: id('a:2'), original: seal('k', { parent: '1' }), content: seal('k', {}) },
    ]
    expect(order(...swap)).toEqual(['a:2', 'a:1'])
    expect(order(...swap.map((operation): Operation => ({ ...operation, kind: 'DELETE', content: null })))).toEqual([
      'a:2',
      'a:1',
    ])
  })

  it('a replacement of another kind is deleted with the deletes and created with the creates', () => {
    const replacement: Operation[] = [remove('a:1', 'b:1'), { ...create('a:1', 'c:1') }, remove('b:1'), create('c:1')]
    expect(orderOperations(replacement, references).map(({ kind, id: entry }) => `${kind} ${entry}`)).toEqual([
      'DELETE a:1',
      'DELETE b:1',
      'CREATE c:1',
      'CREATE a:1',
    ])
  })

  it('references to what is not in the changeset do not count', () => {
    expect(order(create('a:1', 'x:gone', ':bad', 'ns:none', 'group:none'), create('b:1'))).toEqual(['a:1', 'b:1'])
  })
})

describe('I7: a cycle is broken at its smallest id', () => {
  it('of one', () => {
    expect(order(create('a:2', '2'), create('a:1', '1', 'a:2'))).toEqual(['a:2', 'a:1'])
  })

  it('of two', () => {
    expect(order(create('a:2', '1'), create('a:1', '2'))).toEqual(['a:1', 'a:2'])
    expect(order(remove('a:2', '1'), remove('a:1', '2'))).toEqual(['a:1', 'a:2'])
  })

  it('of three, and the rest of it in order', () => {
    expect(order(create('a:1', '2'), create('a:2', '3'), create('a:3', '1', 'z:1'), create('z:1'))).toEqual([
      'z:1',
      'a:1',
      'a:3',
      'a:2',
    ])
    expect(order(create('a:1', '2'), create('a:2', '3'), create('a:3', '1'))).toEqual(['a:1', 'a:3', 'a:2'])
  })

  it('but not before what the cycle waits for, another cycle too', () => {
    const [one, two] = [create('a:1', '2'), create('z:1', '2')]
    expect(order(one, create('a:2', '1', 'z:2'), two, create('z:2', '1'))).toEqual(['z:1', 'z:2', 'a:1', 'a:2'])
    expect(order(one, create('a:2', '1', 'z:1'), two, create('z:2', '1'))).toEqual(['z:1', 'a:1', 'a:2', 'z:2'])
  })

  it('and what waits for the cycle waits for all of it that it names', () => {
    expect(order(create('a:0', '2'), create('a:1', '2'), create('a:2', '1'))).toEqual(['a:1', 'a:2', 'a:0'])
  })

  it('of 1,000', () => {
    const name = (i: number) => `a:${String(i).padStart(4, '0')}`
    const ring = Array.from({ length: 1000 }, (_, i) => create(name(i), name((i + 1) % 1000)))
    expect(order(...ring)).toEqual([name(0), ...Array.from({ length: 999 }, (_, i) => name(999 - i))])
  })
})

describe('orderOperations at 100,000 operations', () => {
  /** Measured below 1,000. */
  const CPU_MS = 10_000
  const name = (i: number) => `a:${String(i).padStart(6, '0')}`
  const creating = (entry: string, dependsOn: readonly string[]): Operation => ({
    kind: 'CREATE',
    id: id(entry),
    content: light(dependsOn),
    original: null,
  })

  it('in one chain', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => creating(name(i), i < 99_999 ? [name(i + 1)] : []))
    const { result, cpuMs } = cpuTime(() => orderOperations(chain, references))
    expect(result[0]!.id).toBe(name(99_999))
    expect(result.every((operation, i) => operation.id === name(99_999 - i))).toBe(true)
    expect(cpuMs).toBeLessThan(CPU_MS)
  })

  it('in one cycle', () => {
    const ring = Array.from({ length: 100_000 }, (_, i) => creating(name(i), [name((i + 1) % 100_000)]))
    const { result, cpuMs } = cpuTime(() => orderOperations(ring, references))
    expect(result.slice(0, 3).map((operation) => operation.id)).toEqual([name(0), name(99_999), name(99_998)])
    expect(cpuMs).toBeLessThan(CPU_MS)
  })

  it('where 50,000 refer to a namespace of 50,000', () => {
    const members = Array.from({ length: 50_000 }, (_, i) => creating(`n:${i}`, []))
    const referrers = Array.from({ length: 50_000 }, (_, i) => creating(name(i), ['ns:n']))
    const { result, cpuMs } = cpuTime(() => orderOperations([...referrers, ...members], references))
    expect(result.slice(0, 50_000).every((operation) => operation.id.startsWith('n:'))).toBe(true)
    expect(result.slice(50_000).map((operation) => operation.id)).toEqual(referrers.map((operation) => operation.id))
    expect(cpuMs).toBeLessThan(CPU_MS)
  })

  it('where all refer to the namespace that they are in', () => {
    const all = Array.from({ length: 100_000 }, (_, i) => creating(name(i), ['ns:a']))
    const { result, cpuMs } = cpuTime(() => orderOperations(all.toReversed(), references))
    expect(result.map((operation) => operation.id)).toEqual(all.map((operation) => operation.id))
    expect(cpuMs).toBeLessThan(CPU_MS)
  })
})
