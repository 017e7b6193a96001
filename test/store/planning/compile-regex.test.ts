import { describe, expect, it } from 'vitest'
import {
  compileRegex,
  createRegexCompiler,
  MAX_REGEX_LENGTH,
  MAX_REGEX_SIZE,
} from '../../../src/store/planning/compile-regex.js'
import { cpuTime } from '../../support/cpu-time.js'

describe('a regular expression', () => {
  it('has RE2 syntax and is not anchored', () => {
    expect(compileRegex('b+').test('abbc')).toBe(true)
    expect(compileRegex('^b+$').test('abbc')).toBe(false)
    expect(compileRegex('(?i)ÄÖ').test('xäöx')).toBe(true)
    expect(compileRegex('^.$').test('😀')).toBe(true)
    expect(compileRegex('^\\p{Greek}+$').test('λόγος')).toBe(true)
    expect(compileRegex('(?P<year>[0-9]{4})').test('in 1999')).toBe(true)
    expect(compileRegex('').test('')).toBe(true)
  })

  it.each(['(', 'a**', '(?=a)', '(a)\\1', '[b-a]', '\\p{Nothing}', 'a{1001}', '(?<=a)b'])(
    'is refused with a reason: %s',
    (pattern) => {
      expect(() => compileRegex(pattern)).toThrow(/^[a-z]/)
    },
  )

  it('is refused if it is too long', () => {
    expect(() => compileRegex(`[${'a'.repeat(MAX_REGEX_LENGTH - 2)}]`)).not.toThrow()
    expect(() => compileRegex(`[${'a'.repeat(MAX_REGEX_LENGTH - 1)}]`)).toThrow('more than 1000 characters')
  })

  it.each([
    '(a{1000}){1000}',
    '((a{100}){100}){100}',
    '(a?){500}a{500}',
    '((((((a{9}){9}){9}){9}){9}){9})',
    '(?:a{1,30}){1,30}',
    '((a{0,1000})|b)*',
  ])('is refused quickly where it would compile to too much: %s', (pattern) => {
    const { cpuMs } = cpuTime(() => expect(() => compileRegex(pattern)).toThrow(/too large|invalid repeat count/))
    expect(cpuMs).toBeLessThan(5_000)
  })

  it('reports its size', () => {
    expect(compileRegex('a').size).toBeLessThan(10)
    expect(compileRegex('a{500}').size).toBeGreaterThan(500)
    expect(compileRegex('a{500}').size).toBeLessThanOrEqual(MAX_REGEX_SIZE)
  })

  it('is compiled once', () => {
    const compile = createRegexCompiler()
    expect(compile('a+b')).toBe(compile('a+b'))
    expect(createRegexCompiler()('a+b')).not.toBe(compile('a+b'))
  })
})

describe('a pattern on which a backtracking engine would take forever', () => {
  /** Random letters, or the engine's automaton would see the same states again; the c makes its literal prefilter pass. */
  function letters(length: number): string {
    let state = 1
    let text = 'c'
    while (text.length < length) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      text += 'ab'[(state >>> 16) & 1]!
    }
    return `${text}-`
  }

  it.each([
    ['(a+)+$', 'a'.repeat(99_999) + '-'],
    ['(a|aa)+$', 'a'.repeat(99_999) + '-'],
    ['(.*a){20}-c', letters(100_000)],
    ['^(a|b|ab)*c', letters(100_000)],
    ['(x+x+)+y', 'x'.repeat(100_000)],
    ['(a|b)*a(a|b){12}c', letters(100_000)],
    ['([a-z]+)*[0-9]', letters(100_000)],
    ['(a?){30}a{30}-$', 'a'.repeat(100_000)],
  ])('%s runs over 100 kB in time that grows with the length', (pattern, text) => {
    const regex = createRegexCompiler()(pattern)
    const cpuMsFor = (length: number) => cpuTime(() => regex.test(text.slice(0, length))).cpuMs
    cpuMsFor(1_000)
    const quarter = cpuMsFor(25_000)
    const whole = cpuMsFor(100_000)
    expect(whole).toBeLessThan(5_000)
    // Quadratic growth would be a factor of 16. Below half a second, the compiler and the garbage collector of the
    // runtime weigh more than the engine.
    expect(whole).toBeLessThan(Math.max(quarter * 12, 500))
  })
})
