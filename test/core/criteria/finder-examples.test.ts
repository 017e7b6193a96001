import { describe, expect, it } from 'vitest'
import { criteriaKey } from '../../../src/core/criteria/criteria-key.js'
import { compileMatcher } from '../../../src/core/criteria/matcher.js'
import { parseFind } from '../../../src/core/criteria/parse-find.js'
import { type EntryFilterInput, parseWhere } from '../../../src/core/criteria/parse-where.js'
import type { JsonObject } from '../../../src/core/entry/json.js'
import { RegistryError } from '../../../src/core/errors/registry-error.js'
import { compileRegex } from '../../../src/store/planning/compile-regex.js'
import {
  criteriaOf,
  FINDER_CASES,
  FINDER_ENTRIES,
  type FinderEntry,
  INVALID_FINDS,
  INVALID_WHERES,
} from '../../store/contract/finder-cases.js'

function matchable({ id, kind, meta }: FinderEntry) {
  return { id, content: { kind, meta, data: null } }
}

describe('the matcher finds the expected entries', () => {
  it.each(FINDER_CASES.map((finderCase) => [finderCase.says, finderCase] as const))('%s', (_, finderCase) => {
    const matches = compileMatcher(criteriaOf(finderCase, compileRegex), compileRegex)
    expect(FINDER_ENTRIES.filter((entry) => matches(matchable(entry))).map(({ id }) => id)).toEqual(finderCase.expected)
  })
})

describe('invalid criteria are refused with the key', () => {
  it.each(INVALID_FINDS.map(({ says, find, key }) => [says, find, key] as const))('find: %s', (_, find, key) => {
    expectInvalid(() => parseFind(find, compileRegex), key)
  })

  it.each(INVALID_WHERES.map(({ says, where, key }) => [says, where, key] as const))('where: %s', (_, where, key) => {
    expectInvalid(() => parseWhere(where as EntryFilterInput, compileRegex), key)
  })

  it('with a reason', () => {
    const message = (find: JsonObject, expected: string) =>
      expect(() => parseFind(find, compileRegex)).toThrow(expected)
    message({ '.knd': 'x' }, 'Unknown field ".knd". Valid fields: .id, .ns, .name, .kind, or meta.<path>.')
    message({ '~.knd': 'x' }, 'Unknown field ".knd" in "~.knd". Valid fields: .id, .ns, .name, .kind, or meta.<path>.')
    message({ '~a': '(' }, 'Invalid criteria at "~a": invalid regular expression: missing closing )')
    message({ '.id': 5 }, 'Invalid criteria at ".id": expected a string, got a number.')
    message({ kind: 'x' }, 'Invalid criteria at "kind": "kind" is ambiguous; write .kind or meta.kind.')
    message({ '~name': 'x' }, 'Invalid criteria at "~name": "name" is ambiguous; write .name or meta.name.')
    message({ '~^a': 'x' }, "it has two operators; if the field's name begins with ^, write meta. before it.")
  })

  // The message offered `exists`, which a filter of a root field does not have.
  it('with the operators that the field has', () => {
    expect(() => parseWhere({ kind: {} } as EntryFilterInput, compileRegex)).toThrow(
      'Invalid criteria at "kind": expected at least one condition of eq, ne, in, glob, regex, contains, prefix, suffix.',
    )
    expect(() => parseWhere({ meta: [{ path: 'a' }] } as EntryFilterInput, compileRegex)).toThrow('exists')
  })

  it('with a valid text even if the key is not valid text', () => {
    expectInvalid(() => parseFind({ '.\ud83d\0': 'x' }, compileRegex), '.\ufffd\ufffd')
  })

  it('unless the value is undefined, which counts as missing', () => {
    const filter = { kind: { eq: 'a', ne: undefined }, not: undefined, meta: undefined }
    expect(parseWhere(filter, compileRegex)).toEqual({
      field: { root: 'kind' },
      test: { operator: 'equals', value: 'a' },
    })
  })
})

describe('the key of criteria', () => {
  const keyOf = (find: Parameters<typeof parseFind>[0]) => criteriaKey(parseFind(find, compileRegex))

  it('does not depend on order, repetition or notation', () => {
    expect(keyOf({ a: 1, '.ns': 'x' })).toBe(keyOf({ '.ns': 'x', 'meta.a': 1.0, a: 1 }))
    expect(keyOf({ a: { x: 1, y: 2 } })).toBe(keyOf({ a: { y: 2, x: 1 } }))
    expect(
      criteriaKey(
        parseWhere({ and: [{ ns: { eq: 'x' } }, { and: [{ meta: [{ path: 'a', eq: 1 }] }] }] }, compileRegex),
      ),
    ).toBe(keyOf({ a: 1, '.ns': 'x' }))
  })

  it('differs for different criteria', () => {
    const keys = [
      keyOf({}),
      keyOf({ a: 1 }),
      keyOf({ a: '1' }),
      keyOf({ a: [1] }),
      keyOf({ a: null }),
      keyOf({ '.id': 'a' }),
      keyOf({ 'meta.id': 'a' }),
      keyOf({ '.id': 'a*' }),
      keyOf({ '*a': 'x' }),
      keyOf({ '^a': 'x' }),
      keyOf({ '~a': 'x' }),
      ...[
        { or: [] },
        { not: {} },
        { meta: [{ path: 'a', eq: [1] }] },
        { meta: [{ path: 'a', in: [1] }] },
        { meta: [{ path: 'a', exists: true }] },
        { or: [{ ns: { eq: 'a' } }, { ns: { eq: 'b' } }] },
        { and: [{ ns: { eq: 'a' } }, { ns: { eq: 'b' } }] },
      ].map((where) => criteriaKey(parseWhere(where, compileRegex))),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })
})

function expectInvalid(parse: () => unknown, key: string): void {
  let thrown: unknown
  try {
    parse()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(RegistryError)
  expect(thrown).toMatchObject({ code: 'INVALID_CRITERIA', details: { key } })
}
