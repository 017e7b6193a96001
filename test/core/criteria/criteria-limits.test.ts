import { describe, expect, it } from 'vitest'
import { holdsEvery, type MatchBudget } from '../../../src/core/criteria/compiled-test.js'
import {
  MAX_CONDITIONS,
  MAX_NESTING,
  MAX_PATH_SEGMENTS,
  MAX_PATTERN_LENGTH,
  MAX_REGEXES,
  MAX_VALUE_LENGTH,
  MAX_VALUE_NESTING,
  MAX_VALUES,
} from '../../../src/core/criteria/criteria-limits.js'
import { compileMatcher } from '../../../src/core/criteria/matcher.js'
import { parseFind } from '../../../src/core/criteria/parse-find.js'
import { type EntryFilterInput, parseWhere } from '../../../src/core/criteria/parse-where.js'
import { parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { Json, JsonObject } from '../../../src/core/entry/json.js'
import { compileRegex } from '../../../src/store/planning/compile-regex.js'

const find = (criteria: JsonObject) => () => parseFind(criteria, compileRegex)
const where = (criteria: EntryFilterInput) => () => parseWhere(criteria, compileRegex)
const invalid = (why: string) =>
  expect.objectContaining({ code: 'INVALID_CRITERIA', message: expect.stringContaining(why) as string })

function nestedNot(depth: number): EntryFilterInput {
  let filter: EntryFilterInput = {}
  for (let i = 0; i < depth; i++) filter = { not: filter }
  return filter
}

function nestedArray(depth: number): Json {
  let value: Json = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

const keyed = (count: number, value: Json, operator = '') =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${operator}meta.k${i}`, value]))

describe('criteria are limited', () => {
  it('in nesting', () => {
    expect(where(nestedNot(MAX_NESTING))).not.toThrow()
    expect(where(nestedNot(MAX_NESTING + 1))).toThrow(invalid('nested more than'))
    expect(where(nestedNot(100_000))).toThrow(invalid('nested more than'))
  })

  it('in conditions', () => {
    expect(find(keyed(MAX_CONDITIONS, 1))).not.toThrow()
    expect(find(keyed(MAX_CONDITIONS + 1, 1))).toThrow(invalid('more than 1000 conditions'))
    expect(where({ or: Array.from({ length: 100_000 }, () => ({})) })).toThrow(invalid('more than 1000 conditions'))
    expect(where({ meta: Array.from({ length: 100_000 }, () => ({ path: 'a', eq: 1 })) })).toThrow(
      invalid('more than 1000 conditions'),
    )
  })

  it('in regular expressions', () => {
    expect(find(keyed(MAX_REGEXES, 'a', '~'))).not.toThrow()
    expect(find(keyed(MAX_REGEXES + 1, 'a', '~'))).toThrow(invalid('more than 20 regular expressions'))
  })

  it.each(['~', '*', '^', '$'])('in the length of a pattern: %s', (operator) => {
    // As a regex a class is one instruction, so that the length alone decides.
    expect(find({ [`${operator}a`]: `[${'a'.repeat(MAX_PATTERN_LENGTH - 2)}]` })).not.toThrow()
    expect(find({ [`${operator}a`]: `[${'a'.repeat(MAX_PATTERN_LENGTH - 1)}]` })).toThrow(
      invalid('the pattern has more than'),
    )
  })

  it('in the length of a glob', () => {
    expect(find({ '.id': `${'a'.repeat(MAX_PATTERN_LENGTH)}*` })).toThrow(invalid('the pattern has more than'))
  })

  it('in paths', () => {
    const path = (segments: number) => Array.from({ length: segments }, () => 'a').join('.')
    expect(find({ [path(MAX_PATH_SEGMENTS)]: 1 })).not.toThrow()
    expect(find({ [path(MAX_PATH_SEGMENTS + 1)]: 1 })).toThrow(invalid('the path has more than'))
    expect(find({ ['a'.repeat(1_001)]: 1 })).toThrow(invalid('the field has more than'))
    const long = Array.from({ length: 400 }, (_, i) => [`${path(MAX_PATH_SEGMENTS - 1)}.${i}`, 1] as const)
    expect(find(Object.fromEntries(long))).toThrow(invalid('the paths of the criteria have more than'))
  })

  it('in values', () => {
    expect(find({ a: nestedArray(MAX_VALUE_NESTING) })).not.toThrow()
    expect(find({ a: nestedArray(MAX_VALUE_NESTING + 2) })).toThrow(invalid('the value is nested more than'))
    expect(find({ a: nestedArray(100_000) })).toThrow(invalid('the value is nested more than'))
    expect(where({ meta: [{ path: 'a', in: Array.from({ length: MAX_VALUES }, (_, i) => i) }] })).not.toThrow()
    expect(where({ meta: [{ path: 'a', in: Array.from({ length: MAX_VALUES + 1 }, (_, i) => i) }] })).toThrow(
      invalid('more than 10000 values'),
    )
    expect(find({ a: 'x'.repeat(MAX_VALUE_LENGTH + 1) })).toThrow(invalid('the values of the criteria have more than'))
    expect(find({ a: { ['x'.repeat(MAX_VALUE_LENGTH + 1)]: 1 } })).toThrow(
      invalid('the values of the criteria have more than'),
    )
  })

  it('to JSON values', () => {
    for (const value of [Number.NaN, Infinity, 1n, Symbol('s'), () => 1, undefined]) {
      expect(find({ a: value as unknown as Json })).toThrow(invalid(''))
    }
  })
})

describe('matching one entry is limited', () => {
  const id = parseEntryId('a:b')
  const matching = (criteria: JsonObject, meta: JsonObject) => () =>
    compileMatcher(parseFind(criteria, compileRegex), compileRegex)({ id, content: { kind: 'k', meta, data: null } })
  const long = 'ab'.repeat(500_000)
  const timeout = expect.objectContaining({ code: 'TIMEOUT' }) as unknown as Error

  it('fails with TIMEOUT for a large expression on a very long text', () => {
    expect(matching({ '~a': '(a|b)*a(a|b){300}c$' }, { a: long })).toThrow(timeout)
    expect(matching({ '~a': '(a|b)*a(a|b){300}c$' }, { a: long.slice(0, 10_000) })()).toBe(false)
  })

  it('accepts a small expression on a very long text', () => {
    expect(matching({ '~a': '(a+)+b$' }, { a: long })()).toBe(true)
  })

  it('fails with TIMEOUT for many conditions on a very long text, and accepts a few', () => {
    const conditions = (count: number) =>
      parseWhere(
        { or: Array.from({ length: count }, (_, i) => ({ meta: [{ path: 'a', contains: `x${i}` }] })) },
        compileRegex,
      )
    const run = (count: number) => () =>
      compileMatcher(conditions(count), compileRegex)({ id, content: { kind: 'k', meta: { a: long }, data: null } })
    expect(run(10)()).toBe(false)
    expect(run(400)).toThrow(timeout)
  })

  it('takes one step for each element of a long list that must contain many scalars', () => {
    const elements = Array.from({ length: 200_000 }, (_, i) => `element ${i}`)
    expect(matching({ a: elements.slice(-5_000) }, { a: elements })()).toBe(true)
    expect(matching({ a: ['missing', ...elements.slice(-5_000)] }, { a: elements })()).toBe(false)
    const spent: number[] = []
    const budget = { spend: (steps: number) => spent.push(steps) } as unknown as MatchBudget
    expect(holdsEvery(elements.slice(-5_000))([elements], budget)).toBe(true)
    expect(spent).toEqual([200_000])
  })
})
