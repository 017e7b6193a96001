import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortInSteps } from '../../../src/core/algorithms/sort-in-steps.js'
import { flatMapInSteps, runAtOnce, type Steps } from '../../../src/core/algorithms/steps.js'

function pausesOf(steps: Steps<unknown>): number {
  let pauses = 0
  while (steps.next().done !== true) pauses++
  return pauses
}

describe('sortInSteps', () => {
  it('sorts as `sort` does, stable, and leaves the list unchanged', () => {
    const items = fc.array(fc.record({ key: fc.integer({ min: 0, max: 50 }), place: fc.nat() }), {
      maxLength: 2_000,
      size: 'max',
    })
    fc.assert(
      fc.property(items, (list) => {
        const before = [...list]
        const compare = (a: { key: number }, b: { key: number }) => a.key - b.key
        expect(runAtOnce(sortInSteps(list, compare))).toEqual([...list].sort(compare))
        expect(list).toEqual(before)
      }),
      { numRuns: 200 },
    )
  })

  it('pauses about once for 256 comparisons', () => {
    let compared = 0
    let most = 0
    const list = Array.from({ length: 20_000 }, (_, i) => (i * 7_919) % 20_011)
    const steps = sortInSteps(list, (a, b) => {
      compared++
      return a - b
    })
    for (let last = 0; steps.next().done !== true; last = compared) most = Math.max(most, compared - last)
    expect(most).toBeLessThan(3_000)
    expect(compared).toBeGreaterThan(100_000)
  })
})

describe('flatMapInSteps', () => {
  it('does the same as `flatMap`, with a pause for every 256 items', () => {
    const items = Array.from({ length: 1_000 }, (_, i) => i)
    const repeat = (item: number) => Array.from({ length: item % 3 }, () => item)
    expect(runAtOnce(flatMapInSteps(items, repeat))).toEqual(items.flatMap(repeat))
    expect(pausesOf(flatMapInSteps(items, repeat))).toBe(3)
  })
})
