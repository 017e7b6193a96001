import { describe, expect, it } from 'vitest'
import { requiredLiteral } from '../../../../src/store/postgres/find/required-literal.js'
import { prefixEnd } from '../../../../src/store/postgres/find/text-sql.js'

describe('the required literal of an expression', () => {
  it.each([
    ['plain text', 'plain text', false, true],
    ['^app:db', 'app:db', true, true],
    ['^app:db$', 'app:db', true, false],
    ['a\\.b', 'a.b', false, true],
    ['abc*', 'ab', false, false],
    ['abc+', 'ab', false, false],
    ['ab{0}c', 'a', false, false],
    ['ab[cd]', 'ab', false, false],
    ['über', 'über', false, true],
  ])('of %s', (pattern, text, anchored, complete) => {
    expect(requiredLiteral(pattern)).toEqual({ text, anchored, complete })
  })

  it.each(['', '^', 'a?b', 'a|b', '(?i)abc', '(abc)', '[abc]', '.abc', '\\babc', '\\Qa', '^^a', '$', '(?m)^a'])(
    'is not seen in %s',
    (pattern) => {
      expect(requiredLiteral(pattern)).toBeUndefined()
    },
  )
})

describe('the end of a prefix', () => {
  it('is the next text by code point', () => {
    expect(prefixEnd('ab')).toBe('ac')
    expect(prefixEnd('a\ud7ff')).toBe('a\ue000')
    expect(prefixEnd('a\uffff')).toBe('a\u{10000}')
    expect(prefixEnd('a\u{10ffff}')).toBe('b')
    expect(prefixEnd('\u{10ffff}\u{10ffff}')).toBeUndefined()
  })
})
