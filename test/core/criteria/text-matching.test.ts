import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { escapeGlob, globLiteral, matchGlob, parseGlob } from '../../../src/core/criteria/glob.js'
import { includesLinear, includesText } from '../../../src/core/criteria/includes-text.js'

const unit = fc.constantFrom('a', 'b', '.', '😀', '\n')
const text = fc.string({ unit, maxLength: 12 })
const pattern = fc
  .array(fc.constantFrom('*', '?', 'a', 'b', '.', '😀', '\\*', '\\?', '\\\\', '\\a'), { maxLength: 8 })
  .map((parts) => parts.join(''))

const glob = (globText: string, subject: string) => matchGlob(parseGlob(globText), subject, () => undefined)

/** Matches by the definition and tries everything. */
function naive(pattern: readonly string[], subject: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return subject.length === 0
  if (first === '*') return naive(rest, subject) || (subject.length > 0 && naive(pattern, subject.slice(1)))
  if (subject.length === 0) return false
  const [literal, after] = first === '\\' ? [rest[0], rest.slice(1)] : [first, rest]
  return (first === '?' || literal === subject[0]) && naive(after, subject.slice(1))
}

describe('a glob', () => {
  it('matches by its definition', () => {
    fc.assert(
      fc.property(pattern, text, (globText, subject) => {
        expect(glob(globText, subject)).toBe(naive([...globText], [...subject]))
      }),
      { numRuns: 5_000 },
    )
  })

  it('matches exactly its own text if escaped', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (own, other) => {
        expect(globLiteral(parseGlob(escapeGlob(own)))).toBe(own)
        expect(glob(escapeGlob(own), other)).toBe(own === other)
      }),
    )
  })

  it('takes at most text length times pattern length steps', () => {
    const globText = `${'*a'.repeat(200)}b`
    const steps = (length: number) => {
      let total = 0
      expect(
        matchGlob(parseGlob(globText), 'a'.repeat(length), (more) => {
          total += more
        }),
      ).toBe(false)
      return total
    }
    expect(steps(10_000)).toBeLessThan(10_000 * globText.length)
    expect(steps(10_000) / steps(5_000)).toBeLessThan(2.5)
  })
})

describe('a substring', () => {
  it("is found by the linear search where the engine's search finds it", () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 30 })
    const part = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 })
    fc.assert(
      fc.property(few, part, (subject, wanted) => {
        expect(includesLinear(subject, wanted)).toBe(subject.includes(wanted))
      }),
      { numRuns: 5_000 },
    )
  })

  it('is found in a long text in linear time', () => {
    const wanted = `b${'a'.repeat(999)}`
    const includes = vi.spyOn(String.prototype, 'includes')
    expect(includesText('a'.repeat(4_000_000), wanted)).toBe(false)
    expect(includesText(`${'a'.repeat(4_000_000)}${wanted}`, wanted)).toBe(true)
    // The engine's own search is quadratic at worst, so it must not be used here.
    expect(includes).not.toHaveBeenCalled()
    includes.mockRestore()
    expect(includesText('short', 'hor')).toBe(true)
  })
})
