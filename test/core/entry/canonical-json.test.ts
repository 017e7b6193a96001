import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, jsonEquals } from '../../../src/core/entry/canonical-json.js'
import type { Json } from '../../../src/core/entry/json.js'
import { isJsonObject } from '../../../src/core/entry/json.js'
import { jsonValue, objectOf } from '../arbitraries.js'

/** Returns the same value with its keys in reverse order. */
function reversed(value: Json): Json {
  if (isJsonObject(value))
    return objectOf(
      Object.keys(value)
        .reverse()
        .map((key) => [key, reversed(value[key]!)]),
    )
  return Array.isArray(value) ? (value as Json[]).map(reversed) : value
}

describe('I8: two values have the same canonical form if and only if they are equal', () => {
  it('for any two values', () => {
    fc.assert(
      fc.property(jsonValue(), jsonValue(), (a, b) => {
        expect(canonicalJson(a) === canonicalJson(b)).toBe(jsonEquals(a, b))
        expect(jsonEquals(b, a)).toBe(jsonEquals(a, b))
      }),
    )
  })

  it('for any order of keys', () => {
    fc.assert(
      fc.property(jsonValue(), (value) => {
        const other = reversed(value)
        expect(canonicalJson(other)).toBe(canonicalJson(value))
        expect(jsonEquals(other, value)).toBe(true)
      }),
    )
  })

  it('for values that differ in one place', () => {
    fc.assert(
      fc.property(jsonValue(), (value) => {
        expect(jsonEquals([value], [value, null])).toBe(false)
        expect(jsonEquals({ at: value }, { at: [value] })).toBe(false)
        expect(canonicalJson({ at: value })).not.toBe(canonicalJson({ at: [value] }))
      }),
    )
  })

  it('which parses to the value', () => {
    fc.assert(
      fc.property(jsonValue(), (value) => {
        expect(jsonEquals(JSON.parse(canonicalJson(value)) as Json, value)).toBe(true)
      }),
    )
  })
})

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 unit, which is not the order of code points', () => {
    expect(canonicalJson({ '\ufffd': 1, '😀': 2, b: 3, a: 4, '10': 5, '9': 6 })).toBe(
      '{"10":5,"9":6,"a":4,"b":3,"😀":2,"\ufffd":1}',
    )
  })

  it('writes numbers as JavaScript does', () => {
    expect(canonicalJson([1e21, 1e-7, 5e-324, 1.0, -0, 333333333.33333329, 1e30, 0.000001])).toBe(
      '[1e+21,1e-7,5e-324,1,0,333333333.3333333,1e+30,0.000001]',
    )
  })

  it('escapes only characters that must be escaped', () => {
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/\u007f')).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\u007f"')
  })

  it('includes keys with the names of inherited properties', () => {
    const value = JSON.parse('{"constructor":1,"__proto__":{"a":[]}}') as Json
    expect(canonicalJson(value)).toBe('{"__proto__":{"a":[]},"constructor":1}')
  })
})

describe('jsonEquals', () => {
  it.each<[string, Json, Json, boolean]>([
    ['1 equals 1.0', JSON.parse('1') as Json, JSON.parse('1.0') as Json, true],
    ['0 equals -0', 0, -0, true],
    ['arrays are ordered', [1, 2], [2, 1], false],
    ['a shorter array is different', [1], [1, 2], false],
    ['an empty array is not an empty object', [], {}, false],
    ['an empty object is not an empty array', {}, [], false],
    ['null is not an object', null, {}, false],
    ['"1" is not 1', '1', 1, false],
    ['a key with null is not a missing key', { a: null }, { b: null }, false],
    ['an inherited __proto__ is not a key', JSON.parse('{"__proto__":{}}') as Json, { a: {} }, false],
    ['an inherited constructor is not a key', { a: 1 }, JSON.parse('{"constructor":1}') as Json, false],
    [
      'an own __proto__ is a key',
      JSON.parse('{"__proto__":{"a":1}}') as Json,
      JSON.parse('{"__proto__":{"a":1}}') as Json,
      true,
    ],
  ])('%s', (_title, a, b, equal) => {
    expect(jsonEquals(a, b)).toBe(equal)
    expect(jsonEquals(b, a)).toBe(equal)
  })
})
