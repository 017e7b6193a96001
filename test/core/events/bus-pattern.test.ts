import { describe, expect, it } from 'vitest'
import { compileBusPattern, InvalidBusPattern } from '../../../src/core/events/bus-pattern.js'
import { cpuTime } from '../../support/cpu-time.js'

describe('a bus pattern', () => {
  it.each([
    ['entry.create', 'entry.create', true],
    ['entry.create', 'entry.created', false],
    ['entry.*', 'entry.create', true],
    ['entry.*', 'entry', false],
    ['entry.*', 'entry.a.b', false],
    ['*', 'a', true],
    ['*', '', true],
    ['service.**', 'service', true],
    ['service.**', 'service.http.tls', true],
    ['service.**', 'services.http', false],
    ['**', 'a.b.c', true],
    ['**.b', 'b', true],
    ['a.**.b', 'a.b', true],
    ['a.**.b', 'a.x.y.b', true],
    ['a.**.b', 'a.x.y', false],
    ['**.**', 'a', true],
    ['entry.(create|update)', 'entry.update', true],
    ['entry.(create|update)', 'entry.delete', false],
    ['(a.b|c).d', 'a.b.d', true],
    ['(a.b|c).d', 'c.d', true],
    ['(a.b|c).d', 'a.d', false],
    ['((a|b)|c).*', 'b.x', true],
    ['(a|**)', 'q.r', true],
    ['app:db', 'app:db', true],
    ['app:*', 'app:*', null],
    ['app:x.*', 'app:x.y', true],
    ['$.+', '$.+', true],
  ] as const)('%s of %s: %s', (pattern, text, matches) => {
    if (matches === null) expect(() => compileBusPattern(pattern)).toThrow(InvalidBusPattern)
    else expect(compileBusPattern(pattern)(text)).toBe(matches)
  })

  it.each([
    '',
    '.',
    'a..b',
    'a.',
    '(a',
    'a)',
    'a|b',
    'a(b|c)',
    '(a)b',
    'f*',
    '***',
    '(|a)',
    '()',
    '(a|b',
    `${'('.repeat(17)}a${')'.repeat(17)}`,
    'a'.repeat(1_001),
  ])('does not parse %j', (pattern) => {
    expect(() => compileBusPattern(pattern)).toThrow(InvalidBusPattern)
  })

  it('takes time in proportion to the text', () => {
    const matches = compileBusPattern(`${'**.'.repeat(300)}end`)
    const { result, cpuMs } = cpuTime(() => matches('a.'.repeat(5_000) + 'a'))
    expect(result).toBe(false)
    expect(cpuMs).toBeLessThan(5_000)
  })
})
