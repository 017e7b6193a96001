import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { numberFault } from '../../../src/core/entry/number-fault.js'

/** A decimal as a fraction of two whole numbers. */
function fraction(written: string): [numerator: bigint, denominator: bigint] {
  const [, sign, whole, digits = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(written)!
  const value = BigInt(`${sign}${whole}${digits}`)
  const exponent = Number(power) - digits.length
  return exponent >= 0 ? [value * 10n ** BigInt(exponent), 1n] : [value, 10n ** BigInt(-exponent)]
}

describe('a number', () => {
  it.each([
    ['9007199254740993', '9007199254740993 would be rounded to 9007199254740992. Write it as text'],
    ['-9007199254740993', 'would be rounded to -9007199254740992'],
    ['9007199254740993.0', 'would be rounded'],
    ['90071992547409930e-1', 'would be rounded'],
    ['9.007199254740993e15', 'would be rounded'],
    ['9007199254740993E+0', 'would be rounded'],
    ['12345678901234567890.0', '12345678901234567890.0 would be rounded to 12345678901234567000. Write it as text'],
    ['1234567890123456789012345678901234567890123456789', '1234567890123456789012345678901234567… would be rounded'],
    ['1e400', '1e400 is outside the range of a JSON number. Write it as text'],
    ['-1e400', 'outside the range'],
    ['1.7976931348623159e308', 'outside the range'],
    ['1e-400', '1e-400 is too small for a JSON number. Write 0, or write it as text'],
    ['-1e-400', 'too small'],
    [`0.${'0'.repeat(400)}1`, 'too small'],
    ['NaN', 'NaN is not a JSON number'],
  ])('%s has a fault', (written, fault) => {
    expect(numberFault(written)).toContain(fault)
  })

  it.each([
    ...['0', '-0', '0.0', '0e400', '-0e-400', '0.1', '0.30000000000000004', '4503599627370497.5', '5e-324', '3e-324'],
    ...['9007199254740991', '9007199254740992', '9007199254740994', '9007199254740992.000', '1e15', '10e-1'],
    ...['1e23', '1e+300', '1.7976931348623157e308', '123456789012345680000', '12345678901234567168'],
  ])('%s has none', (written) => {
    expect(numberFault(written)).toBeUndefined()
  })

  it('that a double prints has no fault', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(numberFault(JSON.stringify(value))).toBeUndefined()
        expect(numberFault(value.toExponential())).toBeUndefined()
        if (Number.isInteger(value)) expect(numberFault(`${BigInt(value)}.0`)).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
  })

  it('that is whole has a fault unless it equals its double or what its double prints', () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,24}$/)
    const written = fc
      .tuple(
        fc.constantFrom('', '-'),
        digits,
        fc.option(fc.stringMatching(/^\d{1,6}$/)),
        fc.integer({ min: -8, max: 9 }),
      )
      .map(
        ([sign, whole, rest, power]) => `${sign}${whole}${rest === null ? '' : `.${rest}`}${power ? `e${power}` : ''}`,
      )
    fc.assert(
      fc.property(written, (text) => {
        const [numerator, denominator] = fraction(text)
        const isWhole = numerator % denominator === 0n
        const same = [fraction(JSON.stringify(Number(text))), [BigInt(Math.trunc(Number(text))), 1n]].some(
          ([n, d]) => n! * denominator === numerator * d!,
        )
        expect(numberFault(text) === undefined).toBe(!isWhole || same)
      }),
      { numRuns: 5_000 },
    )
  })

  it('of a million digits is judged in linear time', () => {
    const zeros = '0'.repeat(1_000_000)
    expect(numberFault(`1${zeros}`)).toContain('outside')
    expect(numberFault(`0.${zeros}1`)).toContain('too small')
    expect(numberFault(`1.${zeros}`)).toBeUndefined()
    expect(numberFault(`9007199254740993.${zeros}`)).toContain('rounded')
    expect(numberFault(`${zeros}9007199254740993${zeros}e-1000000`)).toContain('rounded')
  })
})
