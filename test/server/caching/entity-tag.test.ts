import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isKnown, knownTags, weakTag } from '../../../src/server/caching/entity-tag.js'

const tag = weakTag(['registry', '7'])

describe('entity tags', () => {
  it.each([
    ['the tag', tag],
    ['the tag as a strong one', tag.slice(2)],
    ['a list', `"a", W/"b",${tag} , "c"`],
    ['a list with empty elements', `,, ${tag},`],
    ['a list with a tag that holds a comma', `"a,b", ${tag}`],
  ])('are known by %s', (_name, header) => {
    expect(isKnown(knownTags(header), tag)).toBe(true)
  })

  it.each([
    ['no header', undefined],
    ['another tag', weakTag(['registry', '8'])],
    ['the tag without quotes', tag.slice(3, -1)],
    ['a header that is too long', `${'"a",'.repeat(3_000)}${tag}`],
    ['text', 'x'],
  ])('are not known by %s', (_name, header) => {
    expect(isKnown(knownTags(header), tag)).toBe(false)
  })

  it('know that a client has an answer of any tag', () => {
    expect(knownTags(' * ')).toBe('any')
  })

  it('are different for different parts, and their own list holds each', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string()), { minLength: 1, maxLength: 20 }), (all) => {
        const tags = all.map(weakTag)
        const known = knownTags(tags.join(', '))
        expect(tags.every((each) => isKnown(known, each))).toBe(true)
        expect(new Set(tags).size).toBe(new Set(all.map((parts) => JSON.stringify(parts))).size)
      }),
    )
  })
})
