import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runAtOnce } from '../../../src/core/algorithms/steps.js'
import { jsonEquals } from '../../../src/core/entry/canonical-json.js'
import { isJsonObject, type Json } from '../../../src/core/entry/json.js'
import { type SealRules, sealContent } from '../../../src/core/entry/seal-content.js'
import type { ContentFault } from '../../../src/core/entry/value-faults.js'
import { cpuTime } from '../../support/cpu-time.js'
import { jsonValue, RULES, seal } from '../arbitraries.js'

function faultsOf(
  content: { kind?: string; meta?: unknown; data?: unknown },
  rules: Partial<SealRules> = {},
): ContentFault[] {
  const sealed = runAtOnce(sealContent({ kind: 'k', meta: {}, data: null, ...content }, { ...RULES, ...rules }))
  return 'faults' in sealed ? sealed.faults : []
}

/** Compares to the last bit, with -0 different from 0, and with the order of keys. */
function isSame(a: Json, b: Json): boolean {
  if (isJsonObject(a)) {
    if (!isJsonObject(b)) return false
    const keys = Object.keys(a)
    return keys.join('\n') === Object.keys(b).join('\n') && keys.every((key) => isSame(a[key]!, b[key]!))
  }
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item: Json, i) => isSame(item, b[i] as Json))
  return Object.is(a, b)
}

describe('I9: sealed content is returned as it was sent', () => {
  it('with every value to the last bit, and its order of keys', () => {
    fc.assert(
      fc.property(jsonValue(), (value) => {
        const sealed = seal('k', { value }, value)
        expect(isSame(JSON.parse(sealed.dataText) as Json, value)).toBe(true)
        expect(isSame(sealed.data, value)).toBe(true)
        expect(isSame(sealed.meta['value']!, value)).toBe(true)
      }),
    )
  })

  it('with equal digests if and only if kind, meta and data are equal by value', () => {
    fc.assert(
      fc.property(jsonValue(), jsonValue(), (a, b) => {
        expect(seal('k', {}, a).digest === seal('k', {}, b).digest).toBe(jsonEquals(a, b))
        expect(seal('k', { a }).digest === seal('k', { a: b }).digest).toBe(jsonEquals(a, b))
      }),
    )
    expect(seal('k').digest).not.toBe(seal('l').digest)
    expect(seal('k', {}, { a: 1 }).digest).not.toBe(seal('k', { a: 1 }, {}).digest)
  })

  it('with the SHA-256 of the RFC 8785 form as its digest', () => {
    const form = '{"data":[1,"é"],"kind":"k","meta":{"a":null,"b":1}}'
    expect(seal('k', { b: 1.0, a: null }, [1, 'é']).digest).toBe(
      createHash('sha256').update(form, 'utf8').digest('hex'),
    )
  })

  it('with an empty object for missing meta, and null for missing data', () => {
    for (const meta of [undefined, null]) {
      const sealed = runAtOnce(sealContent({ kind: 'k', meta, data: undefined }, RULES))
      expect(sealed).toMatchObject({ content: { metaText: '{}', dataText: 'null' } })
    }
  })

  it('from objects without a prototype', () => {
    const data = Object.assign(Object.create(null) as object, { a: 1 })
    expect(seal('k', {}, data).dataText).toBe('{"a":1}')
  })
})

describe('I10: a value that cannot be stored is a fault that names its place', () => {
  it.each<[string, { kind?: string; meta?: unknown; data?: unknown }, string]>([
    ['a bad kind', { kind: 'a..b' }, '"a..b" is not a kind'],
    ['meta that is a list', { meta: [] }, 'meta is not a JSON object'],
    ['meta that is a string', { meta: 'x' }, 'meta is not a JSON object'],
    ['a number beyond a double', { data: { a: [0, JSON.parse('1e400')] } }, 'data.a.1 is a number beyond the range'],
    ['not a number', { data: NaN }, 'data is a number beyond the range'],
    ['U+0000 in a string', { meta: { a: { b: 'x\u0000y' } } }, 'meta.a.b holds U+0000'],
    ['U+0000 in a key', { data: { 'x\u0000': 1 } }, 'data.x\ufffd is under a key with U+0000'],
    ['a lone high surrogate', { data: ['\ud83d'] }, 'data.0 holds a lone surrogate'],
    ['a lone low surrogate', { data: ['ok', 'a\ude00b'] }, 'data.1 holds a lone surrogate'],
    ['surrogates the wrong way round', { data: '\ude00\ud83d' }, 'data holds a lone surrogate'],
    ['a lone surrogate in a key', { meta: { '\ud83d': 1 } }, 'meta.\ufffd is under a key with a lone surrogate'],
    ['undefined within a value', { data: { a: undefined } }, 'data.a is not a JSON value but undefined'],
    ['a bigint', { data: [1n] }, 'data.0 is not a JSON value but bigint'],
    ['a function', { data: { toJSON: () => 1 } }, 'data.toJSON is not a JSON value but function'],
    ['a date', { meta: { when: new Date(0) } }, 'meta.when is not a JSON value'],
    ['a map', { data: new Map() }, 'data is not a JSON value'],
    // biome-ignore lint/suspicious/noSparseArray: the hole is the subject of the test
    ['a hole in a list', { data: [1, , 2] }, 'data.1 is not a JSON value but undefined'],
  ])('for %s', (_title, content, message) => {
    const faults = faultsOf(content)
    expect(faults).toHaveLength(1)
    expect(faults[0]!.code).toBe('INVALID_ENTRY')
    expect(faults[0]!.message).toContain(message)
  })

  it('unless surrogates form a pair', () => {
    expect(faultsOf({ data: { '😀': '😀' } })).toEqual([])
  })

  it('with up to ten faults at once', () => {
    const messages = faultsOf({ kind: '', meta: { a: NaN }, data: ['\u0000', 'fine', '\ud800'] }).map(
      (fault) => fault.message,
    )
    expect(messages).toHaveLength(4)
    expect(messages.map((message) => message.split(' ')[0])).toEqual(['""', 'meta.a', 'data.0', 'data.2'])
    expect(faultsOf({ data: Array.from({ length: 1000 }, () => NaN) })).toHaveLength(10)
  })

  it('beyond exactly the maximum depth', () => {
    expect(faultsOf({ data: [[[]]] }, { maxDepth: 3 })).toEqual([])
    expect(faultsOf({ data: [[[[]]]] }, { maxDepth: 3 })).toEqual([
      { code: 'INVALID_ENTRY', message: 'data.0.0.0 is nested more than 3 deep' },
    ])
    expect(faultsOf({ meta: { a: { b: {} } } }, { maxDepth: 2 })[0]!.message).toBe(
      'meta.a.b is nested more than 2 deep',
    )
  })

  it('with a short path, not a stack overflow, for a value nested 100,000 deep', () => {
    let data: unknown = []
    for (let i = 0; i < 100_000; i++) data = i % 2 === 0 ? [data] : { key: data }
    const faults = faultsOf({ data })
    expect(faults.map((fault) => fault.code)).toEqual(['INVALID_ENTRY'])
    expect(faults[0]!.message.length).toBeLessThan(200)
    expect(faults[0]!.message).toContain('…')
    const roomy = faultsOf({ data }, { maxDepth: 1_000_000, maxEntryBytes: 1000 })
    expect(roomy.map((fault) => fault.code)).toEqual(['TOO_LARGE'])
  })

  it('for a value that contains itself', () => {
    const data: Record<string, unknown> = {}
    data['self'] = data
    expect(faultsOf({ data })[0]!.message).toContain('is nested more than 200 deep')
  })

  it('for a value that is small in memory and endless as text', () => {
    let data: unknown = 'lol'
    for (let i = 0; i < 60; i++) data = [data, data]
    const { result, cpuMs } = cpuTime(() => faultsOf({ data }))
    expect(result.map((fault) => fault.code)).toEqual(['TOO_LARGE'])
    expect(cpuMs).toBeLessThan(5_000)
  })

  it('at exactly the maximum size in bytes of UTF-8', () => {
    const data = 'é😀' // 2 + 4 bytes, two quotes; meta takes two more
    expect(faultsOf({ data }, { maxEntryBytes: 10 })).toEqual([])
    expect(faultsOf({ data }, { maxEntryBytes: 9 })).toMatchObject([
      { code: 'TOO_LARGE', message: expect.stringContaining('take 10 bytes') as string },
    ])
  })

  it('with the size of the texts', () => {
    fc.assert(
      fc.property(jsonValue(), (value) => {
        const { metaText, dataText } = seal('k', { value }, value)
        const bytes = Buffer.byteLength(metaText) + Buffer.byteLength(dataText)
        expect(faultsOf({ meta: { value }, data: value }, { maxEntryBytes: bytes })).toEqual([])
        expect(
          faultsOf({ meta: { value }, data: value }, { maxEntryBytes: bytes - 1 }).map((fault) => fault.code),
        ).toEqual(['TOO_LARGE'])
      }),
    )
  })
})
