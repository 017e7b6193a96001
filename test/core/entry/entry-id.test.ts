import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareEntryIds,
  entryIdParts,
  InvalidEntryId,
  nameOf,
  namespaceOf,
  parseEntryId,
  parseStoredEntryId,
  type SubmittedId,
} from '../../../src/core/entry/entry-id.js'

const part = fc.string({
  unit: fc.constantFrom('a', 'b', '-', '!', '~', '.', 'é', '\ufffd', '😀', '\ud7ff', ':'),
  minLength: 1,
  maxLength: 4,
})
const anyId = fc
  .tuple(
    part.filter((ns) => !ns.includes(':')),
    part,
  )
  .map(([ns, name]) => parseEntryId({ ns, name }))

describe('I11: ids are ordered by namespace, then by name, each by code point', () => {
  it('in the order of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        const expected =
          Buffer.compare(Buffer.from(namespaceOf(a)), Buffer.from(namespaceOf(b))) ||
          Buffer.compare(Buffer.from(nameOf(a)), Buffer.from(nameOf(b)))
        expect(Math.sign(compareEntryIds(a, b))).toBe(expected)
        expect(Math.sign(compareEntryIds(b, a))).toBe(expected === 0 ? 0 : -expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('with a namespace before every longer one that begins with it', () => {
    const ids = ['a:z', 'a!:a', 'a.b:a', 'aa:a', 'a:a', 'A:a', 'a::'].map(parseEntryId).sort(compareEntryIds)
    expect(ids).toEqual(['A:a', 'a::', 'a:a', 'a:z', 'a!:a', 'a.b:a', 'aa:a'])
  })
})

describe('I12: an id has one text form', () => {
  it('which parses to the same id, from text and from parts', () => {
    fc.assert(
      fc.property(anyId, (id) => {
        expect(parseEntryId(id)).toBe(id)
        expect(parseEntryId(entryIdParts(id))).toBe(id)
        expect(parseEntryId(id.normalize('NFD'))).toBe(id)
      }),
    )
  })

  it('which is split at the first colon', () => {
    expect(entryIdParts(parseEntryId('a:b:c'))).toEqual({ ns: 'a', name: 'b:c' })
    expect(parseEntryId({ ns: 'a', name: ':' })).toBe('a::')
    expect(entryIdParts(parseEntryId('a::'))).toEqual({ ns: 'a', name: ':' })
  })

  it('which is normalised to NFC', () => {
    expect(parseEntryId('cafe\u0301:e\u0301')).toBe('caf\u00e9:\u00e9')
  })

  it('in which names may contain characters that namespaces may not', () => {
    expect(parseEntryId('a:x / y@z')).toBe('a:x / y@z')
    expect(parseEntryId(`${'n'.repeat(255)}:${'é'.repeat(256)}`)).toHaveLength(255 + 1 + 256)
  })
})

describe('parseEntryId', () => {
  it.each<[string, SubmittedId, RegExp]>([
    ['a text without a colon', 'abc', /no colon/],
    ['an empty text', '', /no colon/],
    ['an empty namespace', ':a', /namespace is empty/],
    ['an empty name', 'a:', /name is empty/],
    ['white space in a namespace', 'a b:c', /white space/],
    ['a no-break space in a namespace', 'a\u00a0b:c', /white space/],
    ['a slash in a namespace', 'a/b:c', /one of/],
    ['an @ in a namespace', 'a@b:c', /one of/],
    ['a colon in a namespace', { ns: 'a:b', name: 'c' }, /one of/],
    ['a control character in a namespace', 'a\u0001:c', /control/],
    ['a control character in a name', 'a:b\u007fc', /control/],
    ['U+0000 in a name', 'a:b\u0000c', /control/],
    ['a name that begins with white space', 'a: b', /begins or ends/],
    ['a name that ends with white space', 'a:b\u3000', /begins or ends/],
    ['a lone surrogate', 'a:\ud83d', /surrogate/],
    ['a zero-width space in a name', 'a:b\u200bc', /"b<U\+200B>c" has the invisible character U\+200B/],
    ['a bidi control in a namespace', 'a\u202eb:c', /invisible character U\+202E/],
    ['a byte order mark in a name', 'a:b\ufeffc', /invisible character U\+FEFF/],
    ['a soft hyphen', 'a:b\u00adc', /invisible character U\+00AD/],
    ['a tag character', 'a:b\u{e0041}', /invisible character U\+E0041/],
    ['a Hangul filler', 'a:\u3164', /"<U\+3164>" has the invisible character U\+3164/],
    ['a halfwidth Hangul filler', 'a\uffa0:b', /invisible character U\+FFA0/],
    ['a combining grapheme joiner', 'a:b\u034fc', /invisible character U\+034F/],
    ['a variation selector of a letter', 'a:b\ufe0f', /invisible character U\+FE0F/],
    ['a variation selector at the beginning', 'a:\ufe0fb', /invisible character U\+FE0F/],
    ['a second variation selector of an emoji', 'a:\u2764\ufe0f\ufe0f', /invisible character U\+FE0F/],
    ['a variation selector of a digit', 'a:b1\ufe0f', /invisible character U\+FE0F/],
    ['a supplementary variation selector of a letter', 'a:b\u{e0100}', /invisible character U\+E0100/],
    ['an Arabic letter mark', 'a:\u061cb', /invisible character U\+061C/],
    ['an interlinear annotation', 'a:b\ufff9', /invisible character U\+FFF9/],
    ["the root of clients' caches", 'client:root', /reserved/],
    ["the root of clients' caches in parts", { ns: 'client', name: 'root' }, /reserved/],
    ['a namespace of 256 bytes', `${'é'.repeat(128)}:a`, /more than 255 bytes/],
    ['a name of 513 bytes', `a:${'😀'.repeat(128)}b`, /more than 512 bytes/],
  ])('refuses %s', (_title, submitted, message) => {
    expect(() => parseEntryId(submitted)).toThrow(InvalidEntryId)
    expect(() => parseEntryId(submitted)).toThrow(message)
  })

  it.each([
    'a:\u0645\u06cc\u200c\u062e',
    'a:\u{1f468}\u200d\u{1f469}',
    'a:\u2764\ufe0f\u200d\u{1f525}',
    'a:1\ufe0f\u20e3',
    'a:\u845b\u{e0100}',
    'a:\u2192\ufe0e',
    'client:Root',
    'client.a:root',
  ])('accepts %s', (id) => {
    expect(parseEntryId(id)).toBe(id)
  })

  it('limits the length of its messages', () => {
    expect(() => parseEntryId('x'.repeat(100_000))).toThrow(/^.{0,200}$/u)
  })

  it('reads ids that were stored before invisible characters were refused', () => {
    for (const id of [
      'a:x\u200by',
      'a\u202eb:c',
      'a:soft\u00adhyphen',
      'a:\u3164',
      'a:b\ufe0f',
      'client:root',
      'a:b',
    ]) {
      expect(parseStoredEntryId(id)).toBe(id)
      const [ns, name] = id.split(':') as [string, string]
      expect(parseStoredEntryId({ ns, name })).toBe(id)
    }
    expect(() => parseStoredEntryId({ ns: 'a:b', name: 'c' })).toThrow(InvalidEntryId)
    for (const id of ['a', ':b', 'a:', 'a b:c', 'a:\u0000', 'a: b', 'a:\ud800'])
      expect(() => parseStoredEntryId(id)).toThrow(InvalidEntryId)
  })
})
