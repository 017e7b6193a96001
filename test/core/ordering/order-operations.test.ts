import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { SealedContent } from '../../../src/core/entry/entry.js'
import type { EntryId } from '../../../src/core/entry/entry-id.js'
import type { Operation } from '../../../src/core/ordering/operation.js'
import { orderOperations } from '../../../src/core/ordering/order-operations.js'
import { cpuTime } from '../../support/cpu-time.js'
import { changesetFor, edits, id, references, seal, shown, state } from '../arbitraries.js'
import { ancestors, edges, naiveOrder } from './naive-order.js'

const changeset = fc.tuple(state(), edits()).map(([before, wanted]) => changesetFor(before, wanted))

const ENTRIES = ['a:1', 'a:2', 'a:3', 'b:1', 'b:2', 'c:1', 'c:2', 'd:1', 'd:2']

/** Up to nine operations with enough references for cycles, also through namespaces and groups. */
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

const order = (...operations: Operation[]) =>
  runAtOnce(orderOperations(operations, references)).map((operation) => operation.id)

/** Content without the cost of sealing, for large changesets. Only its references matter here. */
function light(dependsOn: readonly string[]): SealedContent {
  return new SealedContent('k', JSON.stringify({ depends_on: dependsOn }), 'null', '')
}

describe('I5: the order is a pure function of the set', () => {
  it('does not depend on the order in which operations are sent', () => {
    fc.assert(
      fc.property(
        changeset.chain((operations) =>
          fc.tuple(fc.constant(operations), fc.shuffledSubarray(operations, { minLength: operations.length })),
        ),
        ([operations, shuffled]) => {
          expect(runAtOnce(orderOperations(shuffled, references)).map(shown)).toEqual(operations.map(shown))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('loses, adds and repeats no operation', () => {
    fc.assert(
      fc.property(changeset, (operations) => {
        expect(runAtOnce(orderOperations(operations, references)).map(shown).sort()).toEqual(
          operations.map(shown).sort(),
        )
      }),
    )
  })

  it('equals the result of the rule with every edge explicit', () => {
    fc.assert(
      fc.property(tangle, (operations) => {
        expect(runAtOnce(orderOperations(operations, references)).map(shown)).toEqual(naiveOrder(operations).map(shown))
      }),
      { numRuns: 3000 },
    )
  })
})

describe('I6: the order follows every reference that is on no cycle', () => {
  it('puts deletes first, dependents before dependencies, then the rest, dependencies before dependents', () => {
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

  it('breaks ties by id', () => {
    expect(order(create('b:1'), create('a:2'), create('a:1'), create('a!:0'))).toEqual(['a:1', 'a:2', 'a!:0', 'b:1'])
    expect(order(create('a:1', 'c:1'), create('b:1'), create('c:1'))).toEqual(['b:1', 'c:1', 'a:1'])
    expect(order(remove('a:1', 'c:1'), remove('b:1'), remove('c:1', 'b:1'))).toEqual(['a:1', 'c:1', 'b:1'])
  })

  it('treats a reference to a namespace or group as references to its other entries', () => {
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

  it('uses the original content of deletes and the new content of updates', () => {
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

  it('puts the two halves of a replacement by another kind among the deletes and the creates', () => {
    const replacement: Operation[] = [remove('a:1', 'b:1'), { ...create('a:1', 'c:1') }, remove('b:1'), create('c:1')]
    expect(
      runAtOnce(orderOperations(replacement, references)).map(({ kind, id: entry }) => `${kind} ${entry}`),
    ).toEqual(['DELETE a:1', 'DELETE b:1', 'CREATE c:1', 'CREATE a:1'])
  })

  it('ignores references to entries outside the changeset', () => {
    expect(order(create('a:1', 'x:gone', ':bad', 'ns:none', 'group:none'), create('b:1'))).toEqual(['a:1', 'b:1'])
  })
})

describe('I7: a cycle is broken at its smallest id', () => {
  it('of one entry', () => {
    expect(order(create('a:2', '2'), create('a:1', '1', 'a:2'))).toEqual(['a:2', 'a:1'])
  })

  it('of two entries', () => {
    expect(order(create('a:2', '1'), create('a:1', '2'))).toEqual(['a:1', 'a:2'])
    expect(order(remove('a:2', '1'), remove('a:1', '2'))).toEqual(['a:1', 'a:2'])
  })

  it('of three entries, with the rest of the cycle in order', () => {
    expect(order(create('a:1', '2'), create('a:2', '3'), create('a:3', '1', 'z:1'), create('z:1'))).toEqual([
      'z:1',
      'a:1',
      'a:3',
      'a:2',
    ])
    expect(order(create('a:1', '2'), create('a:2', '3'), create('a:3', '1'))).toEqual(['a:1', 'a:3', 'a:2'])
  })

  it('after all that the cycle depends on, also another cycle', () => {
    const [one, two] = [create('a:1', '2'), create('z:1', '2')]
    expect(order(one, create('a:2', '1', 'z:2'), two, create('z:2', '1'))).toEqual(['z:1', 'z:2', 'a:1', 'a:2'])
    expect(order(one, create('a:2', '1', 'z:1'), two, create('z:2', '1'))).toEqual(['z:1', 'a:1', 'a:2', 'z:2'])
  })

  it('and an entry outside the cycle comes after all of the cycle that it references', () => {
    expect(order(create('a:0', '2'), create('a:1', '2'), create('a:2', '1'))).toEqual(['a:1', 'a:2', 'a:0'])
  })

  it('of 1,000 entries', () => {
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

  it('orders one chain', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => creating(name(i), i < 99_999 ? [name(i + 1)] : []))
    const { result, cpuMs } = cpuTime(() => runAtOnce(orderOperations(chain, references)))
    expect(result[0]!.id).toBe(name(99_999))
    expect(result.every((operation, i) => operation.id === name(99_999 - i))).toBe(true)
    expect(cpuMs).toBeLessThan(CPU_MS)
  })

  it('orders one cycle', () => {
    const ring = Array.from({ length: 100_000 }, (_, i) => creating(name(i), [name((i + 1) % 100_000)]))
    const { result, cpuMs } = cpuTime(() => runAtOnce(orderOperations(ring, references)))
    expect(result.slice(0, 3).map((operation) => operation.id)).toEqual([name(0), name(99_999), name(99_998)])
    expect(cpuMs).toBeLessThan(CPU_MS)
  })

  it('orders 50,000 references to a namespace of 50,000', () => {
    const members = Array.from({ length: 50_000 }, (_, i) => creating(`n:${i}`, []))
    const referrers = Array.from({ length: 50_000 }, (_, i) => creating(name(i), ['ns:n']))
    const { result, cpuMs } = cpuTime(() => runAtOnce(orderOperations([...referrers, ...members], references)))
    expect(result.slice(0, 50_000).every((operation) => operation.id.startsWith('n:'))).toBe(true)
    expect(result.slice(50_000).map((operation) => operation.id)).toEqual(referrers.map((operation) => operation.id))
    expect(cpuMs).toBeLessThan(CPU_MS)
  })

  it('orders entries that all reference their own namespace', () => {
    const all = Array.from({ length: 100_000 }, (_, i) => creating(name(i), ['ns:a']))
    const { result, cpuMs } = cpuTime(() => runAtOnce(orderOperations(all.toReversed(), references)))
    expect(result.map((operation) => operation.id)).toEqual(all.map((operation) => operation.id))
    expect(cpuMs).toBeLessThan(CPU_MS)
  })
})
