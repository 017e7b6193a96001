import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { applyOperations } from '../../../src/core/history/apply-operations.js'
import { delta } from '../../../src/core/history/delta.js'
import { inverse } from '../../../src/core/history/inverse.js'
import { squash } from '../../../src/core/history/squash.js'
import { commonAncestor, pathBetween } from '../../../src/core/history/version-tree.js'
import type { Operation } from '../../../src/core/ordering/operation.js'
import {
  changesetFor,
  digests,
  type Edits,
  edits,
  id,
  references,
  type State,
  seal,
  shown,
  state,
} from '../arbitraries.js'

/** A version tree: the parent, changeset and state of each version, beginning with v0. */
interface Tree {
  readonly parents: readonly (number | null)[]
  readonly changesets: readonly Operation[][]
  readonly states: readonly State[]
}

const tree: fc.Arbitrary<Tree> = fc.array(fc.tuple(fc.nat(), edits()), { minLength: 1, maxLength: 8 }).map((steps) => {
  const parents: (number | null)[] = [null]
  const changesets: Operation[][] = [[]]
  const states: State[] = [new Map()]
  for (const [choice, wanted] of steps) {
    const parent = choice % states.length
    const changeset = changesetFor(states[parent]!, wanted)
    parents.push(parent)
    changesets.push(changeset)
    states.push(applyOperations(states[parent]!, changeset))
  }
  return { parents, changesets, states }
})

function lineage({ parents }: Tree, version: number): number[] {
  const line = [version]
  for (let parent = parents[version]!; parent !== null; parent = parents[parent]!) line.push(parent)
  return line
}

/** A tree and two of its versions. */
const journey = tree.chain((of) => {
  const version = fc.nat({ max: of.states.length - 1 })
  return fc.tuple(fc.constant(of), version, version)
})

function pathChangesets(of: Tree, from: number, to: number): Operation[][] {
  return pathBetween(lineage(of, from), lineage(of, to)).map(({ direction, version }) => {
    const changeset = of.changesets[version]!
    return direction === 'FORWARD' ? changeset : inverse(changeset)
  })
}

describe('I1: the delta of two states leads from one to the other', () => {
  it('gives the second state if applied to the first', () => {
    fc.assert(
      fc.property(state(), state(), (a, b) => {
        expect(digests(applyOperations(a, runAtOnce(delta(a, b, references))))).toEqual(digests(b))
      }),
    )
  })

  it('has the fewest operations: one for each entry that differs, two if its kind differs', () => {
    fc.assert(
      fc.property(state(), state(), (a, b) => {
        let fewest = 0
        for (const entry of new Set([...a.keys(), ...b.keys()])) {
          const [before, after] = [a.get(entry), b.get(entry)]
          if (before?.digest !== after?.digest)
            fewest += before !== undefined && after !== undefined && before.kind !== after.kind ? 2 : 1
        }
        expect(runAtOnce(delta(a, b, references))).toHaveLength(fewest)
      }),
    )
  })

  it('has no operation that can be left out', () => {
    fc.assert(
      fc.property(state(), state(), (a, b) => {
        const operations = runAtOnce(delta(a, b, references))
        operations.forEach((_, left) => {
          const without = operations.filter((_operation, i) => i !== left)
          let reached: State | null = null
          try {
            reached = applyOperations(a, without)
          } catch {
            /* it does not even fit */
          }
          if (reached !== null) expect(digests(reached)).not.toEqual(digests(b))
        })
      }),
    )
  })

  it('has no operation for a different key order or number format', () => {
    const a = new Map([[id('a:1'), seal('k', { x: 1, y: 2 }, [1])]])
    const b = new Map([[id('a:1'), seal('k', { y: 2, x: 1 }, [JSON.parse('1.0')])]])
    expect(runAtOnce(delta(a, b, references))).toEqual([])
    expect(
      runAtOnce(delta(a, new Map([[id('a:1'), seal('k', { x: 1, y: 2 }, [1, 1])]]), references)).map(
        ({ kind }) => kind,
      ),
    ).toEqual(['UPDATE'])
  })

  it('replaces an entry by a delete and a create if its kind differs', () => {
    const before = seal('k.one', { x: 1 })
    const after = seal('k.two', { x: 1 })
    expect(runAtOnce(delta(new Map([[id('a:1'), before]]), new Map([[id('a:1'), after]]), references))).toEqual([
      { kind: 'DELETE', id: 'a:1', content: null, original: before },
      { kind: 'CREATE', id: 'a:1', content: after, original: null },
    ])
  })
})

describe('I2: the inverse of a changeset undoes it', () => {
  it('restores the state before the changeset', () => {
    fc.assert(
      fc.property(state(), edits(), (before, wanted: Edits) => {
        const changeset = changesetFor(before, wanted)
        const after = applyOperations(before, changeset)
        expect(digests(applyOperations(after, inverse(changeset)))).toEqual(digests(before))
      }),
    )
  })

  it('has the changeset as its inverse', () => {
    fc.assert(
      fc.property(state(), edits(), (before, wanted) => {
        const changeset = changesetFor(before, wanted)
        expect(inverse(inverse(changeset)).map(shown)).toEqual(changeset.map(shown))
      }),
    )
  })

  it('turns creates into deletes and deletes into creates, in reverse order', () => {
    const [one, two] = [seal('k', { n: 1 }), seal('k', { n: 2 })]
    expect(
      inverse([
        { kind: 'DELETE', id: id('a:1'), content: null, original: one },
        { kind: 'CREATE', id: id('a:2'), content: two, original: null },
        { kind: 'UPDATE', id: id('a:3'), content: two, original: one },
      ]),
    ).toEqual([
      { kind: 'UPDATE', id: 'a:3', content: one, original: two },
      { kind: 'DELETE', id: 'a:2', content: null, original: two },
      { kind: 'CREATE', id: 'a:1', content: one, original: null },
    ])
  })

  it('is refused if an operation does not have its original', () => {
    expect(() => inverse([{ kind: 'DELETE', id: id('a:1'), content: null, original: null }])).toThrow('a:1')
  })
})

describe('I3: the squash of a path equals the delta of its ends', () => {
  it('holds in any version tree', () => {
    fc.assert(
      fc.property(journey, ([of, from, to]) => {
        const squashed = runAtOnce(squash(pathChangesets(of, from, to), references))
        expect(squashed.map(shown)).toEqual(runAtOnce(delta(of.states[from]!, of.states[to]!, references)).map(shown))
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same result in two steps as in one', () => {
    fc.assert(
      fc.property(journey, fc.nat(), ([of, from, to], cut) => {
        const changesets = pathChangesets(of, from, to)
        const at = cut % (changesets.length + 1)
        const twice = runAtOnce(
          squash(
            [
              runAtOnce(squash(changesets.slice(0, at), references)),
              runAtOnce(squash(changesets.slice(at), references)),
            ],
            references,
          ),
        )
        expect(twice.map(shown)).toEqual(runAtOnce(squash(changesets, references)).map(shown))
      }),
    )
  })

  const [one, two, three, other] = [
    seal('k', { n: 1 }),
    seal('k', { n: 2 }),
    seal('k', { n: 3 }),
    seal('other', { n: 1 }),
  ]
  const create = (content = one): Operation => ({ kind: 'CREATE', id: id('a:1'), content, original: null })
  const update = (original = one, content = two): Operation => ({ kind: 'UPDATE', id: id('a:1'), content, original })
  const remove = (original = one): Operation => ({ kind: 'DELETE', id: id('a:1'), content: null, original })

  it.each<[string, Operation[], Operation[]]>([
    ['create, update: create', [create(one), update(one, two)], [create(two)]],
    ['create, delete: nothing', [create(one), remove(one)], []],
    ['create, delete, create: create', [create(one), remove(one), create(other)], [create(other)]],
    ['update, update: update', [update(one, two), update(two, three)], [update(one, three)]],
    ['update, delete: delete', [update(one, two), remove(two)], [remove(one)]],
    ['delete, create of the same kind: update', [remove(one), create(two)], [update(one, two)]],
    ['delete, create of another kind: delete and create', [remove(one), create(other)], [remove(one), create(other)]],
    ['delete, create, update', [remove(other), create(one), update(one, two)], [remove(other), create(two)]],
    ['delete, create, delete: delete', [remove(one), create(other), remove(other)], [remove(one)]],
    ['an update back to the original: nothing', [update(one, two), update(two, one)], []],
    ['an update to equal content: nothing', [update(one, seal('k', { n: 1 }))], []],
    ['delete, create of the original: nothing', [remove(one), create(one)], []],
    ['another kind and back: nothing', [remove(one), create(other), remove(other), create(one)], []],
  ])('%s', (_title, steps, expected) => {
    expect(
      runAtOnce(
        squash(
          steps.map((step) => [step]),
          references,
        ),
      ).map(shown),
    ).toEqual(expected.map(shown))
    expect(runAtOnce(squash([steps], references)).map(shown)).toEqual(expected.map(shown))
  })

  it.each<[string, Operation[]]>([
    ['create after create', [create(), create()]],
    ['create after update', [update(), create()]],
    ['update after delete', [remove(), update()]],
    ['delete after delete', [remove(), remove()]],
    ['update after what comes to nothing', [create(), remove(), update()]],
    ['delete after what comes to nothing', [create(), remove(), remove()]],
    ['create after a replacement', [remove(), create(other), create()]],
    ['an update with another original', [update(one, two), update(three, one)]],
    ['a delete with another original', [create(one), remove(two)]],
    ['an update that does not know its original', [{ ...update(), original: null }]],
  ])('refuses %s', (_title, steps) => {
    expect(() => runAtOnce(squash([steps], references))).toThrow('a:1')
  })
})

describe('I4: a path and the path back cancel each other out', () => {
  it('are each other reversed, with the directions swapped', () => {
    fc.assert(
      fc.property(journey, ([of, from, to]) => {
        const there = pathBetween(lineage(of, from), lineage(of, to))
        const back = pathBetween(lineage(of, to), lineage(of, from))
        const turned = there.toReversed().map(({ direction, version }) => ({
          direction: direction === 'FORWARD' ? 'BACKWARD' : 'FORWARD',
          version,
        }))
        expect(back).toEqual(turned)
        expect(
          runAtOnce(squash([...pathChangesets(of, from, to), ...pathChangesets(of, to, from)], references)),
        ).toEqual([])
      }),
    )
  })

  it('lead to the other end and visit no version twice', () => {
    fc.assert(
      fc.property(journey, ([of, from, to]) => {
        const reached = pathChangesets(of, from, to).reduce<State>(applyOperations, of.states[from]!)
        expect(digests(reached)).toEqual(digests(of.states[to]!))
        const steps = pathBetween(lineage(of, from), lineage(of, to)).map(({ version }) => version)
        expect(new Set(steps).size).toBe(steps.length)
      }),
    )
  })

  //  v0 ── v1 ── v2 ── v3
  //         └─── v4
  const [v0, v3, v4] = [[0], [3, 2, 1, 0], [4, 1, 0]]
  it.each([
    ['forward', v0, v3, ['+1', '+2', '+3'], 0],
    ['backward', v3, [1, 0], ['-3', '-2'], 1],
    ['across', v3, v4, ['-3', '-2', '+4'], 1],
    ['of a version to itself', v4, v4, [], 4],
  ])('have the expected steps and ancestor: %s', (_title, from, to, steps, ancestor) => {
    expect(
      pathBetween(from, to).map(({ direction, version }) => `${direction === 'FORWARD' ? '+' : '-'}${version}`),
    ).toEqual(steps)
    expect(commonAncestor(from, to)).toBe(ancestor)
    expect(commonAncestor(to, from)).toBe(ancestor)
  })

  it('are refused for lineages of different trees', () => {
    expect(() => commonAncestor([2, 1], [3, 0])).toThrow('root')
    expect(() => pathBetween([], [0])).toThrow('root')
  })
})

describe('applyOperations', () => {
  const [one, two, other] = [seal('k', { n: 1 }), seal('k', { n: 2 }), seal('other')]
  const held = new Map([[id('a:1'), one]])
  it.each<[string, Operation]>([
    ['a create of an existing entry', { kind: 'CREATE', id: id('a:1'), content: two, original: null }],
    ['a create without content', { kind: 'CREATE', id: id('a:2'), content: null, original: null }],
    ['an update of a missing entry', { kind: 'UPDATE', id: id('a:2'), content: two, original: one }],
    ['an update of something else', { kind: 'UPDATE', id: id('a:1'), content: one, original: two }],
    ['an update without content', { kind: 'UPDATE', id: id('a:1'), content: null, original: one }],
    ['an update to another kind', { kind: 'UPDATE', id: id('a:1'), content: other, original: one }],
    ['a delete of a missing entry', { kind: 'DELETE', id: id('a:2'), content: null, original: one }],
    ['a delete of something else', { kind: 'DELETE', id: id('a:1'), content: null, original: two }],
    ['a delete with content', { kind: 'DELETE', id: id('a:1'), content: two, original: one }],
  ])('refuses %s', (_title, operation) => {
    expect(() => applyOperations(held, [operation])).toThrow(`${operation.kind} ${operation.id} does not fit`)
    expect(digests(held)).toEqual(digests(new Map([[id('a:1'), one]])))
  })
})
