import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partitionPoint } from '../../../src/core/algorithms/partition-point.js'

describe('the partition point of a sorted list', () => {
  it('equals the count of a linear scan, with few comparisons', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: -1, max: 51 }), (unordered, limit) => {
        const items = unordered.sort((a, b) => a - b)
        let asked = 0
        const count = partitionPoint(items, (item) => {
          asked += 1
          return item <= limit
        })
        expect(count).toBe(items.filter((item) => item <= limit).length)
        expect(asked).toBeLessThanOrEqual(Math.ceil(Math.log2(items.length + 1)))
      }),
    )
  })
})
