import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce, type Steps } from '../../../src/core/algorithms/steps.js'
import type { ExtractReferences } from '../../../src/core/dependency/reference.js'
import { SealedContent } from '../../../src/core/entry/entry.js'
import { delta } from '../../../src/core/history/delta.js'
import { dependencyCycles } from '../../../src/core/ordering/dependency-cycles.js'
import type { Operation } from '../../../src/core/ordering/operation.js'
import { orderOperations } from '../../../src/core/ordering/order-operations.js'
import { edits, id, references, shown, state } from '../arbitraries.js'

/** Entries that each refer to all of them, as in 1,500 entries that blocked all other requests for 5 s. */
function everyoneToEveryone(count: number): Operation[] {
  const all = JSON.stringify({ depends_on: Array.from({ length: count }, (_, i) => `a:${i}`) })
  return Array.from({ length: count }, (_, i) => ({
    kind: 'CREATE' as const,
    id: id(`a:${i}`),
    content: new SealedContent('k', all, 'null', ''),
    original: null,
  }))
}

/** Runs steps and returns the number of pauses, and the most entries whose references were extracted between two. */
function watched(run: (references: Pick<ExtractReferences, 'targets'>) => Steps<unknown>): {
  pauses: number
  most: number
} {
  let extracted = 0
  let most = 0
  let pauses = 0
  const counting: Pick<ExtractReferences, 'targets'> = {
    *targets(...of) {
      extracted++
      return yield* references.targets(...of)
    },
  }
  for (const steps = run(counting); steps.next().done !== true; pauses++) {
    most = Math.max(most, extracted)
    extracted = 0
  }
  return { pauses, most }
}

describe('ordering in steps', () => {
  it.each([
    ['order', orderOperations],
    ['cycles', dependencyCycles],
  ] as const)('pauses within the references of an entry: %s', (_, run) => {
    const operations = everyoneToEveryone(400)
    const { pauses, most } = watched((counting) => run(operations, counting))
    expect(most).toBeLessThanOrEqual(2)
    // Each of the 160,000 references is extracted and added to the graph.
    expect(pauses).toBeGreaterThan((2 * 400 * 400) / 512)
  })

  it('pauses nowhere for a small changeset', () => {
    expect(watched((counting) => orderOperations(everyoneToEveryone(8), counting)).pauses).toBe(0)
  })

  it('leads to the same delta when its steps alternate with those of another one', () => {
    fc.assert(
      fc.property(state(), edits(), edits(), (before, first, second) => {
        const pairs = [first, second].map((wanted) => {
          const after = new Map(before)
          for (const [entry, content] of wanted) {
            if (content === null) after.delete(entry)
            else after.set(entry, content)
          }
          return after
        })
        const alone = pairs.map((after) => runAtOnce(delta(before, after, references)).map(shown))
        const running = pairs.map((after) => delta(before, after, references))
        const together: (string[] | undefined)[] = [undefined, undefined]
        while (together.includes(undefined)) {
          for (const [i, steps] of running.entries()) {
            if (together[i] !== undefined) continue
            const { done, value } = steps.next()
            if (done === true) together[i] = value.map(shown)
          }
        }
        expect(together).toEqual(alone)
      }),
    )
  })
})
