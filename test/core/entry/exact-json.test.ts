import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InexactNumber, parseExactJson, parseStrictJson } from '../../../src/core/entry/exact-json.js'
import { mayHoldInexactNumber } from '../../../src/core/entry/inexact-numbers.js'

const INEXACT = ['9007199254740993', '-12345678901234567890.0', '1e400', '-1E-400', '9.007199254740993e15', '1e+0999']
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    ...INEXACT,
    ...INEXACT.map((number) => `[${number}, {"a": ${number}`),
    '\\',
    '"',
    '":1e400',
    '__proto__',
  ),
)
const trees = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    fc.constantFrom(null, true, false),
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.array(tie('value')),
    fc.array(fc.tuple(text, tie('value'))).map((members) => Object.fromEntries(members)),
  ),
})).value

/** A tree that holds a placeholder, whose place is returned. */
const holed = fc
  .tuple(fc.array(fc.oneof(fc.nat({ max: 3 }), text), { maxLength: 8 }), fc.infiniteStream(trees))
  .map(([path, values]) => {
    let root: unknown = '\u0000hole'
    for (const step of [...path].reverse()) {
      if (typeof step === 'number') {
        root = [...Array.from({ length: step }, () => values.next().value), root, values.next().value]
      } else {
        const members: [string, unknown][] = [
          ['x', values.next().value],
          ['y', values.next().value],
        ]
        root = Object.fromEntries([...members.filter(([key]) => key !== step), [step, root]])
      }
    }
    return { path, root }
  })

const spaces = fc.constantFrom('', '', ' ', '\n\t ', '                    ')

describe('parseExactJson', () => {
  it('gives what JSON.parse gives if no number changes', () => {
    fc.assert(
      fc.property(trees, fc.constantFrom(undefined, 1), (value, indent) => {
        const json = JSON.stringify(value, null, indent)
        expect(JSON.stringify(parseExactJson(json))).toBe(JSON.stringify(JSON.parse(json)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('puts a symbol in the place of a number that no double holds, and nowhere else', () => {
    fc.assert(
      fc.property(
        holed,
        fc.constantFrom(...INEXACT),
        spaces,
        spaces,
        fc.nat(20),
        ({ path, root }, number, before, after, pad) => {
          const json = ' '.repeat(pad) + JSON.stringify(root).replace('"\\u0000hole"', () => before + number + after)
          expect(mayHoldInexactNumber(json)).toBe(true)
          const parsed = [parseExactJson(json)]
          let at: any = parsed
          let last: string | number = 0
          for (const step of path) {
            at = at[last]
            last = step
          }
          expect(at[last].description).toContain(number)
          at[last] = '\u0000hole'
          expect(JSON.stringify(parsed[0])).toBe(JSON.stringify(root))
          expect(() => parseStrictJson(json)).toThrow(`${path.join('.') || 'the value'} holds`)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('knows a duplicate key by its last value', () => {
    expect(parseExactJson('{"a": {"b": 1e400}, "a": 5}')).toEqual({ a: 5 })
    expect(parseExactJson('{"a": 5, "a": 1e400}')).toEqual({ a: expect.any(Symbol) })
    expect(Object.keys(parseExactJson('{"__proto__": {"n": 1e400}}') as object)).toEqual(['__proto__'])
    expect(({} as { n?: unknown }).n).toBeUndefined()
  })

  it('throws what JSON.parse throws', () => {
    for (const broken of ['', '{', '[1e400', '{"a": 9007199254740993', '01', '[1e400]]']) {
      expect(() => parseExactJson(broken)).toThrow(SyntaxError)
      expect(() => parseStrictJson(broken)).not.toThrow(InexactNumber)
    }
  })

  it('reads hostile texts in linear time', () => {
    const length = 400_000
    for (const part of ['1', '1e1', '1.', '"1e400",', ', 1e400 ', '[[[1e400,', '9007199254740993,']) {
      const json = JSON.stringify([part.repeat(length / part.length), 1])
      expect(parseExactJson(json)).toEqual(JSON.parse(json))
    }
    const many = parseExactJson(`[${'1e400,'.repeat(length / 8)}1]`) as unknown[]
    expect(many.slice(0, -1).every((item) => typeof item === 'symbol')).toBe(true)
  })

  it('finds numbers at the ends of a part from either side', () => {
    const json = `[${'1,'.repeat(20)}123456789012345678901e5,${'1,'.repeat(20)}1]`
    for (let cut = 0; cut <= json.length; cut++)
      expect(mayHoldInexactNumber(json, 0, cut) || mayHoldInexactNumber(json, cut)).toBe(true)
  })
})
