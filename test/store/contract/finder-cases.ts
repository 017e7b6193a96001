import * as fc from 'fast-check'
import type { CompileRegex } from '../../../src/core/criteria/compiled-regex.js'
import { allOf, type Criteria } from '../../../src/core/criteria/criteria.js'
import { parseFind } from '../../../src/core/criteria/parse-find.js'
import { type EntryFilterInput, parseWhere, type ValueFilterInput } from '../../../src/core/criteria/parse-where.js'
import { compareEntryIds, type EntryId, parseEntryId } from '../../../src/core/entry/entry-id.js'
import type { Json, JsonObject } from '../../../src/core/entry/json.js'

/*
 * Finder cases that every store must answer equally: rules of the specification with the expected ids, and arbitraries
 * for everything else.
 */

export interface FinderEntry {
  readonly id: EntryId
  readonly kind: string
  readonly meta: JsonObject
}

export interface FinderCase {
  readonly says: string
  readonly find?: JsonObject
  readonly where?: EntryFilterInput
  /** In the order of ids. */
  readonly expected: readonly string[]
}

/** Parses both forms and combines them with AND, as a query does. */
export function criteriaOf({ find, where }: Pick<FinderCase, 'find' | 'where'>, compileRegex: CompileRegex): Criteria {
  const parts: Criteria[] = []
  if (find !== undefined) parts.push(parseFind(find, compileRegex))
  if (where !== undefined) parts.push(parseWhere(where, compileRegex))
  return allOf(parts)
}

const json = (text: string) => JSON.parse(text) as JsonObject
const entry = (id: string, kind: string, meta: JsonObject = {}): FinderEntry => ({ id: parseEntryId(id), kind, meta })

/** In the order of ids. */
export const FINDER_ENTRIES: readonly FinderEntry[] = [
  entry('a:b:c', 'x', { note: 'a name with a colon' }),
  entry('app:Db', 'db.sql', { type: 'Sql' }),
  entry('app:a%b', 'x', { note: 'per%cent', odd: [] }),
  entry('app:a*b', 'x', { note: 'st*r' }),
  entry('app:a_b', 'x', { note: 'under_score', odd: [[]] }),
  entry('app:aXb', 'x', { note: 'back\\slash' }),
  entry('app:db', 'db.sql', { type: 'sql', tags: ['store', 'main'], port: 5432, tls: true, owner: null }),
  entry('app:handler', 'function.lua', {
    type: 'handler',
    tags: ['http', 'public', 1, true, null, { deep: 1 }],
    port: 80,
    tls: false,
  }),
  entry('app:handler.test', 'function.lua.test', { type: 'test', tags: 'http', port: '80', name: 'user test' }),
  entry('app.sub:router', 'http.router', { a: { b: { c: 1 } }, 'x.y': 'flat', list: [1, 2, 3], x: { z: 1 } }),
  entry('app.sub:tree', 'http.router', { 'a.b.c': 1, x: { y: 'path' }, list: [3, 2, 1] }),
  entry('app.sub:twice', 'http.router', { 'a.b.c': 2, a: { b: { c: 1 } }, list: [[1, 2], 3] }),
  entry('apq:mixed', 'x', { a: { 'b.c': 1 }, list: [{ k: 1, l: 2 }] }),
  entry('café:é', 'x', { name: 'naïve', icon: '😀 smile', sign: 'smile 😀' }),
  entry('proto:names', 'x', json('{"__proto__":{"deep":1},"constructor":"own","toString":null,"":"empty key"}')),
  entry('values:array', 'v', { v: [] }),
  entry('values:arrayed', 'v', { v: [{ '0': 'zero' }, 'one'] }),
  entry('values:big', 'v', { v: 1e21, w: 0.1 }),
  entry('values:empty', 'v', { v: '' }),
  entry('values:false', 'v', { v: false }),
  entry('values:indexed', 'v', { v: { '0': 'zero' } }),
  entry('values:null', 'v', { v: null }),
  entry('values:object', 'v', { v: { y: [1, { z: null }], x: 1 } }),
  entry('values:object2', 'v', { v: { y: [1, { z: null }], x: 1, w: 2 } }),
  entry('values:text', 'v', { v: '1' }),
  entry('values:zero', 'v', { v: 0 }),
].sort((a, b) => compareEntryIds(a.id, b.id))

const ALL = FINDER_ENTRIES.map(({ id }) => id as string)
const where = (filter: EntryFilterInput): { where: EntryFilterInput } => ({ where: filter })
const meta = (path: string, filter: Omit<ValueFilterInput, 'path'>) => where({ meta: [{ path, ...filter }] })
const but = (...ids: string[]) => ALL.filter((id) => !ids.includes(id))
const WITH_V = ALL.filter((id) => id.startsWith('values:'))

export const FINDER_CASES: readonly FinderCase[] = [
  { says: '{} matches everything', find: {}, expected: ALL },
  { says: 'an empty filter matches everything', ...where({}), expected: ALL },
  { says: 'conditions are ANDed', find: { '.ns': 'app', '.kind': 'db.sql', type: 'sql' }, expected: ['app:db'] },
  {
    says: 'find and where are ANDed',
    find: { '.ns': 'app' },
    ...where({ kind: { eq: 'db.sql' } }),
    expected: ['app:Db', 'app:db'],
  },

  { says: 'a root field is compared whole', find: { '.id': 'app:db' }, expected: ['app:db'] },
  { says: 'an id is split at its first colon', find: { '.id': 'a:b:c' }, expected: ['a:b:c'] },
  { says: 'an id without a colon matches nothing', find: { '.id': 'app' }, expected: [] },
  { says: 'a root field is case-sensitive', find: { '.name': 'DB' }, expected: [] },
  { says: 'an id is normalised before it is compared', find: { '.id': 'cafe\u0301:e\u0301' }, expected: ['café:é'] },
  { says: '* matches dots', find: { '.kind': 'function.*' }, expected: ['app:handler', 'app:handler.test'] },
  {
    says: '* may match nothing',
    find: { '.kind': 'function*.lua*' },
    expected: ['app:handler', 'app:handler.test'],
  },
  { says: '* in the middle', find: { '.kind': 'f*.t*t' }, expected: ['app:handler.test'] },
  { says: '* alone matches everything', find: { '.id': '*' }, expected: ALL },
  { says: '** is the same as *', find: { '.kind': 'db.**' }, expected: ['app:Db', 'app:db'] },
  { says: '? matches one character', find: { '.name': 'a?b' }, expected: ['app:a%b', 'app:a*b', 'app:aXb', 'app:a_b'] },
  { says: '? matches a whole code point', find: { '.ns': 'caf?', '.name': '?' }, expected: ['café:é'] },
  { says: '\\ escapes *', find: { '.name': 'a\\*b' }, expected: ['app:a*b'] },
  { says: '\\ escapes within a glob', find: { '.name': '?\\*?' }, expected: ['app:a*b'] },
  { says: '% is a character like any other', find: { '.name': '?%*' }, expected: ['app:a%b'] },
  { says: '_ is a character like any other', find: { '.name': '*_?' }, expected: ['app:a_b'] },
  { says: 'a glob across the colon', find: { '.id': 'app*:?b' }, expected: ['app:Db', 'app:db'] },
  { says: 'a glob of a namespace', find: { '.id': 'app:*' }, expected: ALL.filter((id) => id.startsWith('app:')) },
  { says: 'a glob from the end', find: { '.id': '*:c' }, expected: ['a:b:c'] },

  { says: '~ is not anchored', find: { '~.name': 'and' }, expected: ['app:handler', 'app:handler.test'] },
  { says: '~ is anchored by ^ and $', find: { '~.name': '^handler$' }, expected: ['app:handler'] },
  { says: '~ of an id', find: { '~.id': '^app:[a-d]+$' }, expected: ['app:db'] },
  { says: '~ with alternatives', find: { '~.id': '^app:db|tree$' }, expected: ['app:db', 'app.sub:tree'] },
  { says: '~ with an optional last character', find: { '~.kind': '^db.sqlx?$' }, expected: ['app:Db', 'app:db'] },
  { says: '~ ignoring case', find: { '~type': '(?i)^sql$' }, expected: ['app:Db', 'app:db'] },
  { says: '~ does not match elements of arrays', find: { '~tags': 'http' }, expected: ['app:handler.test'] },
  { says: '~ matches strings only', find: { '~port': '80' }, expected: ['app:handler.test'] },
  {
    says: '* finds a substring of an id, also across the colon',
    find: { '*.id': 'b:ro' },
    expected: ['app.sub:router'],
  },
  { says: '* finds a colon within a name', find: { '*.id': 'b:c' }, expected: ['a:b:c'] },
  {
    says: '* finds a substring in either part of an id',
    find: { '*.id': 'ub' },
    expected: ['app.sub:router', 'app.sub:tree', 'app.sub:twice'],
  },
  { says: '* of a root field', find: { '*.kind': 'lua' }, expected: ['app:handler', 'app:handler.test'] },
  {
    says: '* finds a substring of a string and of strings in an array',
    find: { '*tags': 'tt' },
    expected: ['app:handler', 'app:handler.test'],
  },
  { says: '* does not match numbers', find: { '*tags': '1' }, expected: [] },
  {
    says: '* with an empty string matches strings and arrays with a string',
    find: { '*tags': '' },
    expected: ['app:db', 'app:handler', 'app:handler.test'],
  },
  { says: '* treats % and _ literally', find: { '*note': 'r%c' }, expected: ['app:a%b'] },
  { says: '* treats a backslash literally', find: { '*note': 'k\\s' }, expected: ['app:aXb'] },
  { says: '^ is a prefix', find: { '^meta.name': 'user' }, expected: ['app:handler.test'] },
  {
    says: '^ of an id within the namespace',
    find: { '^.id': 'app.s' },
    expected: ['app.sub:router', 'app.sub:tree', 'app.sub:twice'],
  },
  { says: '^ of an id across the colon', find: { '^.id': 'app:ha' }, expected: ['app:handler', 'app:handler.test'] },
  { says: '^ is case-sensitive', find: { '^.id': 'app:D' }, expected: ['app:Db'] },
  { says: '^ does not match elements of arrays', find: { '^tags': 'ht' }, expected: ['app:handler.test'] },
  { says: '$ is a suffix', find: { '$.kind': '.test' }, expected: ['app:handler.test'] },
  { says: '$ of an id across the colon', find: { '$.id': 'sub:tree' }, expected: ['app.sub:tree'] },
  { says: '$ of an id across a colon of the name', find: { '$.id': ':b:c' }, expected: ['a:b:c'] },
  { says: '$ of an id within a name with a colon', find: { '$.id': 'b:c' }, expected: ['a:b:c'] },
  { says: '$ of a meta field', find: { $icon: 'smile' }, expected: ['café:é'] },
  { says: '$ does not match elements of arrays', find: { $tags: 'in' }, expected: [] },

  { says: 'a meta field is compared by value, not as a glob', find: { note: 'st*r' }, expected: ['app:a*b'] },
  { says: '* in a meta value is literal', find: { note: 's*r' }, expected: [] },
  { says: 'the field may have the prefix meta.', find: { 'meta.type': 'sql' }, expected: ['app:db'] },
  { says: 'a meta field with the name of a root field', find: { 'meta.id': 'app:db' }, expected: [] },
  { says: 'a number is not a string', find: { port: 80 }, expected: ['app:handler'] },
  { says: 'a string is not a number', find: { port: '80' }, expected: ['app:handler.test'] },
  { says: 'true matches true', find: { tls: true }, expected: ['app:db'] },
  { says: 'false is not missing', find: { v: false }, expected: ['values:false'] },
  { says: '0 equals -0, and neither false nor null', find: { v: -0 }, expected: ['values:zero'] },
  { says: 'a large number', find: { v: 1e21 }, expected: ['values:big'] },
  { says: 'a fraction', find: { w: 0.1 }, expected: ['values:big'] },
  { says: 'an empty string', find: { v: '' }, expected: ['values:empty'] },
  { says: 'null matches an existing field that is null', find: { owner: null }, expected: ['app:db'] },
  { says: 'null matches no other empty value', find: { v: null }, expected: ['values:null'] },
  {
    says: 'an object by value, in any order of its keys',
    find: { v: { x: 1, y: [1, { z: null }] } },
    expected: ['values:object'],
  },
  { says: 'a part of an object does not match', find: { v: { x: 1 } }, expected: [] },
  { says: 'an empty object', find: { v: {} }, expected: [] },
  { says: 'an array requires all of its values', find: { tags: ['main', 'store'] }, expected: ['app:db'] },
  { says: 'an array of one value', find: { tags: ['http'] }, expected: ['app:handler'] },
  { says: 'an array of numbers, in any order', find: { list: [1, 3] }, expected: ['app.sub:router', 'app.sub:tree'] },
  { says: 'an array of several types', find: { tags: [null, 1, true, { deep: 1 }] }, expected: ['app:handler'] },
  { says: 'an array that contains an array', find: { list: [[1, 2]] }, expected: ['app.sub:twice'] },
  { says: 'an element is compared whole', find: { list: [[1]] }, expected: [] },
  { says: 'an element that is an object is compared whole', find: { list: [{ k: 1 }] }, expected: [] },
  { says: 'a repeated element is required once', find: { list: [1, 1] }, expected: ['app.sub:router', 'app.sub:tree'] },
  { says: 'an empty array matches any array', find: { tags: [] }, expected: ['app:db', 'app:handler'] },
  { says: 'an empty array within an array', find: { odd: [[]] }, expected: ['app:a_b'] },

  {
    says: 'a dotted field is a path and a flat key',
    find: { 'meta.a.b.c': 1 },
    expected: ['app.sub:router', 'app.sub:tree', 'app.sub:twice'],
  },
  { says: 'a field that exists twice matches if either matches', find: { 'a.b.c': 2 }, expected: ['app.sub:twice'] },
  { says: 'a string at a flat key', find: { '^x.y': 'fl' }, expected: ['app.sub:router'] },
  { says: 'a string at a path', find: { '~x.y': '^p..h$' }, expected: ['app.sub:tree'] },
  { says: 'mixed forms of a path do not match', find: { 'a.b.c': 1, '.ns': 'apq' }, expected: [] },
  {
    says: 'a path of two is not a nested flat key',
    find: { 'a.b': { c: 1 } },
    expected: ['app.sub:router', 'app.sub:twice'],
  },
  { says: 'a path does not index into arrays', find: { 'v.0': 'zero' }, expected: ['values:indexed'] },
  { says: 'a path does not lead through the elements of an array', find: { 'v.0.0': 'zero' }, expected: [] },
  { says: '__proto__ is a key like any other', find: { '__proto__.deep': 1 }, expected: ['proto:names'] },
  {
    says: '__proto__ exists only as an own key',
    ...meta('__proto__', { exists: true }),
    expected: ['proto:names'],
  },
  {
    says: 'constructor exists only as an own key',
    ...meta('constructor', { ne: 'own' }),
    expected: but('proto:names'),
  },
  { says: 'toString exists only as an own key', find: { toString: null }, expected: ['proto:names'] },
  { says: 'a path leads through own keys only', ...meta('constructor.name', { exists: true }), expected: [] },

  { says: 'eq of a root field is not a glob', ...where({ kind: { eq: 'db.*' } }), expected: [] },
  { says: 'eq of an array is equality', ...meta('list', { eq: [1, 2, 3] }), expected: ['app.sub:router'] },
  { says: 'eq of an empty array', ...meta('v', { eq: [] }), expected: ['values:array'] },
  { says: 'eq null matches an existing field that is null', ...meta('v', { eq: null }), expected: ['values:null'] },
  { says: 'ne also matches a missing field', ...meta('v', { ne: 0 }), expected: but('values:zero') },
  { says: 'ne null also matches a missing field', ...meta('v', { ne: null }), expected: but('values:null') },
  {
    says: 'ne of a field that exists twice matches if neither is equal',
    ...meta('a.b.c', { ne: 2 }),
    expected: but('app.sub:twice'),
  },
  { says: 'ne of a root field', ...where({ ns: { ne: 'values' } }), expected: but(...WITH_V) },
  {
    says: 'in of a root field',
    ...where({ id: { in: ['app:db', 'a:b:c', 'nowhere', 'app:missing'] } }),
    expected: ['a:b:c', 'app:db'],
  },
  {
    says: 'in of values',
    ...meta('v', { in: [0, '1', [], { x: 1, y: [1, { z: null }] }, null] }),
    expected: ['values:array', 'values:null', 'values:object', 'values:text', 'values:zero'],
  },
  {
    says: 'in of many values',
    ...meta('v', { in: [...Array.from({ length: 40 }, (_, i) => i), [], false] }),
    expected: ['values:array', 'values:false', 'values:zero'],
  },
  { says: 'in of an empty list matches nothing', ...meta('v', { in: [] }), expected: [] },
  { says: 'in of an empty list on a root field matches nothing', ...where({ kind: { in: [] } }), expected: [] },
  { says: 'exists matches an existing field, null or not', ...meta('v', { exists: true }), expected: WITH_V },
  { says: 'exists: false matches a missing field', ...meta('v', { exists: false }), expected: but(...WITH_V) },
  {
    says: 'exists finds a flat key',
    ...meta('a.b.c', { exists: true }),
    expected: ['app.sub:router', 'app.sub:tree', 'app.sub:twice'],
  },
  { says: 'glob of a meta field', ...meta('type', { glob: 's*' }), expected: ['app:db'] },
  { says: 'glob does not match elements of arrays', ...meta('tags', { glob: 'h*' }), expected: ['app:handler.test'] },
  {
    says: 'contains matches elements of arrays',
    ...meta('tags', { contains: 'ttp' }),
    expected: ['app:handler', 'app:handler.test'],
  },
  { says: 'regex of a meta field', ...meta('icon', { regex: '^. smile$' }), expected: ['café:é'] },
  {
    says: 'several conditions of one filter are ANDed',
    ...where({ kind: { prefix: 'function', suffix: 'lua' } }),
    expected: ['app:handler'],
  },
  {
    says: 'several value filters are ANDed',
    ...where({
      meta: [
        { path: 'port', exists: true },
        { path: 'tls', eq: true },
      ],
    }),
    expected: ['app:db'],
  },
  { says: 'an empty list of value filters matches everything', ...where({ meta: [] }), expected: ALL },
  {
    says: 'or matches if any of its filters matches',
    ...where({ or: [{ ns: { eq: 'apq' } }, { name: { eq: 'c' } }, { kind: { eq: 'db.sql' } }] }),
    expected: ['app:Db', 'app:db', 'apq:mixed'],
  },
  { says: 'an empty or matches nothing', ...where({ or: [] }), expected: [] },
  { says: 'an empty and matches everything', ...where({ and: [] }), expected: ALL },
  {
    says: 'not of a condition',
    ...where({ not: { ns: { in: ['app', 'values', 'app.sub'] } } }),
    expected: ['a:b:c', 'apq:mixed', 'café:é', 'proto:names'],
  },
  { says: 'not of an empty filter matches nothing', ...where({ not: {} }), expected: [] },
  {
    says: 'not of a missing field matches',
    ...where({ not: { meta: [{ path: 'v', regex: '.' }] } }),
    expected: but('values:text'),
  },
  {
    says: 'not of a regex beside another condition',
    ...where({ not: { or: [{ meta: [{ path: 'tags', regex: 'h.t?' }] }, { ns: { ne: 'app' } }] } }),
    expected: ALL.filter((id) => id.startsWith('app:') && id !== 'app:handler.test'),
  },

  { says: 'no value contains U+0000', find: { v: 'a\0b' }, expected: [] },
  { says: 'U+0000 in a glob', find: { '.name': '*\0*' }, expected: [] },
  { says: 'U+0000 in the name of a field', find: { 'a\0': null }, expected: [] },
  { says: 'U+0000 in an array', find: { tags: ['\0'] }, expected: [] },
  { says: 'ne of U+0000 matches everything', ...meta('v', { ne: { k: '\0' } }), expected: ALL },
  { says: 'no value contains half of a surrogate pair', find: { '*icon': '\ud83d' }, expected: [] },
  { says: 'no value begins with half of a surrogate pair', ...meta('icon', { prefix: '\ud83d' }), expected: [] },
  { says: 'no value ends with half of a surrogate pair', ...meta('sign', { suffix: '\ude00' }), expected: [] },
  { says: 'a string may end with a whole surrogate pair', find: { $sign: '😀' }, expected: ['café:é'] },
]

/** Invalid criteria, each with the key that the error names. */
export const INVALID_FINDS: readonly { readonly says: string; readonly find: JsonObject; readonly key: string }[] = [
  { says: 'an unknown root field', find: { '.foo': 'x' }, key: '.foo' },
  { says: 'meta written as a root field', find: { '.meta.type': 'x' }, key: '.meta.type' },
  { says: 'a root field in another case', find: { '.ID': 'x' }, key: '.ID' },
  { says: 'only a dot', find: { '.': 'x' }, key: '.' },
  { says: 'an unknown root field after an operator', find: { '~.foo': 'x' }, key: '~.foo' },
  { says: 'a number for a root field', find: { '.id': 5 }, key: '.id' },
  { says: 'null for a root field', find: { '.kind': null }, key: '.kind' },
  { says: 'an array for a root field', find: { '.ns': ['a'] }, key: '.ns' },
  { says: 'a number for a regex', find: { '~x': 5 }, key: '~x' },
  { says: 'an array for a substring', find: { '*x': ['a'] }, key: '*x' },
  { says: 'null for a prefix', find: { '^x': null }, key: '^x' },
  { says: 'a boolean for a suffix', find: { $x: true }, key: '$x' },
  { says: 'an invalid regex', find: { '~.name': '(' }, key: '~.name' },
  { says: 'a regex of another dialect', find: { '~x': '(?=a)' }, key: '~x' },
  { says: 'a regex that is too large', find: { '~x': '(a{1000}){1000}' }, key: '~x' },
  { says: 'a glob that ends in a backslash', find: { '.name': 'a\\' }, key: '.name' },
  { says: 'an empty key', find: { '': 'x' }, key: '' },
  { says: 'an operator without a field', find: { '~': 'x' }, key: '~' },
  { says: 'meta without a field', find: { 'meta.': 'x' }, key: 'meta.' },
  { says: 'meta without a field after an operator', find: { '*meta.': 'x' }, key: '*meta.' },
  { says: 'two operators', find: { '~^x': 'x' }, key: '~^x' },
  { says: 'one invalid key among valid ones', find: { '.ns': 'app', '.nope': 'x', type: 'sql' }, key: '.nope' },
]

export const INVALID_WHERES: readonly { readonly says: string; readonly where: unknown; readonly key: string }[] = [
  { says: 'a value filter without a condition', where: { meta: [{ path: 'a' }] }, key: 'meta[0]' },
  {
    says: 'a value filter whose conditions are all undefined',
    where: { meta: [{ path: 'a', eq: undefined }] },
    key: 'meta[0]',
  },
  { says: 'a value filter without a path', where: { meta: [{ eq: 1 }] }, key: 'meta[0].path' },
  { says: 'an empty path', where: { meta: [{ path: '', eq: 1 }] }, key: 'meta[0].path' },
  { says: 'a string filter without a condition', where: { kind: {} }, key: 'kind' },
  { says: 'null for a string', where: { kind: { eq: null } }, key: 'kind.eq' },
  { says: 'null for a pattern of a meta field', where: { meta: [{ path: 'a', glob: null }] }, key: 'meta[0].glob' },
  { says: 'null for exists', where: { meta: [{ path: 'a', exists: null }] }, key: 'meta[0].exists' },
  { says: 'null for a list', where: { meta: [{ path: 'a', in: null }] }, key: 'meta[0].in' },
  { says: 'null for a filter', where: { not: null }, key: 'not' },
  { says: 'null for filters', where: { and: null }, key: 'and' },
  { says: 'null among filters', where: { or: [{}, null] }, key: 'or[1]' },
  { says: 'an unknown field', where: { title: { eq: 'x' } }, key: 'title' },
  { says: 'an unknown condition', where: { kind: { like: 'x' } }, key: 'kind.like' },
  { says: 'exists of a root field', where: { kind: { exists: true } }, key: 'kind.exists' },
  {
    says: 'an invalid regex deep within a filter',
    where: { or: [{}, { not: { and: [{ meta: [{ path: 'a', regex: '*' }] }] } }] },
    key: 'or[1].not.and[0].meta[0].regex',
  },
  { says: 'a glob that ends in a backslash', where: { name: { glob: '*\\' } }, key: 'name.glob' },
  { says: 'a number for a string', where: { ns: { in: ['a', 1] } }, key: 'ns.in' },
]

// ── Arbitraries: few letters and few keys, so that entries and criteria meet ──────────────────

const letters = ['a', 'b', 'A', '.', '%', '_', '\\', '*', '😀', 'é', '\uffff', ' ']
const shortText = fc.string({ unit: fc.constantFrom(...letters), maxLength: 4 })
const rawText = fc.oneof(
  { weight: 12, arbitrary: shortText },
  { weight: 1, arbitrary: fc.constantFrom('\0', '\ud83d', 'a\ude00') },
)
const keyName = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'a.b') },
  { weight: 1, arbitrary: fc.constantFrom('0', 'a.b.c', 'b.a', '__proto__', '', 'é') },
)
const scalar = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Json>(1, 'a', 'ab', null, true) },
  { weight: 1, arbitrary: fc.oneof(shortText, fc.constantFrom<Json>(0, -1, 1.5, 1e21, 5e-324, false, '1', '')) },
)

const { tree: jsonTree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    { weight: 3, arbitrary: scalar },
    { weight: 2, arbitrary: fc.array(tie('tree'), { maxLength: 3 }) },
    {
      weight: 2,
      arbitrary: fc
        .array(fc.tuple(keyName, tie('tree')), { maxLength: 3 })
        .map((members) => Object.fromEntries(members)),
    },
  ),
}))

const idArbitrary = fc
  .tuple(
    fc.constantFrom('a', 'ab', 'a.b', 'A', 'é', 'b\uffff', '😀', '%', 'a_'),
    fc.constantFrom('a', 'b', 'a:b', ':a', 'ab', 'a.b', '😀', '\uffff', '%a', 'a*b', 'a\\b', 'é', '_', 'b:', 'a:b:c'),
  )
  .map(([ns, name]) => parseEntryId({ ns, name }))

export const entryArbitrary: fc.Arbitrary<FinderEntry> = fc.record({
  id: idArbitrary,
  kind: fc.constantFrom('a', 'a.b', 'a.b.c', 'ab', 'A_b', 'b-a'),
  meta: fc
    .array(fc.tuple(keyName, jsonTree), { minLength: 2, maxLength: 6 })
    .map((members) => Object.fromEntries(members)),
})

const fieldPath = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'a.b') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'a.b.c',
      'a.0',
      '0',
      'b.a',
      '__proto__',
      '__proto__.a',
      'constructor',
      'é',
      'a.',
      '.a',
      'a..b',
    ),
  },
)
const rootName = fc.constantFrom('id', 'ns', 'name', 'kind')
const rootText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'a.b', 'ab', 'a:', ':a', 'b:a', 'a:a', 'é', '\uffff', '.') },
  { weight: 1, arbitrary: rawText },
  { weight: 1, arbitrary: idArbitrary },
)
const pattern = rootText.map((text) => text.replace(/\\+$/, ''))
const glob = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom('a*', '*b', '?', 'a.?', '*:*', 'a:*', '*a*', 'a*:*b', '?:a*', '??', 'a', '*.*'),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.oneof(fc.constantFrom('*', '?', '\\*', '\\?', '\\\\'), pattern), { maxLength: 4 })
      .map((parts) => parts.join('')),
  },
)
const regex = fc.constantFrom(
  'a',
  '^a',
  'a$',
  '^a$',
  'a|b',
  '^(a|b)+$',
  '[^a]',
  '.',
  '^.$',
  '^..$',
  '',
  'a?',
  '^ab*',
  'a:b',
  '^a:',
  '(?i)A',
  '\\.',
  'a\\.b',
  '^a\\.b$',
  '😀',
  '^b.*a',
  'a{2}',
  '(?:a.b)',
)

const textConditions = {
  glob,
  regex,
  contains: rootText,
  prefix: rootText,
  suffix: rootText,
}

const oneCondition = [
  fc.record({ eq: rootText }),
  fc.record({ ne: rootText }),
  fc.record({ in: fc.array(rootText, { maxLength: 4 }) }),
  ...Object.entries(textConditions).map(([name, text]) => fc.record({ [name]: text })),
]
const stringFilter = fc.oneof(
  ...oneCondition,
  fc.record({ ne: rootText, prefix: rootText }),
  fc.record({ contains: rootText, glob }),
)

const value = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<Json>(1, 'a', 'ab', null, true, [], {}, [1], ['a'], { a: 1 }) },
  { weight: 4, arbitrary: jsonTree },
  { weight: 1, arbitrary: rawText.map((text) => ({ a: [text] })) },
  { weight: 2, arbitrary: rawText },
)
const manyValues = fc
  .constant(null)
  .map(() => [0, 1, 'a', 'b', [], {}, null, ...Array.from({ length: 20 }, (_, i) => `many ${i}`)] as Json[])

const valueFilter: fc.Arbitrary<ValueFilterInput> = fc
  .tuple(
    fc.oneof({ weight: 12, arbitrary: fieldPath }, { weight: 1, arbitrary: fc.constantFrom('\0', 'a.\ud83d') }),
    fc.oneof(
      fc.record({ eq: value }),
      fc.record({ ne: value }),
      fc.record({ in: fc.oneof(fc.array(value, { maxLength: 4 }), manyValues) }),
      fc.record({ exists: fc.boolean() }),
      ...Object.entries(textConditions).map(([name, text]) => fc.record({ [name]: text })),
      fc.record({ ne: value, prefix: rootText }),
    ),
  )
  .map(([path, conditions]) => ({ path, ...conditions }) as ValueFilterInput)

/** The typed form. */
export const whereArbitrary: fc.Arbitrary<EntryFilterInput> = fc.letrec<{ filter: EntryFilterInput }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    {
      weight: 4,
      arbitrary: fc.tuple(rootName, stringFilter).map(([root, filter]) => ({ [root]: filter }) as EntryFilterInput),
    },
    {
      weight: 6,
      arbitrary: fc.array(valueFilter, { minLength: 1, maxLength: 2 }).map((filters) => ({ meta: filters })),
    },
    { weight: 2, arbitrary: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })) },
    { weight: 3, arbitrary: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }).map((or) => ({ or })) },
    { weight: 2, arbitrary: tie('filter').map((not) => ({ not })) },
    { weight: 1, arbitrary: fc.constantFrom<EntryFilterInput>({}, { and: [] }, { or: [] }) },
  ),
})).filter

/** The registry's own form. */
export const findArbitrary: fc.Arbitrary<JsonObject> = fc
  .array(
    fc.oneof(
      fc.tuple(
        rootName.map((root) => `.${root}`),
        glob,
      ),
      fc.tuple(
        fieldPath.map((path) => `meta.${path}`),
        value,
      ),
      fc.tuple(
        fieldPath.map((path) => `meta.${path}`),
        fc.array(value, { maxLength: 2 }),
      ),
      fc.tuple(
        fc.oneof(
          rootName.map((root) => `~.${root}`),
          fieldPath.map((path) => `~meta.${path}`),
        ),
        regex,
      ),
      fc.tuple(
        fc
          .tuple(
            fc.constantFrom('*', '^', '$'),
            fc.oneof(
              rootName.map((root) => `.${root}`),
              fieldPath.map((path) => `meta.${path}`),
            ),
          )
          .map(([operator, field]) => operator + field),
        rootText,
      ),
    ) as fc.Arbitrary<[string, Json]>,
    { minLength: 1, maxLength: 2 },
  )
  .map((conditions) => Object.fromEntries(conditions))

/** Both forms; at most 20 regular expressions, as many as criteria may have. */
export function criteriaArbitrary(compileRegex: CompileRegex): fc.Arbitrary<Criteria> {
  return fc.oneof(
    whereArbitrary.map((filter) => parseWhere(filter, compileRegex)),
    findArbitrary.map((find) => parseFind(find, compileRegex)),
  )
}
