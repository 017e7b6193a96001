import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareText, utf8Length } from '../../../src/core/entry/text.js'

const text = fc.string({ unit: 'binary', maxLength: 6 })

describe('compareText', () => {
  it('orders texts by their UTF-8 bytes', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
      { numRuns: 1000 },
    )
  })

  it('puts astral characters last, unlike UTF-16 order', () => {
    expect(['\u{1f600}', '\ufffd', '\ue000', 'z'].sort(compareText)).toEqual(['z', '\ue000', '\ufffd', '\u{1f600}'])
    expect(['\u{1f600}', '\ufffd'].sort()).toEqual(['\u{1f600}', '\ufffd'])
  })

  it('puts a prefix before a longer text', () => {
    expect(compareText('a', 'ab')).toBeLessThan(0)
    expect(compareText('', '')).toBe(0)
  })
})

describe('utf8Length', () => {
  it('is the number of bytes in UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (value) => {
        expect(utf8Length(value)).toBe(Buffer.byteLength(value))
      }),
    )
    expect(utf8Length('a\u007f\u0080\u07ff\u0800\uffff\u{10000}')).toBe(1 + 1 + 2 + 2 + 3 + 3 + 4)
  })
})
