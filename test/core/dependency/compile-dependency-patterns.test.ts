import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileDependencyPatterns } from '../../../src/core/dependency/compile-dependency-patterns.js'
import { DEFAULT_DEPENDENCY_PATTERNS } from '../../../src/core/dependency/default-dependency-patterns.js'
import { type DependencyPattern, groupsOf } from '../../../src/core/dependency/reference.js'
import type { Content } from '../../../src/core/entry/entry.js'
import type { Json, JsonObject } from '../../../src/core/entry/json.js'
import { id, jsonValue, references } from '../arbitraries.js'

function content(meta: JsonObject, data: Json = null): Content {
  return { kind: 'k', meta, data }
}

/** Shows each as `path=reference`, in the order found. */
function found(
  meta: JsonObject,
  data: Json = null,
  patterns: readonly DependencyPattern[] = DEFAULT_DEPENDENCY_PATTERNS,
): string[] {
  return compileDependencyPatterns(patterns)(id('app:me'), content(meta, data)).map(
    ({ path, reference }) => `${path}=${reference}`,
  )
}

const wildcard = (path: string): DependencyPattern[] => [{ path, allowWildcard: true }]

/** Makes a value with `leaf` at the end of a pattern's path, and `any` instead of each wildcard. */
function at(path: string, leaf: Json): { meta: JsonObject; data: Json } {
  const [root, ...segments] = path.replaceAll('*', 'any').split('.')
  const value = segments.reduceRight<Json>((inner, segment) => ({ [segment]: inner }), leaf)
  return { meta: root === 'meta' ? (value as JsonObject) : {}, data: root === 'data' ? value : null }
}

describe('I14: a reference is found once at every place that a pattern names', () => {
  it.each(DEFAULT_DEPENDENCY_PATTERNS.map(({ path }) => path))(
    'in a string, a list of strings and a map of strings: %s',
    (pattern) => {
      const path = pattern.replaceAll('*', 'any')
      const forms: [Json, string[]][] = [
        ['x:y', [`${path}=x:y`]],
        [
          ['x:y', 1, null, 'z', ['deep']],
          [`${path}.0=x:y`, `${path}.3=z`],
        ],
        [{ b: 'x:y', a: 'z', c: 1, d: {} }, [`${path}.a=z`, `${path}.b=x:y`]],
        [7, []],
        [null, []],
      ]
      for (const [leaf, expected] of forms) {
        const { meta, data } = at(pattern, leaf)
        // `data.imports` is not a pattern itself, so its wildcard names a leaf like any other.
        expect(found(meta, data)).toEqual(expected)
      }
    },
  )

  it('with wildcards for any key and every element of a list', () => {
    expect(found({}, { imports: ['a:1', 'a:2', { x: 'a:3' }] })).toEqual([
      'data.imports.0=a:1',
      'data.imports.1=a:2',
      'data.imports.2.x=a:3',
    ])
    expect(found({}, { steps: { depends_on: ['a:1'] }, depends_on: 'b' })).toEqual([
      'data.depends_on=b',
      'data.steps.depends_on.0=a:1',
    ])
    expect(found({}, [{ depends_on: 'a:1' }, 'a:2'])).toEqual(['data.0.depends_on=a:1'])
    expect(found({}, { contracts: [{ contract: 'c:1', methods: { get: 'f:1', put: ['f:2'] } }] })).toEqual([
      'data.contracts.0.contract=c:1',
      'data.contracts.0.methods.get=f:1',
      'data.contracts.0.methods.put.0=f:2',
    ])
  })

  it('with wildcards that have a fixed beginning, a fixed end or both', () => {
    const data = { pre_a: '1', a_post: '2', pre_x_post: '3', pre_post: '4', pre_: '5', other: '6' }
    expect(found({}, data, wildcard('data.pre_*'))).toEqual([
      'data.pre_=5',
      'data.pre_a=1',
      'data.pre_post=4',
      'data.pre_x_post=3',
    ])
    expect(found({}, data, wildcard('data.*_post'))).toEqual(['data.a_post=2', 'data.pre_post=4', 'data.pre_x_post=3'])
    expect(found({}, data, wildcard('data.pre_*_post'))).toEqual(['data.pre_x_post=3'])
    expect(found({}, ['1'], wildcard('data.pre_*_post'))).toEqual(['data.0=1'])
  })

  it('with wildcards whose beginning and end do not overlap', () => {
    expect(found({}, { aba: '1', ababa: '2', abba: '3' }, wildcard('data.ab*ba'))).toEqual([
      'data.ababa=2',
      'data.abba=3',
    ])
  })

  it('with an asterisk as a plain character without allowWildcard', () => {
    expect(found({}, { '*': '1', a: '2' }, [{ path: 'data.*' }])).toEqual(['data.*=1'])
  })

  it('without following literal segments into lists', () => {
    expect(found({}, { list: ['x'] }, [{ path: 'data.list.0' }])).toEqual([])
    expect(found({}, { list: { 0: 'x' } }, [{ path: 'data.list.0' }])).toEqual(['data.list.0=x'])
  })

  it('once if several patterns name the place', () => {
    const patterns = [
      ...wildcard('data.*'),
      { path: 'data.a' },
      ...wildcard('data.a*'),
      { path: 'data' },
      { path: 'data.a' },
    ]
    expect(found({}, { a: 'x', b: 'y' }, patterns)).toEqual(['data.a=x', 'data.b=y'])
    expect(found({}, { a: { b: 'x' } }, [{ path: 'data.a' }, { path: 'data.a.b' }, ...wildcard('data.*.b')])).toEqual([
      'data.a.b=x',
    ])
  })

  it('twice at two places whose paths look the same', () => {
    expect(found({}, { 'a.b': 'x', a: { b: 'y' } }, [...wildcard('data.*'), ...wildcard('data.*.*')]).sort()).toEqual([
      'data.a.b#2=y',
      'data.a.b=x',
    ])
  })

  it('with unique and sorted paths in any content, and never in inherited properties', () => {
    const keys = ['depends_on', 'imports', '__proto__', 'constructor', 'parent', 'server', 'x']
    const object = fc
      .array(fc.tuple(fc.constantFrom(...keys), jsonValue()), { maxLength: 6 })
      .map(
        (pairs) =>
          JSON.parse(
            `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
          ) as JsonObject,
      )
    fc.assert(
      fc.property(object, object, (meta, data) => {
        const paths = references(id('app:me'), content(meta, data)).map(({ path }) => path)
        expect(new Set(paths).size).toBe(paths.length)
        expect(
          paths
            .map((path) => Buffer.from(path))
            .sort(Buffer.compare)
            .map(String),
        ).toEqual(paths)
      }),
    )
    expect(found({}, null, [{ path: 'meta.constructor.name' }, { path: 'meta.__proto__' }])).toEqual([])
    expect(found(JSON.parse('{"__proto__":"x"}') as JsonObject, null, [{ path: 'meta.__proto__' }])).toEqual([
      'meta.__proto__=x',
    ])
  })

  it.each([
    ['', /neither "meta" nor "data"/],
    ['name', /neither/],
    ['Meta.a', /neither/],
    ['meta..a', /empty/],
    ['data.', /empty/],
    ['data.a*b*c', /more than one/],
  ])('refuses the pattern %j', (path, message) => {
    expect(() => compileDependencyPatterns(wildcard(path))).toThrow(message)
    expect(() => compileDependencyPatterns(wildcard(path))).toThrow(`"${path}"`)
  })
})

describe('the target of a reference', () => {
  const target = (reference: string) => references(id('app:me'), content({ parent: reference }))[0]!.target

  it.each([
    ['x:y', { type: 'entry', id: 'x:y' }],
    ['x:y:z', { type: 'entry', id: 'x:y:z' }],
    ['name', { type: 'entry', id: 'app:name' }],
    ['me', { type: 'entry', id: 'app:me' }],
    ['cafe\u0301', { type: 'entry', id: 'app:caf\u00e9' }],
    ['ns:other', { type: 'namespace', namespace: 'other' }],
    ['ns:cafe\u0301', { type: 'namespace', namespace: 'caf\u00e9' }],
    ['group:g', { type: 'group', group: 'g' }],
    ['group:a:b c', { type: 'group', group: 'a:b c' }],
    ['constructor:x', { type: 'entry', id: 'constructor:x' }],
    [':registry', { type: 'nothing' }],
    ['', { type: 'nothing' }],
    ['ns:', { type: 'nothing' }],
    ['ns:a b', { type: 'nothing' }],
    ['ns:a:b', { type: 'nothing' }],
    ['group:', { type: 'nothing' }],
    ['x:', { type: 'nothing' }],
    [' name', { type: 'nothing' }],
    ['a b:c', { type: 'nothing' }],
  ])('is parsed from %j', (reference, expected) => {
    expect(target(reference)).toEqual(expected)
  })
})

describe('groupsOf', () => {
  it.each<[JsonObject, string[]]>([
    [{ groups: ['a', 'b', 'a', 1, null] }, ['a', 'b']],
    [{ groups: 'a' }, []],
    [{ groups: { a: 'b' } }, []],
    [{}, []],
  ])('reads only a list of strings: %j', (meta, groups) => {
    expect(groupsOf(content(meta))).toEqual(groups)
  })
})
