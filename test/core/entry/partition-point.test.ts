import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partitionPoint } from '../../../src/core/entry/partition-point.js'

describe('counting what stands before a place', () => {
  it('is what going through the list one by one gives, asking of few', () => {
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
