import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTime } from '../../../src/core/history/parse-time.js'

describe('parseTime', () => {
  it('reads what Date prints, from the year 0 to 9999', () => {
    const date = fc.date({
      min: new Date('0000-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(date, (time) => parseTime(time.toISOString()) === time.getTime()),
      { numRuns: 1_000 },
    )
  })

  it('accepts exactly the days of the calendar', () => {
    for (const year of ['0000', '0004', '1900', '2000', '2023', '2024'])
      for (let month = 0; month <= 13; month++)
        for (let day = 0; day <= 32; day++) {
          const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
          const read = new Date(`${text}T00:00:00Z`)
          const isDay = !Number.isNaN(read.getTime()) && read.toISOString().startsWith(text)
          expect([text, parseTime(`${text}T00:00:00Z`) !== null]).toEqual([text, isDay])
        }
  })

  it('applies offsets, cuts digits beyond milliseconds and takes leap seconds', () => {
    expect(parseTime('2026-01-01T00:00:00.1239+01:30')).toBe(Date.parse('2025-12-31T22:30:00.123Z'))
    expect(parseTime('2026-12-31 23:59:60z')).toBe(Date.parse('2027-01-01T00:00:00Z'))
    for (const text of [
      '2026-01-01',
      '2026-01-01T00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01T00:00:00',
      '2026-01-01T00:00:00+24:00',
      '',
    ])
      expect([text, parseTime(text)]).toEqual([text, null])
  })
})
