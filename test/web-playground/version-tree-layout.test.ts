import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { layoutTree, type NodePosition, type TreeVersion } from '../../web-playground/src/version-tree/layout-tree.js'

const tree = (...parents: (number | null)[]): TreeVersion[] =>
  parents.map((parent, number) => ({ number, previous: parent === null ? null : { number: parent } }))

const lanes = (places: readonly NodePosition[]) =>
  Object.fromEntries(places.map(({ number, lane }) => [`v${number}`, lane]))

describe('the layout of the version tree', () => {
  it('draws one straight line without branches', () => {
    const { places, laneCount } = layoutTree(tree(null, 0, 1), 2)
    expect(laneCount).toBe(1)
    expect(places).toEqual([
      { number: 2, row: 0, lane: 0, parent: { row: 1, lane: 0 } },
      { number: 1, row: 1, lane: 0, parent: { row: 2, lane: 0 } },
      { number: 0, row: 2, lane: 0, parent: 'none' },
    ])
  })

  it("keeps the head's lineage on the left and puts other branches beside it", () => {
    expect(lanes(layoutTree(tree(null, 0, 1, 1), 3).places)).toEqual({ v3: 0, v2: 1, v1: 0, v0: 0 })
    expect(lanes(layoutTree(tree(null, 0, 1, 1), 2).places)).toEqual({ v3: 1, v2: 0, v1: 0, v0: 0 })
  })

  it('reuses a lane after its branch has joined its parent', () => {
    expect(layoutTree(tree(null, 0, 0, 2, 2, 4), 5).laneCount).toBe(2)
  })

  it('continues the line below a version whose parent is not drawn', () => {
    expect(layoutTree(tree(null, 0, 1).slice(1), 2).places.at(-1)).toMatchObject({ number: 1, parent: 'below' })
  })

  it('draws the tree even if it does not contain the head', () => {
    expect(layoutTree(tree(null, 0), undefined).places.map(({ lane }) => lane)).toEqual([0, 0])
    expect(layoutTree([], 7)).toEqual({ places: [], laneCount: 0 })
  })

  it('never draws a line through another version', () => {
    const parents = fc
      .array(fc.nat(), { maxLength: 40 })
      .map((picks) => [null, ...picks.map((pick, index) => pick % (index + 1))])
    fc.assert(
      fc.property(parents, fc.nat(), fc.nat(), (all, headPick, hidden) => {
        const versions = tree(...all).slice(hidden % all.length)
        const head = versions[headPick % versions.length]?.number
        const { places, laneCount } = layoutTree(versions, head)
        expect(places.find(({ number }) => number === head)?.lane).toBe(0)
        for (const { row, lane, parent } of places) {
          expect(lane).toBeLessThan(laneCount)
          if (parent === 'none') continue
          const end = parent === 'below' ? places.length : parent.row
          const between = places.filter((other) => other.row > row && other.row < end)
          expect(between.filter((other) => other.lane === lane)).toEqual([])
        }
      }),
    )
  })
})
