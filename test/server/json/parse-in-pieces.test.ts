import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { parseInPieces } from '../../../src/server/json/parse-in-pieces.js'

const texts = fc.tuple(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, ' \n')).map(([text, space]) => {
  return JSON.stringify(JSON.parse(text), null, space as string | number | undefined)
})
const keys = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', '1', '"\\', 'toString'), fc.json({ maxDepth: 2 })), {
    maxLength: 8,
  })
  .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(' , ')}}`)

function parsedAtOnce(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/** With the order of keys, and with own keys only. */
const shown = (given: { readonly value: unknown } | undefined) => given && JSON.stringify(given.value)

describe('parseInPieces', () => {
  it('returns the value of JSON.parse, wherever the text is cut', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          texts,
          keys,
          fc.array(keys).map((all) => `[${all.join(',')}]`),
        ),
        fc.nat(20),
        (text, length) => {
          const given = runAtOnce(parseInPieces(text, JSON.parse, length))
          // A text without a comma in it has no place to be cut.
          if (given !== undefined) expect(shown(given)).toBe(shown(parsedAtOnce(text)))
          else expect(text).not.toMatch(/^\s*\[\s*\d+\s*,/)
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it('returns nothing for a text that JSON.parse refuses', () => {
    const damage = fc.constantFrom(',', '[', ']', '{', '}', ':', '"', '\\', ' ', '1', 'a')
    fc.assert(
      fc.property(
        fc.oneof(texts, keys),
        fc.nat(),
        damage,
        fc.boolean(),
        fc.nat(10),
        (text, at, by, replaces, length) => {
          const place = at % (text.length + 1)
          const damaged = text.slice(0, place) + by + text.slice(place + (replaces ? 1 : 0))
          const given = runAtOnce(parseInPieces(damaged, JSON.parse, length))
          if (given !== undefined) expect(shown(given)).toBe(shown(parsedAtOnce(damaged)))
        },
      ),
      { numRuns: 5_000 },
    )
  })

  it.each([
    '[1,2,]',
    '[1,,2]',
    '[[1,2] [3,4]]',
    '[[1,2],]',
    '{"a":[1,2],}',
    '{"a" [1,2]}',
    '{[1,2]}',
    '[1,2}',
    '[1,2]x',
    '1,2',
  ])('returns nothing for %s', (text) => {
    expect(runAtOnce(parseInPieces(text, JSON.parse, 0))).toBeUndefined()
  })

  it('pauses within lists, objects and texts', () => {
    const pausesOf = (value: unknown) => {
      let pauses = 0
      const steps = parseInPieces(JSON.stringify(value), JSON.parse)
      for (let step = steps.next(); ; step = steps.next(), pauses++)
        if (step.done === true) return { pauses, isParsed: step.value !== undefined }
    }
    const many = Array.from({ length: 100_000 }, (_, i) => i)
    expect(pausesOf({ variables: { input: { operations: many.map((i) => ({ create: { id: `a:${i}` } })) } } })).toEqual(
      {
        isParsed: true,
        pauses: expect.toSatisfy((pauses: number) => pauses > 100),
      },
    )
    expect(pausesOf(Object.fromEntries(many.map((i) => [`k${i}`, [i]]))).pauses).toBeGreaterThan(40)
    expect(pausesOf(['"'.repeat(1_000_000), 1]).pauses).toBeGreaterThan(40)
  })
})
