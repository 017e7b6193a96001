import { describe, expect, it } from 'vitest'
import type { Criteria } from '../../../src/core/criteria/criteria.js'
import { OPERATOR_ROWS, OPERATORS } from '../../../src/core/criteria/operators.js'
import { compileRegex } from '../../../src/store/planning/compile-regex.js'
import { OPERATORS_SQL } from '../../../src/store/postgres/find/operators-sql.js'
import { criteriaOf, FINDER_CASES } from '../../store/contract/finder-cases.js'

function operatorsIn(criteria: Criteria): readonly string[] {
  if ('all' in criteria) return criteria.all.flatMap(operatorsIn)
  if ('any' in criteria) return criteria.any.flatMap(operatorsIn)
  if ('not' in criteria) return operatorsIn(criteria.not)
  return [criteria.test.operator]
}

const missing = (expected: readonly string[], found: ReadonlySet<string>) => expected.filter((each) => !found.has(each))

describe('the table of finder operators', () => {
  it('has a finder case for each operator', () => {
    const found = new Set(FINDER_CASES.flatMap((each) => operatorsIn(criteriaOf(each, compileRegex))))
    expect(missing(Object.keys(OPERATORS), found)).toEqual([])
  })

  it('has a finder case for each symbol of find', () => {
    const symbols = OPERATOR_ROWS.flatMap(({ symbol }) => (symbol ? [symbol] : []))
    const found = new Set(FINDER_CASES.flatMap(({ find }) => Object.keys(find ?? {}).map((key) => key[0] ?? '')))
    expect(missing(symbols, found)).toEqual([])
  })

  it('has a finder case for each word of where', () => {
    const words = OPERATOR_ROWS.flatMap(({ word }) => (word === undefined ? [] : [word]))
    const text = JSON.stringify(FINDER_CASES.map(({ where }) => where))
    expect(words.filter((word) => !text.includes(`"${word}":`))).toEqual([])
  })

  it('has SQL for each operator', () => {
    expect(missing(Object.keys(OPERATORS), new Set(Object.keys(OPERATORS_SQL)))).toEqual([])
  })

  it('has each word once, and each symbol once except the empty one', () => {
    const words = OPERATOR_ROWS.flatMap(({ word }) => word ?? [])
    const symbols = OPERATOR_ROWS.flatMap(({ symbol }) => symbol || [])
    expect(words).toEqual([...new Set(words)])
    expect(symbols).toEqual([...new Set(symbols)])
  })

  it('gives each symbol one operator for every field and value', () => {
    for (const symbol of new Set(OPERATOR_ROWS.map((row) => row.symbol).filter((each) => each !== undefined))) {
      for (const field of [{ root: 'kind' }, { meta: 'a' }] as const) {
        for (const value of ['text', 1, null, [], {}]) {
          const meant = OPERATOR_ROWS.filter((row) => row.symbol === symbol && (row.isMeant?.(field, value) ?? true))
          expect(meant, `${symbol} ${JSON.stringify([field, value])}`).toHaveLength(1)
        }
      }
    }
  })
})
