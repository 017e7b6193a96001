import fc from 'fast-check'
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
    ['app:x.*', 'app:x.y', true],
    ['shop:*', 'shop:cart', true],
    ['shop:*', 'shop:cart.item', false],
    ['shop:*', 'shop:a:b', false],
    ['shop:*', 'shop', false],
    ['shop:**', 'shop:cart.item', true],
    ['shop:**', 'shop:a:b', true],
    ['lab:**', 'lab.sub:x', false],
    ['lab.**', 'lab.sub:x', true],
    ['lab.**', 'lab:x', false],
    ['lab.*:**', 'lab.sub:x', true],
    ['*:db', 'app:db', true],
    ['*:db', 'app.eu:db', false],
    ['**:db', 'app.eu:db', true],
    ['**:db', 'app.db', false],
    ['app:**.db', 'app:db', true],
    ['app:**.db', 'app.db', false],
    ['app:**.db', 'app:eu.db', true],
    ['app:**.db', 'app:eu:db', false],
    ['(app|shop):*', 'shop:x', true],
    ['(app:x|shop):*', 'app:x:y', true],
    ['(app|**):x', 'x', true],
    ['app:.env', 'app:.env', true],
    ['std::vector', 'std::vector', true],
    ['app:*.*', 'app:.env', true],
    ['f*:x', 'f:x', null],
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
    'a:',
    ':a',
    '(a:)b',
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
    // Each segment of a text costs a step for each of these.
    `**.${'a.'.repeat(120)}a`,
    `(${'a|'.repeat(60)}a)`,
    `${'**.a.'.repeat(60)}b`,
  ])('does not parse %j', (pattern) => {
    expect(() => compileBusPattern(pattern)).toThrow(InvalidBusPattern)
  })

  it('agrees with a regular expression about patterns without groups', () => {
    const part = fc.constantFrom('a', 'b', '*', '**')
    const separator = fc.constantFrom('.', ':')
    const joined = (parts: readonly string[], separators: readonly string[]) =>
      parts.map((text, i) => (i === 0 ? text : `${separators[i - 1]}${text}`)).join('')
    const patterns = fc.tuple(fc.array(part, { minLength: 1, maxLength: 5 }), fc.array(separator, { minLength: 5 }))
    const texts = fc.tuple(
      fc.array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 6 }),
      fc.array(separator, { minLength: 6 }),
    )
    fc.assert(
      fc.property(patterns, texts, ([parts, separators], [segments, between]) => {
        const text = joined(segments, between)
        expect(compileBusPattern(joined(parts, separators))(text)).toBe(matchesNaively(parts, separators, text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('matches a long id that it names whole, whatever its number of segments', () => {
    const id = `${'.'.repeat(200)}:${'a.'.repeat(250)}`
    const matches = compileBusPattern(`std:${'a.'.repeat(250)}b`)
    expect(matches(`std:${'a.'.repeat(250)}b`)).toBe(true)
    expect(matches(id)).toBe(false)
  })

  it('counts a run of ** once', () => {
    const matches = compileBusPattern(`${'**.'.repeat(332)}b`)
    expect(matches('b')).toBe(true)
    expect(matches(`${'a.'.repeat(254)}b`)).toBe(true)
    expect(matches(`${'.'.repeat(254)}:${'.'.repeat(512)}`)).toBe(false)
  })

  it('takes time in proportion to the text', () => {
    const matches = compileBusPattern(`${'**:**.'.repeat(23)}end`)
    const { result, cpuMs } = cpuTime(() => matches('a.'.repeat(5_000) + 'a'))
    expect(result).toBe(false)
    expect(cpuMs).toBeLessThan(5_000)
  })
})

/** The meaning by recursion: `**` stands for nothing, or for one more segment. The separator before it is the first one. */
function matchesNaively(parts: readonly string[], separators: readonly string[], text: string): boolean {
  const tokens = text.split(/([.:])/)
  const segments = tokens.filter((_, i) => i % 2 === 0)
  const between = tokens.filter((_, i) => i % 2 === 1)
  const before = (at: number) => (at === 0 ? null : between[at - 1]!)
  const match = (part: number, at: number, awaits: string | null | 'any'): boolean => {
    if (part === parts.length) return at === segments.length
    const isHere = at < segments.length && (awaits === 'any' || before(at) === awaits)
    const next = separators[part]!
    if (parts[part] !== '**') {
      return isHere && (parts[part] === '*' || parts[part] === segments[at]) && match(part + 1, at + 1, next)
    }
    if (match(part + 1, at, awaits === 'any' ? next : awaits)) return true
    return isHere && match(part, at + 1, 'any')
  }
  return match(0, 0, null)
}
