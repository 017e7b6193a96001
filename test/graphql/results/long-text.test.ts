import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isLong,
  type JsonText,
  joinTexts,
  LongText,
  piecesOf,
  wholeText,
} from '../../../src/graphql/results/long-text.js'

const LIMIT = 256 * 1024

/** Texts of all lengths around those that are joined or cut, with characters of one and two code units. */
const text = fc
  .tuple(
    fc.constantFrom(0, 1, 2, 65_535, 65_536, 65_537, LIMIT, LIMIT + 1, 600_000),
    fc.constantFrom('a', 'é', '😀', 'a😀'),
  )
  .map(([length, of]) => of.repeat(Math.ceil(length / of.length)))
const texts = fc.array(text, { maxLength: 4 })
const jsonText = fc.oneof(
  text,
  texts.map((parts): JsonText => joinTexts(parts)),
)

describe('a long text', () => {
  it('is what its parts are, joined', () => {
    fc.assert(
      fc.property(fc.array(jsonText, { maxLength: 4 }), fc.constantFrom('', ','), (parts, separator) => {
        const joined = joinTexts(parts, '[', separator, ']')
        const whole = `[${parts.map(wholeText).join(separator)}]`
        expect(wholeText(joined) === whole).toBe(true)
        expect(joined.length).toBe(whole.length)
        expect(isLong(joined)).toBe(joined instanceof LongText)
      }),
      { numRuns: 200 },
    )
  })

  it('is encoded in short pieces, which no character crosses', () => {
    fc.assert(
      fc.property(jsonText, (whole) => {
        const pieces = [...piecesOf(whole)]
        expect(pieces.join('') === wholeText(whole)).toBe(true)
        expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(LIMIT)
        expect(Buffer.concat(pieces.map((piece) => Buffer.from(piece))).equals(Buffer.from(wholeText(whole)))).toBe(
          true,
        )
      }),
      { numRuns: 200 },
    )
  })

  it('has few pieces if it is made of many short ones', () => {
    const joined = joinTexts(
      Array.from({ length: 100_000 }, () => '"0123456789"'),
      '[',
      ',',
      ']',
    )
    expect(joined).toBeInstanceOf(LongText)
    expect((joined as LongText).pieces.length).toBeLessThan(30)
  })
})
