import { describe, expect, it } from 'vitest'
import { PageLimit } from '../../../src/registry/following/page-limit.js'

describe('the limit of a page', () => {
  it('grows fourfold at most for each page, up to what fits the target size and to the maximum', () => {
    const limit = new PageLimit(10_000, 100)
    expect(limit.limit).toBe(8)
    limit.record(8, 80)
    expect(limit.limit).toBe(32)
    limit.record(32, 32_000)
    expect(limit.limit).toBe(10)
    limit.record(10, 10)
    limit.record(40, 40)
    expect(limit.limit).toBe(100)
  })

  it('is one for items that are larger than the target size, and unchanged by an empty page', () => {
    const limit = new PageLimit(10_000, 100)
    limit.record(1, 50_000)
    expect(limit.limit).toBe(1)
    limit.record(0, 0)
    expect(limit.limit).toBe(1)
  })

  it('halves after a page that took too long, down to one', () => {
    const limit = new PageLimit()
    const limits: number[] = []
    for (let i = 0; i < 5; i++) {
      limit.halve()
      limits.push(limit.limit)
    }
    expect(limits).toEqual([4, 2, 1, 1, 1])
  })
})
