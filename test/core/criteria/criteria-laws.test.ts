import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Criteria } from '../../../src/core/criteria/criteria.js'
import { criteriaKey } from '../../../src/core/criteria/criteria-key.js'
import { compileMatcher } from '../../../src/core/criteria/matcher.js'
import { parseFind } from '../../../src/core/criteria/parse-find.js'
import { parseWhere } from '../../../src/core/criteria/parse-where.js'
import { printFind, printWhere } from '../../../src/core/criteria/print-criteria.js'
import { compileRegex } from '../../../src/store/planning/compile-regex.js'
import {
  criteriaArbitrary,
  entryArbitrary,
  type FinderEntry,
  findArbitrary,
  whereArbitrary,
} from '../../store/contract/finder-cases.js'

const criteriaGiven = criteriaArbitrary(compileRegex)
const entriesGiven = fc.array(entryArbitrary, { minLength: 5, maxLength: 15 })

function answers(criteria: Criteria, entries: readonly FinderEntry[]): readonly boolean[] {
  const matches = compileMatcher(criteria, compileRegex)
  return entries.map(({ id, kind, meta }) => matches({ id, content: { kind, meta, data: null } }))
}

describe('criteria', () => {
  it('are the same after printing and parsing in the typed form', () => {
    let printed = 0
    fc.assert(
      fc.property(whereArbitrary, (where) => {
        const criteria = parseWhere(where, compileRegex)
        const text = printWhere(criteria)!
        printed++
        expect(criteriaKey(parseWhere(text, compileRegex))).toBe(criteriaKey(criteria))
        // Once printed, for good: the printed form is a fixed point.
        expect(printWhere(parseWhere(text, compileRegex))).toEqual(text)
      }),
      { numRuns: 500 },
    )
    expect(printed).toBeGreaterThanOrEqual(500)
  })

  it("are the same after printing and parsing in the registry's own form", () => {
    fc.assert(
      fc.property(findArbitrary, (find) => {
        const criteria = parseFind(find, compileRegex)
        expect(criteriaKey(parseFind(printFind(criteria)!, compileRegex))).toBe(criteriaKey(criteria))
      }),
      { numRuns: 500 },
    )
  })

  it('mean the same in both forms, if both can express them', () => {
    fc.assert(
      fc.property(criteriaGiven, entriesGiven, (criteria, entries) => {
        const expected = answers(criteria, entries)
        const where = printWhere(criteria)
        const find = printFind(criteria)
        if (where !== undefined) expect(answers(parseWhere(where, compileRegex), entries)).toEqual(expected)
        if (find !== undefined) expect(answers(parseFind(find, compileRegex), entries)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('are not printed in a form that cannot express them', () => {
    const holdsAll = parseFind({ a: [1] }, compileRegex)
    expect(printWhere(holdsAll)).toBeUndefined()
    expect(printWhere({ not: { any: [holdsAll] } })).toBeUndefined()
    for (const where of [
      { kind: { ne: 'a' } },
      { or: [{ kind: { eq: 'a' } }] },
      { not: {} },
      { meta: [{ path: 'a', exists: true }] },
      { meta: [{ path: 'a', eq: [1] }] },
      { meta: [{ path: 'a', glob: 'x*' }] },
      { kind: { in: ['a'] } },
      { and: [{ kind: { prefix: 'a' } }, { kind: { prefix: 'b' } }] },
    ])
      expect(printFind(parseWhere(where, compileRegex))).toBeUndefined()
    expect(printFind(parseWhere({ name: { eq: 'a*b\\?' }, meta: [{ path: '.id', eq: 1 }] }, compileRegex))).toEqual({
      '.name': 'a\\*b\\\\\\?',
      'meta..id': 1,
    })
  })

  it('match the opposite if negated, and the same if negated twice', () => {
    fc.assert(
      fc.property(criteriaGiven, entriesGiven, (criteria, entries) => {
        const expected = answers(criteria, entries)
        expect(answers({ not: criteria }, entries)).toEqual(expected.map((matches) => !matches))
        expect(answers({ not: { not: criteria } }, entries)).toEqual(expected)
      }),
    )
  })

  it("follow de Morgan's laws", () => {
    fc.assert(
      fc.property(criteriaGiven, criteriaGiven, entriesGiven, (a, b, entries) => {
        expect(answers({ not: { all: [a, b] } }, entries)).toEqual(answers({ any: [{ not: a }, { not: b }] }, entries))
        expect(answers({ not: { any: [a, b] } }, entries)).toEqual(answers({ all: [{ not: a }, { not: b }] }, entries))
      }),
    )
  })

  it('match the same entries if their keys are equal', () => {
    fc.assert(
      fc.property(criteriaGiven, entriesGiven, fc.infiniteStream(fc.nat()), (criteria, entries, random) => {
        const shuffled = shuffle(criteria, () => random.next().value)
        expect(criteriaKey(shuffled)).toBe(criteriaKey(criteria))
        expect(answers(shuffled, entries)).toEqual(answers(criteria, entries))
      }),
    )
  })
})

function shuffle(criteria: Criteria, random: () => number): Criteria {
  const mixed = (parts: readonly Criteria[]) =>
    parts
      .map((part) => ({ part: shuffle(part, random), place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ part }) => part)
  if ('all' in criteria) return { all: [...mixed(criteria.all), { all: criteria.all.slice(0, 1) }] }
  if ('any' in criteria) return { any: [...mixed(criteria.any), ...criteria.any.slice(0, 1)] }
  return 'not' in criteria ? { not: shuffle(criteria.not, random) } : criteria
}
